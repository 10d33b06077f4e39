/** Finds out about one engine: does it compute what plain JavaScript computes, and how fast does it train this model? */
import type { EngineCandidate, EngineName, EngineSession, TrainingControl, TrainingEngine } from '../core/engine.ts';
import { HushError } from '../core/errors.ts';
import type { Network } from '../core/network.ts';
import type { LocalTraining } from '../core/plan.ts';
import { disagreementOf, MAX_DISAGREEMENT, parityRun } from './parity.ts';
import type { Reference } from './parity.ts';
import { SEED, startingPoint, syntheticExamples } from './syntheticTask.ts';

/** Noise is not for learning: the plan's own rate could diverge on it. */
const TIMED_LEARNING_RATE = 1e-4;
const TIMED_MS = 100;
const MAX_TIMED_STEPS = 30;
/** A step that takes so long is measured well enough by itself. */
const LONG_STEP_MS = 250;

const CONTROL: TrainingControl = { proceed: () => undefined, onProgress: () => undefined };

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
    const samplesPerSecond = await atMost(limitMs, timeSteps(session, network, training, run.batchSize));
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

/**
 * Samples a second of real local training, gathering included; the read-back that ends one is taken off. `warmAt`: the
 * batch size at which plain descent is warm.
 */
async function timeSteps(
  session: EngineSession,
  network: Network,
  training: LocalTraining,
  warmAt: number,
): Promise<number> {
  const once: LocalTraining = { ...training, epochs: 1, learningRate: TIMED_LEARNING_RATE };
  const run = async (steps: number): Promise<number> => {
    session.setParameters(startingPoint(network));
    const examples = syntheticExamples(network, steps * training.batchSize);
    const startMs = performance.now();
    await session.train(examples, once, SEED, CONTROL);
    return performance.now() - startMs;
  };
  if (training.optimizer.kind !== 'sgd' || training.batchSize !== warmAt) await run(1);
  const oneMs = await run(1);
  if (oneMs > LONG_STEP_MS) return (1000 * training.batchSize) / oneMs;
  let steps = Math.max(2, Math.min(MAX_TIMED_STEPS, Math.ceil(TIMED_MS / oneMs)));
  let tookMs = await run(steps);
  if (tookMs < 1.5 * oneMs && steps < MAX_TIMED_STEPS) {
    // That was the read-back's latency, 100 ms in Firefox, and says nothing about a step.
    steps = MAX_TIMED_STEPS;
    tookMs = await run(steps);
  }
  const stepMs = Math.max(tookMs - oneMs, tookMs / 4) / (steps - 1);
  return (1000 * training.batchSize) / stepMs;
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
