/** Real learning on real digits, and the choice of an engine on this machine. */
import { expect, it } from 'vitest';
import type { EngineName, TrainingControl } from '../../src/core/engine.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import type { LocalTraining } from '../../src/core/plan.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { PublicDataSource } from '../../src/data/publicDataset.ts';
import { chooseEngine } from '../../src/engine/choose.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { webglOperationsPerSecond } from '../../src/engine/webglArithmetic.ts';
import { initialise } from '../../src/update/initialise.ts';
import { digitsPlan } from '../reference/digitsPlan.ts';

const FREE: TrainingControl = { proceed: () => undefined, onProgress: () => undefined };

it('wasm learns the digits to more than 90 % in three epochs', async () => {
  const { model, training } = digitsPlan({ hidden: [128] });
  const all = { index: 0, count: 1, split: { kind: 'iid' }, seed: 1 } as const;
  const data = await new PublicDataSource(digitsPlan({ hidden: [128] }), all, (path) => fetch(path)).load();
  const engine = await openEngine('wasm');
  const session = await engine.open(networkOf(model));
  session.setParameters(initialise(model, 1));
  const seed = SeededRandom.of(1).bytes(32);
  const losses: number[] = [];
  for (let epoch = 0; epoch < 3; epoch++) {
    const { lossSum, samples } = await session.train(data.training, training, seed, FREE);
    losses.push(lossSum / samples);
  }
  const test = await session.evaluate(data.test);
  engine.close();
  expect(test.samples).toBe(2000);
  expect(test.correct / test.samples).toBeGreaterThan(0.9);
  expect(losses).toEqual([...losses].sort((a, b) => b - a));
});

it('engines of our own go where cpu goes on the plan of the digits', async () => {
  const plan = digitsPlan({ hidden: [128] });
  const { model, training } = plan;
  const shard = { index: 0, count: 20, split: { kind: 'iid' }, seed: 1 } as const;
  const data = await new PublicDataSource(plan, shard, (path) => fetch(path)).load();
  const before = initialise(model, 1);
  const deltaBy = async (name: EngineName): Promise<Float32Array> => {
    const engine = await openEngine(name);
    const session = await engine.open(networkOf(model));
    session.setParameters(before);
    await session.train(data.training, training, SeededRandom.of(1).bytes(32), FREE);
    const after = await session.parameters();
    engine.close();
    return after.map((value, i) => value - (before[i] ?? 0));
  };
  const expected = await deltaBy('cpu');
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const name of ['compiled-wasm', 'compiled-webgpu'] as const) {
    const delta = await deltaBy(name);
    const furthest = delta.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? 0))), 0);
    expect(furthest / largest, name).toBeLessThanOrEqual(1e-3);
  }
});

it('every engine that is chosen from agrees with cpu, and the fastest is taken', async () => {
  const network = networkOf({ architecture: 'mlp', inputs: 32, hidden: [16], outputs: 4, activation: 'relu' });
  const training: LocalTraining = {
    optimizer: { kind: 'momentum', momentum: 0.9 },
    learningRate: 0.05,
    batchSize: 16,
    epochs: 1,
    fedProxMu: 0,
  };
  const { choice, engine } = await chooseEngine({ network, training, open: openEngine, machine: 'here' });
  const usable = choice.candidates.filter((candidate) => candidate.usable);
  expect(usable.map(({ name }) => name)).toEqual(expect.arrayContaining(['wasm', 'cpu']));
  for (const { disagreement, firstStepMs, samplesPerSecond } of usable) {
    expect(disagreement).toBeLessThanOrEqual(1e-3);
    expect(firstStepMs).toBeGreaterThan(0);
    expect(samplesPerSecond).toBeGreaterThan(0);
  }
  expect(choice.samplesPerSecond).toBe(Math.max(...usable.map((candidate) => candidate.samplesPerSecond)));
  expect(engine.name).toBe(choice.engine);
  engine.close();
});

it('an engine that cannot train a layer is passed over, with the layer in its reason', async () => {
  const network = networkOf({ architecture: 'lenet', height: 8, width: 8, channels: 1, outputs: 4 });
  const training: LocalTraining = {
    optimizer: { kind: 'sgd' },
    learningRate: 0.05,
    batchSize: 4,
    epochs: 1,
    fedProxMu: 0,
  };
  const { choice, engine } = await chooseEngine({ network, training, open: openEngine, machine: 'here' });
  engine.close();
  const wasm = choice.candidates.find(({ name }) => name === 'wasm');
  expect(wasm).toMatchObject({ usable: false, reason: expect.stringContaining('cannot train layer 0, conv2d') });
  expect(choice.engine).not.toBe('wasm');
});

it('a quick look at WebGL gives a plausible rate, and 0 without WebGL', () => {
  const rate = webglOperationsPerSecond();
  const isThere = new OffscreenCanvas(1, 1).getContext('webgl2') !== null;
  if (isThere) expect(rate).toBeGreaterThan(1e7);
  else expect(rate).toBe(0);
  // A petaflop would mean that nothing was drawn.
  expect(rate).toBeLessThan(1e15);
});
