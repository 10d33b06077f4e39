/** An outsider's check of a run, from its files alone: nothing in them is believed that does not follow. */
import { bytesToFloat32, utf8 } from '../../src/core/bytes.ts';
import { asHushError, HushError } from '../../src/core/errors.ts';
import type { FederationId, Hash, PublicKey } from '../../src/core/ids.ts';
import { withStatistics } from '../../src/core/normalisation.ts';
import { parsePlan, startHash } from '../../src/core/plan.ts';
import type { Plan, PlanDocument } from '../../src/core/plan.ts';
import { planLayout } from '../../src/core/planLayout.ts';
import { readSafetensors } from '../../src/core/safetensors.ts';
import { statisticsLayout } from '../../src/core/statisticsLayout.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { hashOf } from '../../src/crypto/hash.ts';
import type { LedgerContext, LedgerHead } from '../../src/federation/ledger.ts';
import { curveOf } from '../../src/federation/measured.ts';
import type { LedgerRecord } from '../../src/federation/record.ts';
import { metricsTable } from '../../src/federation/metricsTable.ts';
import { modelFilesOf } from '../../src/federation/modelFiles.ts';
import type { ModelFiles } from '../../src/federation/modelFiles.ts';
import { difference, readLedgerLines, readMetricsLines } from '../../src/federation/runFiles.ts';
import { initialModel } from '../../src/update/initialise.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { checkChain } from './chain.ts';
import type { Chain } from './chain.ts';
import { checkMetrics } from './metrics.ts';

export const FILE_NAMES = ['plan.json', 'ledger.jsonl', 'weights.bin', 'model.json', 'metrics.jsonl'] as const;
/** What a folder may have besides: the same again in other forms, held to the same bytes. */
export const MORE_FILE_NAMES = ['model.safetensors', 'model-card.md', 'metrics.csv'] as const;
type MoreName = (typeof MORE_FILE_NAMES)[number];
export type FileName = (typeof FILE_NAMES)[number] | MoreName;
export type RunFiles = Readonly<Record<FileName, Uint8Array>>;
export type GivenFiles = Omit<RunFiles, MoreName> & Partial<RunFiles>;

/** What is known from elsewhere, such as the invite link. */
export interface Pins {
  readonly key: PublicKey | undefined;
  readonly federation: FederationId | undefined;
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
}

export interface Verdict {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly problems: readonly string[];
  readonly records: number;
  readonly rounds: number;
  /** Different people in the records. */
  readonly participants: number;
  readonly modelHash: string;
}

/** Goes as far as it can: what rests on something that does not hold is not looked at. */
export async function verifyRun(files: GivenFiles, pins: Pins): Promise<Verdict> {
  const findings = new Findings();
  const plan = await findings.check('plan', 'plan.json', () => readPlan(files['plan.json']));
  const records = await findings.check('ledger', 'ledger.jsonl', () => readLedger(files['ledger.jsonl']));
  const chain =
    plan &&
    records &&
    (await findings.check('coordinator', 'ledger.jsonl', () => nameCoordinator(plan, records, pins))) &&
    (await findings.check('records', 'ledger.jsonl', () => verifyChain(plan, records)));
  if (plan && chain) {
    findings.note(
      'signatures',
      `${chain.signatures} confirmations by ${chain.people} people, at least t in every round`,
    );
    findings.note('rounds', roundsText(plan.plan, chain));
    const weights = await findings.check('weights', 'weights.bin', () =>
      readWeights(files['weights.bin'], plan.plan, chain.head),
    );
    if (weights && records) {
      const { modelJson, safetensors, card } = followingFiles(plan, chain, records.records, weights.parameters);
      await findings.check('model', 'model.json', () => same(files['model.json'], utf8(modelJson)));
      await findings.checkIfThere('safetensors', 'model.safetensors', files, (file) =>
        checkSafetensors(file, safetensors),
      );
      await findings.checkIfThere('card', 'model-card.md', files, (file) => same(file, utf8(card)));
    }
    const metrics = await findings.check('metrics', 'metrics.jsonl', () => {
      const lines = readMetricsLines(files['metrics.jsonl']);
      checkMetrics(lines, records?.records ?? [], plan.plan);
      return {
        text: `${lines.length} lines agree with the ledger; times, bytes, engines and dropouts are the coordinator's word`,
      };
    });
    if (metrics)
      await findings.checkIfThere('table', 'metrics.csv', files, (file) => {
        same(file, utf8(metricsTable(new TextDecoder().decode(files['metrics.jsonl']))));
        return { text: 'what follows from metrics.jsonl' };
      });
  }
  return {
    ok: findings.problems.length === 0,
    checks: findings.checks,
    problems: findings.problems,
    records: chain?.head.records ?? records?.records.length ?? 0,
    rounds: chain?.head.completed ?? 0,
    participants: chain?.people ?? 0,
    modelHash: chain?.head.modelHash ?? '',
  };
}

