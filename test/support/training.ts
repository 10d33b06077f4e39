/** Short trainings for tests of engines, and how far their outcomes are apart. */
import { expect } from 'vitest';
import type { Examples } from '../../src/core/dataset.ts';
import type { TrainingControl, TrainingEngine } from '../../src/core/engine.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { Network } from '../../src/core/network.ts';
import type { LocalTraining, OptimizerSpec } from '../../src/core/plan.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { someExamples, someParameters } from './networks.ts';

export const SEED = SeededRandom.of(5).bytes(32);
export const FREE: TrainingControl = { proceed: () => undefined, onProgress: () => undefined };

export function training(changes: Partial<LocalTraining> = {}): LocalTraining {
  return { optimizer: { kind: 'sgd' }, learningRate: 0.2, batchSize: 8, epochs: 2, fedProxMu: 0, ...changes };
}

export const OPTIMIZERS: readonly (Partial<LocalTraining> & { readonly optimizer: OptimizerSpec })[] = [
  { optimizer: { kind: 'sgd' }, learningRate: 0.05 },
  { optimizer: { kind: 'momentum', momentum: 0.9 }, learningRate: 0.02 },
  { optimizer: { kind: 'adam' }, learningRate: 0.003 },
  { optimizer: { kind: 'adamw', weightDecay: 0.1 }, learningRate: 0.003 },
];

/** Large, so that little of the gradient is lost when the step is added to a parameter; a power of two rounds nothing. */
const GRADIENT_RATE = 64;

/**
 * Of the mean loss over all `examples` in one batch; in place of a statistic's gradient its new value. `optimizer` is one
 * whose first step is the gradient.
 */
export async function gradientOf(
  engine: TrainingEngine,
  network: Network,
  examples: Examples,
  start: ModelParameters,
  optimizer: OptimizerSpec & { readonly kind: 'sgd' | 'momentum' } = { kind: 'sgd' },
): Promise<Float32Array> {
  const session = await engine.open(network);
  try {
    session.setParameters(start);
    const once = training({ optimizer, learningRate: GRADIENT_RATE, batchSize: examples.count, epochs: 1 });
    await session.train(examples, once, SEED, FREE);
    const after = await session.parameters();
    const isStatistic = new Uint8Array(after.length);
    for (const { role, offset, length } of placeNetwork(network).layout.blocks) {
      if (role === 'statistic') isStatistic.fill(1, offset, offset + length);
    }
    return after.map((value, i) => (isStatistic[i] ? value : ((start[i] ?? 0) - value) / GRADIENT_RATE));
  } finally {
    session.close();
  }
}

/** Some gradients are 0 but for rounding, as a bias's before a normalisation: of the largest block this much is nothing. */
const NEGLIGIBLE = 0.01;

/** The largest difference in each block is at most `tolerance` of the block's largest value. */
export function expectSameBlocks(
  network: Network,
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-4,
): void {
  const { blocks, length } = placeNetwork(network).layout;
  expect(got.length).toBe(length);
  const within = (values: ArrayLike<number>, from: number, to: number): number[] => Array.from(values).slice(from, to);
  const largest = (values: readonly number[]): number =>
    values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const least = NEGLIGIBLE * largest(Array.from(expected));
  for (const { name, offset, length } of blocks) {
    const right = within(expected, offset, offset + length);
    const off = within(got, offset, offset + length).map((value, i) => value - (right[i] ?? NaN));
    const scale = Math.max(largest(right), least);
    const worst = off.some(Number.isNaN) ? NaN : largest(off) / scale;
    if (!(worst <= tolerance)) expect.fail(`${name} is off by ${worst} of its largest value ${scale}`);
  }
}

export interface Curve {
  /** Sum of the losses in the epoch that ended after so many steps. */
  readonly losses: readonly number[];
  readonly correct: readonly number[];
  /** After the last step. */
  readonly parameters: ModelParameters;
  readonly start: ModelParameters;
}

const STEPS_PER_EPOCH = 5;
/** The last one ends with step 20. */
const EPOCHS = [1, 4];
export const CURVE_BATCH = 5;

export async function curveOf(
  engine: TrainingEngine,
  network: Network,
  changes: Partial<LocalTraining>,
): Promise<Curve> {
  const session = await engine.open(network);
  try {
    const start = someParameters(network);
    const examples = someExamples(network, CURVE_BATCH * STEPS_PER_EPOCH + 1);
    const losses: number[] = [];
    const correct: number[] = [];
    for (const epochs of EPOCHS) {
      session.setParameters(start);
      const rule = training({ batchSize: CURVE_BATCH, epochs, ...changes });
      const figures = await session.train(examples, rule, SEED, FREE);
      losses.push(figures.lossSum);
      correct.push(figures.correct);
    }
    return { losses, correct, parameters: await session.parameters(), start };
  } finally {
    session.close();
  }
}

export function expectSameCurve(network: Network, got: Curve, expected: Curve, tolerance = 1e-4): void {
  got.losses.forEach((loss, i) => {
    const right = expected.losses[i] ?? NaN;
    expect(Math.abs(loss - right) / Math.abs(right)).toBeLessThanOrEqual(tolerance);
  });
  expect(got.correct).toEqual(expected.correct);
  const moved = (curve: Curve): number[] => Array.from(curve.parameters, (value, i) => value - (curve.start[i] ?? 0));
  expectSameBlocks(network, moved(got), moved(expected), tolerance);
}
