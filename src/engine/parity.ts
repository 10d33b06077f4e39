/**
 * Does an engine compute what plain JavaScript computes? Plain JavaScript is slow, so it trains on a batch of very few rows;
 * the engine, on a batch of the plan's size in which the same rows come again and again. Their mean gradient is the same,
 * and so are the statistics that a normalisation takes of them.
 */
import type { EngineSession, TrainingEngine } from '../core/engine.ts';
import { HushError } from '../core/errors.ts';
import { dropsValues } from '../core/network.ts';
import type { Network } from '../core/network.ts';
import type { LocalTraining } from '../core/plan.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { FREE } from './course.ts';
import { SEED, startingPoint, syntheticExamples } from './syntheticTask.ts';

/** Of the largest change of a parameter. Float32 in another order gives 1e-6; half precision or a wrong kernel, 1e-2. */
export const MAX_DISAGREEMENT = 1e-3;
const LEARNING_RATE = 0.1;
/** More rows and steps find more, as long as plain JavaScript needs no longer for them. */
const ENOUGH_MS = 400;
const MAX_ROWS = 8;
const MAX_STEPS = 2;
/** One step on one row: what takes longer is nothing to wait for at a join. */
const REFERENCE_LIMIT_MS = 20_000;

/** How much is trained. */
export interface ParityShape {
  /** Rows that differ. */
  readonly rows: number;
  readonly steps: number;
}

/** Where the parity steps lead. */
interface ParityRun {
  readonly before: ModelParameters;
  readonly after: ModelParameters;
  readonly batchSize: number;
  /** The engine's very first steps, so that whatever is compiled is in it. */
  readonly tookMs: number;
}

/** Plain JavaScript's parity run. */
export interface Reference extends ParityRun {
  readonly shape: ParityShape;
  readonly adapter: string;
  /** Over its first steps, cold and with few rows: what it reaches is up to twenty times as much. */
  readonly samplesPerSecond: number;
}

interface ReferenceOptions {
  readonly network: Network;
  readonly training: LocalTraining;
  readonly open: (name: 'cpu') => Promise<TrainingEngine>;
}

/**
 * @throws HushError `engine/…`: without plain JavaScript's word for it, no engine is trusted; `engine/too-slow` when it needs
 * more than 20 s for one example.
 */
export async function referenceRun({ network, training, open }: ReferenceOptions): Promise<Reference> {
  const engine = await open('cpu');
  try {
    const session = await engine.open(network);
    const take = async (shape: ParityShape): Promise<Reference> => {
      const run = await parityRun(session, network, { ...training, batchSize: shape.rows }, shape);
      const samplesPerSecond = (1000 * shape.rows * shape.steps) / run.tookMs;
      return { ...run, shape, adapter: engine.adapter, samplesPerSecond };
    };
    const first = await take({ rows: 1, steps: 1 });
    if (first.tookMs > REFERENCE_LIMIT_MS) throw tooSlow(first.tookMs);
    const rows = rowsThatDivide(training.batchSize, ENOUGH_MS / (MAX_STEPS * first.tookMs));
    return rows > 1 ? await take({ rows, steps: MAX_STEPS }) : first;
  } finally {
    engine.close();
  }
}

/** Where each row comes as often as every other in a batch, at most `limit` of them. */
function rowsThatDivide(batchSize: number, limit: number): number {
  let rows = Math.max(1, Math.floor(Math.min(MAX_ROWS, limit, batchSize)));
  while (batchSize % rows !== 0) rows--;
  return rows;
}

export async function parityRun(
  session: EngineSession,
  network: Network,
  training: LocalTraining,
  { rows, steps }: ParityShape,
): Promise<ParityRun> {
  const before = startingPoint(network);
  // What is dropped depends on the place in the batch: there the same rows are no longer the same.
  const batchSize = dropsValues(network) ? rows : training.batchSize;
  const examples = syntheticExamples(network, batchSize, rows);
  const startMs = performance.now();
  session.setParameters(before);
  // An epoch is a step: all rows, in one batch.
  await session.train(
    examples,
    { optimizer: { kind: 'sgd' }, learningRate: LEARNING_RATE, batchSize, epochs: steps, fedProxMu: 0 },
    SEED,
    FREE,
  );
  const after = await session.parameters();
  return { before, after, batchSize, tookMs: Math.max(performance.now() - startMs, 0.01) };
}

/** The largest difference of a parameter, relative to the largest change; NaN where there is something that is no number. */
export function disagreementOf(after: ModelParameters, reference: Reference): number {
  let difference = 0;
  let change = 0;
  reference.after.forEach((expected, i) => {
    difference = Math.max(difference, Math.abs((after[i] ?? NaN) - expected));
    change = Math.max(change, Math.abs(expected - (reference.before[i] ?? 0)));
  });
  return difference / change;
}

function tooSlow(tookMs: number): HushError {
  return new HushError(
    'engine/too-slow',
    `Plain JavaScript, by which every engine is checked, took ${Math.round(tookMs / 1000)} s for one example, expected at most ${REFERENCE_LIMIT_MS / 1000} s.`,
    { advice: 'This model is too large for this machine.' },
  );
}
