/** Every engine against the port's contract, and against plain JavaScript. */
import * as tfl from '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Examples } from '../../src/core/dataset.ts';
import type { EngineName, EngineSession, TrainingControl, TrainingEngine } from '../../src/core/engine.ts';
import { HushError } from '../../src/core/errors.ts';
import { layersTopology } from '../../src/core/layersModel.ts';
import { networkOf, parameterLayout } from '../../src/core/modelSpec.ts';
import type { ModelSpec } from '../../src/core/modelSpec.ts';
import type { LocalTraining, OptimizerSpec } from '../../src/core/plan.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { initialise } from '../../src/update/initialise.ts';

const SPEC: ModelSpec = { architecture: 'mlp', inputs: 6, hidden: [8], outputs: 3, activation: 'relu' };
const SEED = SeededRandom.of(5).bytes(32);
const FREE: TrainingControl = { proceed: () => undefined, onProgress: () => undefined };

function training(changes: Partial<LocalTraining> = {}): LocalTraining {
  return { optimizer: { kind: 'sgd' }, learningRate: 0.2, batchSize: 8, epochs: 2, fedProxMu: 0, ...changes };
}

/** Three clouds in six dimensions: easy to learn, so that a wrong gradient shows. */
function clouds(count: number, seed = 1): Examples {
  const random = SeededRandom.of(seed);
  const labels = Uint8Array.from({ length: count }, () => random.below(3));
  const inputs = Float32Array.from({ length: count * 6 }, (_, i) => {
    const label = labels[Math.floor(i / 6)] ?? 0;
    return random.normal() + (i % 3 === label ? 2 : 0);
  });
  return { count, width: 6, inputs, inputScale: 0.5, labels };
}

async function trained(engine: TrainingEngine, rule: LocalTraining, spec = SPEC): Promise<ModelParameters> {
  const session = await engine.open(networkOf(spec));
  session.setParameters(initialise(spec, 1));
  await session.train(clouds(20), rule, SEED, FREE);
  const parameters = await session.parameters();
  session.close();
  return parameters;
}

/** Largest difference, relative to the largest change from the start. */
function disagreement(a: ModelParameters, b: ModelParameters, spec = SPEC): number {
  const start = initialise(spec, 1);
  const change = Math.max(...b.map((value, i) => Math.abs(value - (start[i] ?? 0))));
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? 0)))) / change;
}

/** Where the browser has WebGL 2 for it; everything else must be there. */
const WEBGL: readonly EngineName[] = new OffscreenCanvas(1, 1).getContext('webgl2', {
  failIfMajorPerformanceCaveat: true,
})
  ? ['webgl']
  : [];

