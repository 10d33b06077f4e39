/** Finds out about one engine: does it compute what plain JavaScript computes, and how fast does it train this model? */
import type { Bytes } from '../core/bytes.ts';
import type { Examples } from '../core/dataset.ts';
import type { EngineCandidate, EngineName, EngineSession, TrainingControl, TrainingEngine } from '../core/engine.ts';
import { HushError } from '../core/errors.ts';
import { placeNetwork, sizeOf } from '../core/layerShapes.ts';
import type { Network } from '../core/network.ts';
import type { LocalTraining } from '../core/plan.ts';
import { SeededRandom } from '../core/seededRandom.ts';
import type { ModelParameters } from '../core/updateStages.ts';

/** Of the largest change of a parameter. Float32 in another order gives 1e-6; half precision or a wrong kernel, 1e-2. */
const MAX_DISAGREEMENT = 1e-3;
const PARITY_STEPS = 2;
/** Few, for plain JavaScript's sake; but the plan's own number where it can be, since WebGL compiles for each shape. */
const MAX_PARITY_ROWS = 64;
const PARITY_LEARNING_RATE = 0.1;
/** Noise is not for learning: the plan's own rate could diverge on it. */
const TIMED_LEARNING_RATE = 1e-4;
const TIMED_MS = 100;
const MAX_TIMED_STEPS = 30;

const SEED: Bytes = SeededRandom.of(7).bytes(32);
const CONTROL: TrainingControl = { proceed: () => undefined, onProgress: () => undefined };

/** Where the parity steps lead. */
interface ParityRun {
  readonly before: ModelParameters;
  readonly after: ModelParameters;
  readonly samples: number;
  /** The engine's very first steps, so that whatever is compiled is in it. */
  readonly tookMs: number;
}

/** Plain JavaScript's parity run. */
export interface Reference extends ParityRun {
  readonly adapter: string;
  /** Over its first steps, before it is warm: roughly half of what it reaches. */
  readonly samplesPerSecond: number;
}

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

/** @throws HushError `engine/…`: without plain JavaScript's word for it, no engine is trusted. */
export async function referenceRun({
  network,
  training,
  open,
}: Pick<ProbeOptions, 'network' | 'training' | 'open'>): Promise<Reference> {
  const engine = await open('cpu');
  try {
    const run = await parityRun(await engine.open(network), network, training);
    return { ...run, adapter: engine.adapter, samplesPerSecond: (1000 * run.samples) / run.tookMs };
  } finally {
    engine.close();
  }
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
    const run = await atMost(limitMs, parityRun(session, network, training));
    const disagreement = disagreementOf(run.after, reference);
    found = { ...found, firstStepMs: run.tookMs, disagreement };
    if (run.tookMs > limitMs) throw tooSlow(limitMs);
    if (!(disagreement <= MAX_DISAGREEMENT)) throw disagrees(disagreement);
    const samplesPerSecond = await atMost(limitMs, timeSteps(session, network, training));
    session.close();
    const agreement = name === 'cpu' ? '' : `, agreeing with cpu to ${disagreement.toExponential(1)} of a step`;
    const reason = `${Math.round(samplesPerSecond)} samples/s on this model, first step after ${Math.round(run.tookMs)} ms${agreement}.`;
    return { candidate: { ...found, usable: true, samplesPerSecond, reason }, engine };
  } catch (thrown) {
    engine?.close();
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return { candidate: { ...found, reason }, engine: undefined };
  }
}

async function parityRun(session: EngineSession, network: Network, training: LocalTraining): Promise<ParityRun> {
  const before = startingPoint(network);
  const batchSize = Math.min(training.batchSize, MAX_PARITY_ROWS);
  const samples = PARITY_STEPS * batchSize;
  const examples = syntheticExamples(network, samples);
  const startMs = performance.now();
  session.setParameters(before);
  await session.train(
    examples,
    { optimizer: { kind: 'sgd' }, learningRate: PARITY_LEARNING_RATE, batchSize, epochs: 1, fedProxMu: 0 },
    SEED,
    CONTROL,
  );
  const after = await session.parameters();
  return { before, after, samples, tookMs: Math.max(performance.now() - startMs, 0.01) };
}

function disagreementOf(after: ModelParameters, reference: ParityRun): number {
  let difference = 0;
  let change = 0;
  reference.after.forEach((expected, i) => {
    difference = Math.max(difference, Math.abs((after[i] ?? NaN) - expected));
    change = Math.max(change, Math.abs(expected - (reference.before[i] ?? 0)));
  });
  return difference / change;
}

/** Samples a second of real local training, gathering included; the read-back that ends one is taken off. */
async function timeSteps(session: EngineSession, network: Network, training: LocalTraining): Promise<number> {
  const once: LocalTraining = { ...training, epochs: 1, learningRate: TIMED_LEARNING_RATE };
  const run = async (steps: number): Promise<number> => {
    session.setParameters(startingPoint(network));
    const examples = syntheticExamples(network, steps * training.batchSize);
    const startMs = performance.now();
    await session.train(examples, once, SEED, CONTROL);
    return performance.now() - startMs;
  };
  // The parity steps have warmed plain descent up already, at this very shape.
  if (training.optimizer.kind !== 'sgd' || training.batchSize > MAX_PARITY_ROWS) await run(1);
  const oneMs = await run(1);
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

/** Uniform as the layout's initialisers say; for measuring only. */
function startingPoint(network: Network): ModelParameters {
  const random = SeededRandom.of(1);
  const { blocks, length } = placeNetwork(network).layout;
  const parameters = new Float32Array(length);
  for (const { offset, length, initialiser } of blocks) {
    if (initialiser.kind === 'ones') parameters.fill(1, offset, offset + length);
    if (initialiser.kind !== 'uniform') continue;
    for (let i = offset; i < offset + length; i++) parameters[i] = (2 * random.uniform() - 1) * initialiser.limit;
  }
  return parameters as ModelParameters;
}

function syntheticExamples(network: Network, count: number): Examples {
  const random = SeededRandom.of(2);
  const { input, output, targets } = placeNetwork(network);
  const width = sizeOf(input);
  const source = network.input;
  const inputs =
    source.kind === 'tokens'
      ? Int32Array.from({ length: count * width }, () => random.below(source.vocabulary))
      : Uint8Array.from({ length: count * width }, () => random.uint32() >>> 24);
  // Classes of a softmax; 0 and 1 are right targets for the other losses.
  const classes = network.loss === 'softmax-cross-entropy' ? (output.at(-1) ?? 1) : 2;
  const labels = Int32Array.from({ length: count * targets }, () => random.below(classes));
  return { count, width, inputs, inputScale: source.kind === 'tokens' ? 1 : 1 / 255, labels, labelWidth: targets };
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
