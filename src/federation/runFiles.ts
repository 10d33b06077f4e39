/** What a run leaves behind as files, to the byte: one writer, and one reader that takes nothing but what it writes. */
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import { METRIC_NAMES } from '../core/metrics.ts';
import { finite, integer, list, parseDocument, toWire, v } from '../core/schema.ts';
import type { Decoded } from '../core/schema.ts';
import { MAX_TALLIES } from '../core/statisticsLayout.ts';
import { ROUND_KINDS } from '../core/sumSpec.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import type { CoordinatorState } from './coordinatorState.ts';
import { metricsTable } from './metricsTable.ts';
import { modelFilesOf } from './modelFiles.ts';
import type { ModelFiles } from './modelFiles.ts';
import { countsSchema, recordSchema } from './record.ts';
import type { LedgerRecord } from './record.ts';

/** Contents of the files beside plan.json. */
export interface CoordinatorFiles extends ModelFiles {
  /** Text of metrics.jsonl: one completed round a line. */
  readonly metrics: string;
  /** Text of metrics.csv. */
  readonly metricsTable: string;
  /** Text of ledger.jsonl: one record a line. */
  readonly ledger: string;
}

/**
 * What a coordinator can save, and what `npm run federate` writes. `parameters` are those of the state's head, `planBytes`
 * the plan as it was launched. `turn` lets other work in, after the model and after each line: a ledger of many people takes
 * long to write.
 */
export async function coordinatorFiles(
  state: Pick<CoordinatorState, 'plan' | 'binding' | 'head' | 'metrics' | 'curve'>,
  planBytes: Bytes,
  records: readonly LedgerRecord[],
  parameters: ModelParameters,
  turn: () => Promise<void>,
): Promise<CoordinatorFiles> {
  const { plan, binding, head, curve } = state;
  const { modelHash, recordHash: ledgerHead, completed: rounds } = head;
  const origin = { ...binding, modelHash, ledgerHead, rounds };
  const model = modelFilesOf({ plan, bytes: planBytes }, origin, parameters, curve);
  await turn();
  const metrics = await linesOf(metricsSchema, state.metrics, turn);
  return {
    ...model,
    metrics,
    metricsTable: metricsTable(metrics),
    ledger: await linesOf(recordSchema, records, turn),
  };
}

const measured = finite(-(2 ** 50), 2 ** 50);
/** R² of a model that has nothing learnt has no bound. */
const metricValue = finite(-1e300, 1e300);
const counted = integer(0, 2 ** 48);

const pointSchema = v.strictObject({
  round: counted,
  metric: v.picklist(METRIC_NAMES, `one of ${METRIC_NAMES.join(', ')}`),
  testMetric: v.optional(metricValue),
  testAccuracy: v.optional(measured),
  testLoss: v.optional(measured),
  testCounts: v.optional(countsSchema),
  validationMetric: v.optional(metricValue),
  validationAccuracy: v.optional(measured),
  validationLoss: v.optional(measured),
  validationCounts: v.optional(countsSchema),
  trainingLoss: v.optional(measured),
  people: counted,
  samples: counted,
  validationSamples: counted,
});

const names = v.optional(list(v.string(), MAX_TALLIES));
const statisticsSchema = v.strictObject({
  people: counted,
  examples: counted,
  features: list(
    v.strictObject({ name: v.string(), count: counted, mean: measured, variance: finite(0, 2 ** 100) }),
    MAX_TALLIES,
  ),
  tallies: list(
    v.strictObject({ name: v.string(), names, counts: list(counted, MAX_TALLIES), minimumSupport: counted }),
    MAX_TALLIES,
  ),
});

const metricsSchema = v.strictObject({
  round: counted,
  kind: v.picklist(ROUND_KINDS, `one of ${ROUND_KINDS.join(', ')}`),
  completed: counted,
  participants: counted,
  survivors: counted,
  dropouts: counted,
  seconds: measured,
  trainSeconds: measured,
  bytesUpPerParticipant: measured,
  bytesDownPerParticipant: measured,
  engines: v.record(v.string(), counted),
  point: pointSchema,
  statistics: v.optional(statisticsSchema),
});

/** A line of metrics.jsonl. */
export type MetricsLine = Decoded<typeof metricsSchema>;

/** One value a line, its fields in the order of the schema, bytes as hexadecimal text. */
async function linesOf(
  schema: v.GenericSchema,
  values: readonly unknown[],
  turn: () => Promise<void>,
): Promise<string> {
  const lines: string[] = [];
  for (const value of values) {
    lines.push(lineOf(schema, value));
    await turn();
  }
  return lines.join('');
}

/** @throws HushError `file/…`, naming line, field, value and what was expected. */
export function readLedgerLines(bytes: Uint8Array): readonly LedgerRecord[] {
  return readLines(recordSchema, bytes);
}

/** @throws HushError `file/…`, naming line, field, value and what was expected. */
export function readMetricsLines(bytes: Uint8Array): readonly MetricsLine[] {
  return readLines(metricsSchema, bytes);
}

/** The same for the same value, in whatever order its fields were put together. */
function lineOf(schema: v.GenericSchema, value: unknown): string {
  return `${JSON.stringify(v.parse(schema, toWire(schema, value)))}\n`;
}

const LINE_FEED = 10;

function readLines<Schema extends v.GenericSchema>(schema: Schema, bytes: Uint8Array): readonly Decoded<Schema>[] {
  const values: Decoded<Schema>[] = [];
  let begin = 0;
  while (begin < bytes.length) {
    const end = bytes.indexOf(LINE_FEED, begin);
    const place = `line ${values.length + 1}`;
    if (end < 0) throw new HushError('file/cut', `${place}: it has no end, expected a line feed as the last byte.`);
    values.push(readLine(schema, bytes.subarray(begin, end), place));
    begin = end + 1;
  }
  return values;
}

/** A byte that does not change the meaning is refused too: else one run would have many sets of files. */
function readLine<Schema extends v.GenericSchema>(schema: Schema, bytes: Uint8Array, place: string): Decoded<Schema> {
  let line: string;
  let json: unknown;
  try {
    line = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    json = JSON.parse(line);
  } catch (cause) {
    const why = cause instanceof SyntaxError ? cause.message : 'it is not UTF-8';
    throw new HushError('file/not-json', `${place}: ${why}, expected JSON.`, { cause });
  }
  const value = parseDocument(schema, toWire(schema, json), place, 'file/schema');
  const canonical = JSON.stringify(value);
  if (canonical !== line) throw new HushError('file/form', `${place}: ${difference(line, canonical)}`);
  return value;
}

/** Where a text leaves the form that it should have, as a sentence. */
export function difference(text: string, expected: string): string {
  let at = 0;
  while (at < text.length && text[at] === expected[at]) at++;
  const from = Math.max(0, at - 24);
  const shown = (whole: string): string => JSON.stringify(whole.slice(from, at + 24));
  return `not in canonical form at character ${at + 1}: ${shown(text)}, expected ${shown(expected)}.`;
}
