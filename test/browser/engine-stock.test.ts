/** Stock tfjs, which our engines are compared with, trains the very same models: otherwise it is no comparison. */
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineName, TrainingEngine } from '../../src/core/engine.ts';
import type { LocalTraining } from '../../src/core/plan.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { openStockEngine } from '../../src/engine/stock/stockEngine.ts';
import { BENCH_MODELS, noise, startingPoint } from '../../tools/bench/train/models.ts';
import type { ModelName } from '../../tools/bench/train/models.ts';
import { FREE, SEED, training } from '../support/training.ts';

const BATCH = 4;
const STEPS = 3;

const opened: TrainingEngine[] = [];

afterEach(() => {
  for (const engine of opened.splice(0)) engine.close();
});

async function trained(
  open: (name: EngineName) => Promise<TrainingEngine>,
  name: ModelName,
  changes: Partial<LocalTraining>,
) {
  const engine = await open('cpu');
  opened.push(engine);
  const model = BENCH_MODELS[name];
  const session = await engine.open(model.network);
  session.setParameters(startingPoint(model));
  const examples = noise(model, BATCH * STEPS);
  const figures = await session.train(examples, training({ batchSize: BATCH, epochs: 1, ...changes }), SEED, FREE);
  const [evaluated, outputs] = [await session.evaluate(examples), await session.predict(examples)];
  return { parameters: await session.parameters(), figures, evaluated, outputs };
}

/** Of the largest change that training made. */
function disagreement(name: ModelName, got: ModelParameters, expected: ModelParameters): number {
  const start = startingPoint(BENCH_MODELS[name]);
  let [off, change] = [0, 0];
  expected.forEach((value, i) => {
    off = Math.max(off, Math.abs((got[i] ?? Number.NaN) - value));
    change = Math.max(change, Math.abs(value - (start[i] ?? 0)));
  });
  expect(change).toBeGreaterThan(0);
  return off / change;
}

/** Of the largest value. */
function apart(got: Float32Array, expected: Float32Array): number {
  const off = expected.map((value, i) => Math.abs(value - (got[i] ?? Number.NaN)));
  return Math.max(...off) / Math.max(...expected.map(Math.abs));
}

describe('stock tfjs', () => {
  it.each<[ModelName, Partial<LocalTraining>]>([
    ['mlp', { learningRate: 0.1 }],
    ['mlp', { learningRate: 0.1, optimizer: { kind: 'momentum', momentum: 0.9 } }],
    ['lenet', { learningRate: 0.1 }],
    ['gpt', { learningRate: 0.1 }],
    ['lstm', { learningRate: 0.1 }],
  ])('trains the %s as our engine on plain JavaScript does, with %j', async (name, changes) => {
    const stock = await trained(openStockEngine, name, changes);
    const ours = await trained(openEngine, name, changes);
    expect(disagreement(name, stock.parameters, ours.parameters)).toBeLessThan(1e-3);
    expect(stock.evaluated.samples).toBe(ours.evaluated.samples);
    expect(stock.evaluated.correct).toBe(ours.evaluated.correct);
    expect(stock.evaluated.lossSum / ours.evaluated.lossSum).toBeCloseTo(1, 4);
    expect(stock.outputs).toHaveLength(ours.outputs.length);
    expect(apart(stock.outputs, ours.outputs)).toBeLessThan(1e-3);
    // Of the last batch alone.
    expect(stock.figures.samples).toBe(ours.figures.samples / STEPS);
    expect(stock.figures.lossSum / stock.figures.samples).toBeGreaterThan(0);
  });

  it('leaves no tensor behind', async () => {
    const engine = await openStockEngine('cpu');
    opened.push(engine);
    const model = BENCH_MODELS.gpt;
    const session = await engine.open(model.network);
    const round = async (): Promise<number> => {
      session.setParameters(startingPoint(model));
      await session.train(noise(model, 2), training({ batchSize: 1, epochs: 1 }), SEED, FREE);
      return session.liveTensors();
    };
    const live = await round();
    expect(await round()).toBe(live);
  });

  it('says what it has not', async () => {
    await expect(openStockEngine('compiled-webgpu')).rejects.toMatchObject({ code: 'engine/unavailable' });
    await expect(
      trained(openStockEngine, 'mlp', { optimizer: { kind: 'adamw', weightDecay: 0.1 } }),
    ).rejects.toMatchObject({ code: 'engine/unavailable', message: 'Stock tfjs has no optimizer with AdamW.' });
    const engine = await openStockEngine('cpu');
    opened.push(engine);
    const { network } = BENCH_MODELS.mlp;
    const layers = [{ kind: 'dropout', rate: 0.5 } as const, ...network.layers];
    await expect((async () => engine.open({ ...network, layers }))()).rejects.toMatchObject({
      code: 'engine/unavailable',
      message: 'Stock tfjs is not set up here for "dropout".',
    });
  });
});
