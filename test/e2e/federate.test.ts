/** `npm run federate`: real tabs over WebRTC; its report and its files are checked with other means than its own. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RoundMetrics } from '../../src/federation/coordinatorState.ts';
import type { LedgerRecord } from '../../src/federation/record.ts';
import { ROOT } from '../../tools/command.ts';
import { FEDERATE_HELP } from '../../tools/federate/options.ts';
import type { Report } from '../../tools/federate/report.ts';
import { heldOutDigits, jsonLines, verifiedHead } from './support/evidence.ts';

const LIMIT_MS = 180_000;

interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

interface Outcome extends Ended {
  readonly report: Report;
}

async function run(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tools/federate.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, INIT_CWD: ROOT },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { code, output, errors };
}

async function federate(folder: string, ...options: string[]): Promise<Outcome> {
  const ended = await run('plans/digits.json', ...options, '--out', folder, '--json');
  const lastLine = ended.output.trimEnd().split('\n').at(-1) ?? '';
  expect(lastLine, `no report; on stderr: ${ended.errors}`).toMatch(/^\{.*\}$/);
  return { ...ended, report: JSON.parse(lastLine) as Report };
}

let out: string;

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'hushgrad-federate-'));
});

afterAll(() => rm(out, { recursive: true }));

describe('four participants, ten rounds', () => {
  let outcome: Outcome;
  const read = (name: string): Promise<string> => readFile(join(out, name), 'utf8');

  beforeAll(async () => {
    outcome = await federate(out, '--participants', '4', '--rounds', '10');
  }, LIMIT_MS);

  it('ends well, and says so', () => {
    const { code, report, errors } = outcome;
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({
      ok: true,
      plan: 'Digits, handwritten',
      participants: 4,
      rounds: 10,
      roundsAbandoned: 0,
      dropouts: 0,
      modelHashesAgree: true,
      parameters: 101_770,
      newcomersFirstRound: [],
    });
    expect(code).toBe(0);
    expect(errors).toBe('');
  });

  it('learns', () => {
    expect(outcome.report.testAccuracy).toBeGreaterThanOrEqual(0.92);
    expect(outcome.report.testAccuracy).toBeLessThan(1);
    expect(outcome.report.testLoss).toBeLessThan(0.4);
  });

  it('sends little more than the packed words of one update a round', () => {
    const { bytesUpPerParticipantRound, parameters } = outcome.report;
    expect(bytesUpPerParticipantRound).toBeLessThanOrEqual(1.2 * parameters);
    // 2 bits a value and 2 for the sum of four: less cannot be all of it.
    expect(bytesUpPerParticipantRound).toBeGreaterThan((4 / 8) * parameters);
  });

  it('reports every figure that is documented', () => {
    const { report } = outcome;
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining(
        [
          'ok plan participants rounds roundsAbandoned dropouts metric testAccuracy testLoss modelHash modelHashesAgree',
          'parameters engines secondsPerRound trainSecondsPerRound bytesUpPerParticipantRound',
          'bytesDownPerParticipantRound longestMainThreadTaskMs coordinatorLongestTaskMs',
        ].flatMap((names) => names.split(' ')),
      ),
    );
    expect(report.metric).toEqual({ name: 'accuracy', value: report.testAccuracy });
    const { secondsPerRound, trainSecondsPerRound, bytesDownPerParticipantRound } = report;
    const { longestMainThreadTaskMs, coordinatorLongestTaskMs } = report;
    for (const figure of [secondsPerRound, trainSecondsPerRound, bytesDownPerParticipantRound]) {
      expect(figure).toBeGreaterThan(0);
    }
    for (const figure of [longestMainThreadTaskMs, coordinatorLongestTaskMs]) expect(figure).toBeGreaterThanOrEqual(0);
    expect(Object.values(report.engines).reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(report.modelHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('leaves its files behind', async () => {
    expect((await readdir(out)).toSorted()).toEqual([
      'ledger.jsonl',
      'metrics.csv',
      'metrics.jsonl',
      'model-card.md',
      'model.json',
      'model.safetensors',
      'plan.json',
      'weights.bin',
    ]);
    const weights = await readFile(join(out, 'weights.bin'));
    expect(weights.length).toBe(4 * outcome.report.parameters);
    expect(createHash('sha256').update(weights).digest('hex')).toBe(outcome.report.modelHash);
  });

  it('saves a model that stock tfjs finds as accurate as the report says', async () => {
    const { correct, of } = await heldOutDigits(out);
    expect(of).toBe(2000);
    const reported = (outcome.report.testAccuracy ?? 0) * of;
    // Engines differ in the last bits, and one digit may lie on the border.
    expect(Math.abs(correct - reported)).toBeLessThanOrEqual(1);
  });

  it('writes a ledger that anyone can verify, from the plan to the saved model', async () => {
    const records = jsonLines<LedgerRecord>(await read('ledger.jsonl'));
    expect(records).toHaveLength(11);
    const head = await verifiedHead(await read('plan.json'), records);
    expect(head).toMatchObject({ records: 11, completed: 10, abandoned: 0, modelHash: outcome.report.modelHash });
    const last = records.at(-1)!.body;
    if (last.status !== 'complete') throw new Error('The last round was given up.');
    expect(last.kind).toBe('evaluate');
    expect(last.figures.test.samples).toBe(2000);
    expect(last.figures.test.correct / last.figures.test.samples).toBe(outcome.report.testAccuracy);
    expect(last.survivors).toBe(4);
  });

  it('writes a ledger in which nothing can be changed', async () => {
    const plan = await read('plan.json');
    const lines = (await read('ledger.jsonl')).trimEnd().split('\n');
    const changed = (index: number, change: (line: string) => string): readonly LedgerRecord[] =>
      lines.map((line, i) => JSON.parse(i === index ? change(line) : line) as LedgerRecord);
    const more = (line: string): string =>
      line.replace(/"correct":(\d+)/, (_, count) => `"correct":${Number(count) + 1}`);
    expect(more(lines[4]!)).not.toBe(lines[4]);
    await expect(verifiedHead(plan, changed(4, more))).rejects.toMatchObject({ code: 'ledger/coordinator' });
    const without = lines.filter((_, i) => i !== 4).map((line) => JSON.parse(line) as LedgerRecord);
    await expect(verifiedHead(plan, without)).rejects.toMatchObject({ code: 'ledger/chain' });
    const otherPlan = plan.replace('"seed": 1', '"seed": 2');
    expect(otherPlan).not.toBe(plan);
    await expect(verifiedHead(otherPlan, changed(-1, more))).rejects.toMatchObject({ code: 'ledger/binding' });
  });

  it('writes metrics of every round', async () => {
    const metrics = jsonLines<RoundMetrics>(await read('metrics.jsonl'));
    expect(metrics.map(({ kind, completed }) => [kind, completed])).toEqual([
      ...Array.from({ length: 10 }, (_, i) => ['train', i + 1]),
      ['evaluate', 10],
    ]);
    for (const { survivors, participants, seconds, point } of metrics) {
      expect([survivors, participants]).toEqual([4, 4]);
      expect(seconds).toBeGreaterThan(0);
      expect(point.samples).toBe(2000);
    }
    const losses = metrics.map(({ point }) => point.testLoss ?? Number.NaN);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 4);
  });
});

describe('a tab that closes in round 3, and one that comes in round 4', () => {
  it(
    'cost nothing but their own rounds',
    async () => {
      const folder = join(out, 'dropout');
      // Which engine is the fastest was measured above; the newcomer comes in the sooner.
      const options = '--participants 4 --rounds 9 --drop 2@3 --join 4 --engine compiled-wasm'.split(' ');
      const { code, report, errors } = await federate(folder, ...options);
      expect(report.problems).toEqual([]);
      expect(report).toMatchObject({ ok: true, rounds: 9, roundsAbandoned: 0, modelHashesAgree: true });
      expect(report.dropouts).toBeGreaterThanOrEqual(1);
      expect(report.testAccuracy).toBeGreaterThanOrEqual(0.9);
      expect(report.newcomersFirstRound).toHaveLength(1);
      expect(report.newcomersFirstRound[0]).toBeGreaterThanOrEqual(4);
      // It loads the page and tries its engine for a second or two; a round takes less than one.
      expect(report.newcomersFirstRound[0]).toBeLessThanOrEqual(8);
      expect([code, errors]).toEqual([0, '']);

      const records = jsonLines<LedgerRecord>(await readFile(join(folder, 'ledger.jsonl'), 'utf8'));
      const head = await verifiedHead(await readFile(join(folder, 'plan.json'), 'utf8'), records);
      expect(head).toMatchObject({ completed: 9, abandoned: 0, modelHash: report.modelHash });
      // Closed once its masked update was sent: that round still counts it, and no later one does.
      const survivors = records.map(({ sheets }) => sheets.flatMap((sheet) => sheet.survivors));
      const early = new Set(survivors.slice(0, 3).flat());
      const late = new Set(survivors.slice(4).flat());
      expect([...early].filter((id) => !late.has(id))).toHaveLength(1);
      expect([...late].filter((id) => !early.has(id))).toHaveLength(1);
    },
    LIMIT_MS,
  );
});

describe('what cannot be run', () => {
  it('is said in one sentence, with an exit code and without a browser', async () => {
    const [help, missing, wrong] = await Promise.all([
      run('--help'),
      run('plans/none.json', '--json'),
      run('plans/digits.json', '--participants', '2', '--json'),
    ]);
    expect(help).toMatchObject({ code: 0, output: `${FEDERATE_HELP}\n`, errors: '' });
    expect(missing).toEqual({
      code: 1,
      output: '',
      errors: `The plan "${join(ROOT, 'plans/none.json')}" cannot be read. Give the path of a plan, such as plans/digits.json.\n`,
    });
    expect(wrong).toEqual({
      code: 1,
      output: '',
      errors: '"--participants" is "2", expected a whole number from 3 to 64.\n',
    });
  });
});