class Findings {
  readonly checks: Check[] = [];
  readonly problems: string[] = [];

  /** What `work` gives, with the sentence that is told of it; undefined when it does not hold. */
  async check<T extends { readonly text: string }>(
    name: string,
    file: FileName,
    work: () => T | Promise<T>,
  ): Promise<T | undefined> {
    try {
      const found = await work();
      this.checks.push({ name, ok: true, text: found.text });
      return found;
    } catch (thrown) {
      const { message } = asHushError(thrown, 'verify/failed');
      const text = `${file}: ${message}`;
      this.checks.push({ name, ok: false, text });
      this.problems.push(text);
      return undefined;
    }
  }

  async checkIfThere(
    name: string,
    file: MoreName,
    files: GivenFiles,
    work: (bytes: Uint8Array) => { readonly text: string },
  ): Promise<void> {
    const bytes = files[file];
    if (bytes !== undefined) await this.check(name, file, () => work(bytes));
  }

  note(name: string, text: string): void {
    this.checks.push({ name, ok: true, text });
  }
}

interface ReadPlan extends PlanDocument {
  readonly planHash: Hash;
  readonly text: string;
}

function readPlan(bytes: Uint8Array): ReadPlan {
  const document = parsePlan(bytes);
  const { plan } = document;
  const planHash = hashOf(bytes);
  return { ...document, planHash, text: `"${plan.name}", SHA-256 ${planHash}` };
}

interface ReadLedger {
  readonly records: readonly LedgerRecord[];
  readonly first: LedgerRecord;
  readonly text: string;
}

function readLedger(bytes: Uint8Array): ReadLedger {
  const records = readLedgerLines(bytes);
  const [first] = records;
  if (first === undefined) throw new HushError('verify/empty', '0 records, expected at least 1.');
  return { records, first, text: `${records.length} records, each in canonical form` };
}

/** Of what the first record says, and of what is pinned. */
function nameCoordinator({ planHash }: ReadPlan, { first }: ReadLedger, { key, federation }: Pins) {
  const { body } = first;
  for (const [field, got, expected] of [
    ['planHash', body.planHash, planHash],
    ['coordinatorKey', body.coordinatorKey, key],
    ['federation', body.federation, federation],
  ] as const) {
    if (expected === undefined || got === expected) continue;
    throw new HushError('verify/pin', `line 1: "body.${field}" is ${got}, expected ${expected}.`);
  }
  const whence = (pin: string | undefined): string => (pin === undefined ? 'taken from the ledger' : 'as pinned');
  return {
    text: `key ${body.coordinatorKey} (${whence(key)}), federation ${body.federation} (${whence(federation)})`,
  };
}