describe.each<EngineName>(['cpu', 'wasm', 'webgpu', ...WEBGL])('the %s engine', (name) => {
  let engine: TrainingEngine;
  let session: EngineSession;

  beforeEach(async () => {
    engine = await openEngine(name);
    session = await engine.open(networkOf(SPEC));
    session.setParameters(initialise(SPEC, 1));
  });
  afterEach(() => engine.close());

  it('says who it is', () => {
    expect(engine.name).toBe(name);
    expect(engine.adapter).not.toBe('');
  });

  it('gives back the parameters that it was given', async () => {
    const given = SeededRandom.of(3);
    const parameters = initialise(SPEC, 1).map(() => given.normal()) as ModelParameters;
    session.setParameters(parameters);
    expect(await session.parameters()).toEqual(parameters);
    expect(() => session.setParameters(new Float32Array(5) as ModelParameters)).toThrow(
      expect.objectContaining({ code: 'engine/shape', message: expect.stringContaining('expected 83') }),
    );
  });

  it('learns, and its figures say so', async () => {
    const before = await session.evaluate(clouds(90, 2));
    const seen = await session.train(clouds(43), training({ epochs: 5 }), SEED, FREE);
    const after = await session.evaluate(clouds(90, 2));
    // A partial last batch is left out.
    expect(seen.samples).toBe(40);
    expect(after.samples).toBe(90);
    expect(after.lossSum).toBeLessThan(before.lossSum / 2);
    expect(after.correct).toBeGreaterThan(75);
    expect(seen.correct).toBeGreaterThan(30);
  });

  it('leaves no tensor behind', async () => {
    const round = async (): Promise<void> => {
      session.setParameters(await session.parameters());
      await session.evaluate(clouds(30, 2));
      for (const optimizer of OPTIMIZERS) {
        await session.train(clouds(16), training({ optimizer, fedProxMu: 0.1, epochs: 1 }), SEED, FREE);
      }
    };
    await round();
    const first = session.liveTensors();
    await round();
    await round();
    expect(session.liveTensors()).toBe(first);
    session.close();
    // One for each parameter block, no more.
    expect(session.liveTensors()).toBe(first - 4);
  });

  it('stops when told to, and can train again', async () => {
    const before = session.liveTensors();
    let steps = 0;
    const stopping: TrainingControl = {
      proceed: () => {
        if (++steps > 3) throw new HushError('engine/stopped', 'Training was stopped.');
      },
      onProgress: () => undefined,
    };
    const running = session.train(clouds(80), training(), SEED, stopping);
    await expect(running).rejects.toMatchObject({ code: 'engine/stopped' });
    expect(session.liveTensors()).toBe(before + 4);
    session.setParameters(initialise(SPEC, 1));
    await session.train(clouds(20), training(), SEED, FREE);
    expect(disagreement(await session.parameters(), await trained(engine, training()))).toBe(0);
  });

  it('waits while it is paused', async () => {
    const fractions: number[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let reached = (): void => undefined;
    const atGate = new Promise<void>((resolve) => (reached = resolve));
    let steps = 0;
    const running = session.train(clouds(40), training(), SEED, {
      proceed: () => {
        if (++steps !== 4) return undefined;
        reached();
        return gate;
      },
      onProgress: ({ fraction }) => void fractions.push(fraction),
    });
    await atGate;
    expect(steps).toBe(4);
    expect(fractions.every((fraction) => fraction <= 0.3)).toBe(true);
    open();
    await running;
    expect(steps).toBe(10);
    expect(fractions.at(-1)).toBe(1);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  it.each([NaN, 1e30])('notices that training with the learning rate %s diverges', async (learningRate) => {
    const running = session.train(clouds(40), training({ learningRate }), SEED, FREE);
    await expect(running).rejects.toMatchObject({ code: 'engine/not-finite' });
  });

  it('refuses examples that do not fit the model', async () => {
    const wide: Examples = { ...clouds(4), width: 7 };
    await expect(session.evaluate(wide)).rejects.toMatchObject({ code: 'engine/shape' });
    const labels: Examples = { ...clouds(4), labels: new Uint8Array([0, 1, 2, 3]) };
    await expect(session.train(labels, training(), SEED, FREE)).rejects.toMatchObject({
      code: 'engine/shape',
      message: expect.stringContaining('label is 3, expected 0 to 2'),
    });
    await expect(session.train(clouds(0), training(), SEED, FREE)).rejects.toMatchObject({ code: 'engine/no-data' });
    expect(await session.evaluate(clouds(0))).toEqual({ lossSum: 0, correct: 0, samples: 0 });
  });

  it('refuses work once it is closed', async () => {
    session.close();
    await expect(session.parameters()).rejects.toMatchObject({ code: 'engine/closed' });
  });

  it('trains on fewer examples than a batch', async () => {
    expect(await session.train(clouds(5), training(), SEED, FREE)).toMatchObject({ samples: 5 });
  });
});

const OPTIMIZERS: readonly OptimizerSpec[] = [{ kind: 'sgd' }, { kind: 'momentum', momentum: 0.9 }, { kind: 'adam' }];

describe.each<EngineName>(['wasm', 'webgpu', ...WEBGL])('the %s engine beside cpu', (name) => {
  async function compared(rule: LocalTraining, spec = SPEC): Promise<number> {
    const results: ModelParameters[] = [];
    for (const each of ['cpu', name] as const) {
      const engine = await openEngine(each);
      results.push(await trained(engine, rule, spec));
      engine.close();
    }
    return disagreement(results[1]!, results[0]!, spec);
  }

  it.each(OPTIMIZERS)('takes the same steps with $kind', async (optimizer) => {
    const rate = optimizer.kind === 'adam' ? 0.01 : 0.05;
    expect(await compared(training({ optimizer, learningRate: rate, fedProxMu: 0.1 }))).toBeLessThan(1e-3);
  });

  it.each(['relu', 'tanh', 'sigmoid'] as const)('takes the same steps through %s', async (activation) => {
    expect(await compared(training(), { ...SPEC, activation, hidden: [8, 5] })).toBeLessThan(1e-4);
  });
});

describe('the cpu engine', () => {
  let engine: TrainingEngine;
  beforeEach(async () => {
    engine = await openEngine('cpu');
  });
  afterEach(() => engine.close());

  it('repeats itself for the same seed, and not for another', async () => {
    const session = await engine.open(networkOf(SPEC));
    const run = async (seed: Uint8Array<ArrayBuffer>): Promise<ModelParameters> => {
      session.setParameters(initialise(SPEC, 1));
      await session.train(clouds(40), training(), seed, FREE);
      return await session.parameters();
    };
    expect(await run(SEED)).toEqual(await run(SEED));
    expect(await run(SEED)).not.toEqual(await run(SeededRandom.of(6).bytes(32)));
  });

  it('is held back by the proximal term', async () => {
    const start = initialise(SPEC, 1);
    const distance = async (fedProxMu: number): Promise<number> => {
      const parameters = await trained(engine, training({ fedProxMu, epochs: 10 }));
      return Math.hypot(...parameters.map((value, i) => value - (start[i] ?? 0)));
    };
    expect(await distance(1)).toBeLessThan((await distance(0)) / 2);
  });

  it('takes the gradients that automatic differentiation of the tfjs layers model takes', async () => {
    const spec: ModelSpec = { ...SPEC, hidden: [7, 4], activation: 'tanh' };
    const examples = clouds(12);
    const ours = await trainedOnce(engine, spec, examples);

    const model = await tfl.models.modelFromJSON({ modelTopology: layersTopology(spec) } as never);
    const start = initialise(spec, 1);
    model.setWeights(
      parameterLayout(spec).blocks.map(({ shape, offset, length }) =>
        tf.tensor(start.slice(offset, offset + length), [...shape]),
      ),
    );
    model.compile({ optimizer: tf.train.sgd(0.2), loss: 'sparseCategoricalCrossentropy' });
    const inputs = examples.inputs.map((value) => value * examples.inputScale);
    await model.trainOnBatch(tf.tensor2d(inputs as Float32Array, [12, 6]), tf.tensor1d([...examples.labels]));
    const theirs = (await Promise.all(model.getWeights().map((weight) => weight.data()))).flatMap((block) => [
      ...block,
    ]);
    expect(disagreement(ours, Float32Array.from(theirs) as ModelParameters, spec)).toBeLessThan(1e-4);
    model.dispose();
  });

  it('counts a sample that is all wrong at most 64', async () => {
    const spec: ModelSpec = { architecture: 'mlp', inputs: 1, hidden: [], outputs: 2, activation: 'relu' };
    const session = await engine.open(networkOf(spec));
    session.setParameters(new Float32Array([1000, -1000, 0, 0]) as ModelParameters);
    const wrong: Examples = {
      count: 2,
      width: 1,
      inputs: new Float32Array([1, 1]),
      inputScale: 1,
      labels: new Uint8Array([1, 0]),
    };
    const figures = await session.evaluate(wrong);
    expect(figures).toMatchObject({ correct: 1, samples: 2 });
    expect(figures.lossSum).toBeCloseTo(64, 3);
  });
});

async function trainedOnce(engine: TrainingEngine, spec: ModelSpec, examples: Examples): Promise<ModelParameters> {
  const session = await engine.open(networkOf(spec));
  session.setParameters(initialise(spec, 1));
  await session.train(examples, training({ batchSize: examples.count, epochs: 1 }), SEED, FREE);
  return await session.parameters();
}
