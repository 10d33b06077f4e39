/** Finds out about one engine: does it compute what plain JavaScript computes, and how fast does it train this model? */
import type { Examples } from '../core/dataset.ts';
import type { EngineCandidate, EngineName, EngineSession, TrainingEngine } from '../core/engine.ts';
import { HushError } from '../core/errors.ts';
import type { Network } from '../core/network.ts';
import type { LocalTraining } from '../core/plan.ts';
import { FREE } from './course.ts';
import { disagreementOf, MAX_DISAGREEMENT, parityRun } from './parity.ts';
import type { Reference } from './parity.ts';
import { stepTime } from './stepTime.ts';
import { SEED, startingPoint, syntheticExamples } from './syntheticTask.ts';

/** Noise is not for learning: the plan's own rate could diverge on it. */
const TIMED_LEARNING_RATE = 1e-4;

export interface ProbeOptions {
  readonly name: EngineName;
  readonly network: Network;
  readonly training: LocalTraining;
  readonly reference: Reference;
  readonly limitMs: number;
  readonly open: (name: EngineName) => Promise<TrainingEngine>;
}

export interface Probed {
  readonly candidate: EngineCandidate;
  /** Open and warm, when usable. */
  readonly engine: TrainingEngine | undefined;
}

/** Never throws: what goes wrong is the reason why the engine cannot be used. */
export async function probe(options: ProbeOptions): Promise<Probed> {
  const { name, network, training, reference, limitMs, open } = options;
  let engine: TrainingEngine | undefined;
  let found = { name, adapter: '', usable: false, samplesPerSecond: 0, firstStepMs: 0, disagreement: 0 };
  try {
    engine = await open(name);
    found = { ...found, adapter: engine.adapter };
    const session = await engine.open(network);
    const run = await atMost(limitMs, parityRun(session, network, training, reference.shape));
    const disagreement = disagreementOf(run.after, reference);
    found = { ...found, firstStepMs: run.tookMs, disagreement };
    if (run.tookMs > limitMs) throw tooSlow(limitMs);
    if (!(disagreement <= MAX_DISAGREEMENT)) throw disagrees(disagreement);
    const samplesPerSecond = await atMost(limitMs, speedOf(session, network, training, run.batchSize));
    session.close();
    const agreement = name === 'cpu' ? '' : `, agreeing with cpu to ${disagreement.toExponential(1)} of a step`;
    const reason = `${Math.round(samplesPerSecond)} samples/s on this model, first step after ${Math.round(run.tookMs)} ms${agreement}.`;
    return { candidate: { ...found, adapter: engine.adapter, usable: true, samplesPerSecond, reason }, engine };
  } catch (thrown) {
    engine?.close();
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return { candidate: { ...found, reason }, engine: undefined };
  }
}

/**
 * Opens an engine whose speed is known, and has it agree with plain JavaScript once more; without `reference` it has to
 * learn something, and no more. @throws HushError `engine/…`.
 */
export async function checkAgain(
  { name, network, training, limitMs, open }: Omit<ProbeOptions, 'reference'>,
  reference: Reference | undefined,
): Promise<TrainingEngine> {
  const engine = await open(name);
  try {
    const session = await engine.open(network);
    const shape = reference?.shape ?? { rows: 1, steps: 1 };
    const { before, after } = await atMost(limitMs, parityRun(session, network, training, shape));
    session.close();
    const learnt = after.some((value, i) => value !== before[i]) && after.every(Number.isFinite);
    const disagreement = reference ? disagreementOf(after, reference) : learnt ? 0 : Number.POSITIVE_INFINITY;
    if (!(disagreement <= MAX_DISAGREEMENT)) throw disagrees(disagreement);
    return engine;
  } catch (thrown) {
    engine.close();
    throw thrown;
  }
}

/** Samples a second of real local training, gathering included. `warmAt`: the batch size at which plain descent is warm. */
async function speedOf(
  session: EngineSession,
  network: Network,
  training: LocalTraining,
  warmAt: number,
): Promise<number> {
  const once: LocalTraining = { ...training, epochs: 1, learningRate: TIMED_LEARNING_RATE };
  const known = new Map<number, Examples>();
  const run = async (steps: number): Promise<number> => {
    session.setParameters(startingPoint(network));
    const { batchSize } = training;
    const examples = known.get(steps) ?? syntheticExamples(network, steps * batchSize, batchSize);
    known.set(steps, examples);
    const startMs = performance.now();
    await session.train(examples, once, SEED, FREE);
    return performance.now() - startMs;
  };
  if (training.optimizer.kind !== 'sgd' || training.batchSize !== warmAt) await run(1);
  return (1000 * training.batchSize) / (await stepTime(run));
}

async function atMost<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow(limitMs)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // When it was late, closing the engine ends it; nobody else hears of that.
    work.catch(() => undefined);
  }
}

function tooSlow(limitMs: number): HushError {
  return new HushError('engine/too-slow', `Its first steps took more than ${limitMs / 1000} s.`);
}

function disagrees(by: number): HushError {
  return new HushError(
    'engine/disagrees',
    `It does not compute what cpu computes: off by ${by.toExponential(1)} of a step, expected at most ${MAX_DISAGREEMENT}.`,
  );
}