async function verifyChain({ plan, planHash }: ReadPlan, { records, first }: ReadLedger) {
  const { federation, coordinatorKey } = first.body;
  const context: LedgerContext = { binding: { federation, planHash }, coordinatorKey, plan };
  const given = startHash(plan);
  const model = initialModel(plan);
  const initial = given ?? modelHashOf(model);
  const chain = await checkChain(context, initial, records);
  checkStatistics(plan, model, records);
  const whose = given === undefined ? "the plan's seed" : "the plan's start";
  const text = `chained by hash from the model of ${whose}, ${initial}, to ${chain.head.recordHash}`;
  return { ...chain, context, text };
}

/** The model that follows from the statistics in the ledger is the one that the ledger names. */
function checkStatistics(plan: Plan, initial: ModelParameters, records: readonly LedgerRecord[]): void {
  for (const [i, { body }] of records.entries()) {
    if (body.status !== 'complete' || body.statistics === undefined) continue;
    const { features, counts } = body.statistics;
    const layout = statisticsLayout(plan);
    const tallied = layout.tallies.reduce((sum, { length }) => sum + length, 0);
    const place = `line ${i + 1}, round ${body.round}`;
    for (const [field, got, expected] of [
      ['statistics.features', features.length, layout.features.length],
      ['statistics.counts', counts.length, tallied],
      // A model that the plan begins with is left as it is.
      [
        'modelHashAfter',
        body.modelHashAfter,
        plan.start ? body.modelHashBefore : modelHashOf(withStatistics(plan, initial, body.statistics)),
      ],
    ] as const) {
      if (got === expected) continue;
      throw new HushError('verify/statistics', `${place}: "body.${field}" is ${got}, expected ${expected}.`);
    }
  }
}

function roundsText(plan: Plan, { head, finished, spent }: Chain): string {
  const { rounds } = plan.aggregation;
  const stopped = finished && head.completed < rounds ? ', stopped early as the plan says' : '';
  const far = finished
    ? `${head.completed} of ${rounds}${stopped}, and the final measurement`
    : `${head.completed} of ${rounds}: the run is not finished`;
  return head.abandoned === 0
    ? far
    : `${far}; ${head.abandoned} given up, ${spent} of them after shares were asked for`;
}

function readWeights(bytes: Uint8Array, plan: Plan, { modelHash }: LedgerHead) {
  const expectedBytes = 4 * planLayout(plan).length;
  if (bytes.length !== expectedBytes) {
    throw new HushError('verify/weights', `${bytes.length} bytes, expected ${expectedBytes} for the plan's model.`);
  }
  const hash = hashOf(bytes);
  if (hash !== modelHash) {
    throw new HushError('verify/weights', `SHA-256 is ${hash}, expected ${modelHash} after the last record.`);
  }
  return {
    parameters: bytesToFloat32(bytes) as ModelParameters,
    text: `${bytes.length / 4} float32, SHA-256 ${hash}`,
  };
}

/** What must be in the files of the model, to the byte. */
function followingFiles(
  document: ReadPlan,
  { head, context }: Chain & { readonly context: LedgerContext },
  records: readonly LedgerRecord[],
  parameters: ModelParameters,
): ModelFiles {
  const { federation } = context.binding;
  const { modelHash, recordHash: ledgerHead, completed: rounds } = head;
  const origin = { planHash: document.planHash, federation, modelHash, ledgerHead, rounds };
  const curve = records.flatMap((record) => curveOf(record, document.plan));
  return modelFilesOf(document, origin, parameters, curve);
}

function same(got: Uint8Array, expected: Uint8Array) {
  // One character a byte, so that bytes that are no UTF-8 differ too.
  const [text, wanted] = [got, expected].map((each) => Buffer.from(each).toString('latin1'));
  if (text !== wanted) throw new HushError('verify/model', difference(text ?? '', wanted ?? ''));
  return { text: 'byte for byte what follows from plan and ledger' };
}

/** Of a file that is none of safetensors its reader tells more than where it differs. */
function checkSafetensors(got: Uint8Array, expected: Uint8Array) {
  const { tensors } = readSafetensors(got);
  same(got, expected);
  return { text: `${tensors.length} tensors, the weights of weights.bin; metadata that follows from plan and ledger` };
}
