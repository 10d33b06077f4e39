/** Models with Keras layers that have no kernels of ours train, predict and are saved as stock tfjs layers has them. */
import type * as tfjs from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Examples } from '../../src/core/dataset.ts';
import type { TrainingEngine } from '../../src/core/engine.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import { layersModelFiles } from '../../src/core/layersModel.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import type { Weights } from '../../src/core/kerasModel.ts';
import { dropsValues } from '../../src/core/network.ts';
import type { Network } from '../../src/core/network.ts';
import { networkExamples } from '../../src/core/normalisation.ts';
import { planLayout, planNetwork } from '../../src/core/planLayout.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { samplePlan } from '../reference/samplePlan.ts';
import { KERAS_MODELS, savedKeras } from '../support/kerasModels.ts';
import type { SavedKeras } from '../support/kerasModels.ts';
import { someExamples, someParameters } from '../support/networks.ts';
import { expectSameBlocks, FREE, SEED, training } from '../support/training.ts';

// Its ESM has imports without extensions, which Node does not resolve.
const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tfjs;

const ROWS = 6;
const LOSSES = {
  'softmax-cross-entropy': 'sparseCategoricalCrossentropy',
  'binary-cross-entropy': 'binaryCrossentropy',
  'mean-squared-error': 'meanSquaredError',
} as const;

let engine: TrainingEngine;
beforeAll(async () => {
  engine = await openEngine('cpu');
});
afterAll(() => engine.close());

/** A stock model of the same file, with these weights. */
async function stock({ json, model }: SavedKeras, parameters: Float32Array): Promise<tfjs.LayersModel> {
  const { modelTopology, weightsManifest } = JSON.parse(json) as tfjs.io.ModelJSON;
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  expect(weightSpecs.map(({ name, shape }) => ({ name, shape }))).toEqual(model.weights);
  return await tf.loadLayersModel(
    tf.io.fromMemory({ modelTopology, weightSpecs, weightData: new Float32Array(parameters).buffer }),
  );
}

/** In the order of the file. */
function weightsOf({ model }: SavedKeras, built: tfjs.LayersModel): number[] {
  const byName = new Map(built.weights.map((weight) => [weight.originalName, weight]));
  return (model.weights ?? []).flatMap(({ name }) => [...(byName.get(name)?.read().dataSync() ?? [])]);
}

function inputsOf(network: Network, { inputs, inputScale, count }: Examples): tfjs.Tensor {
  const values = Float32Array.from(inputs, (value) => value * inputScale);
  return tf.tensor(values, [count, ...placeNetwork(network).input]);
}

function targetsOf(network: Network, { labels, count }: Examples): tfjs.Tensor {
  const { output } = placeNetwork(network);
  const isClass = network.loss === 'softmax-cross-entropy';
  return tf.tensor(labels, [count, ...(isClass ? [...output.slice(0, -1), 1] : output)]);
}

describe.each(Object.entries(KERAS_MODELS))('a model of %s', (_, build) => {
  let saved: SavedKeras;
  let network: Network;
  let start: ModelParameters;
  beforeAll(async () => {
    saved = await savedKeras(tf, build(tf));
    network = networkOf(saved.model);
    start = someParameters(network, 3);
  });

  it('takes the 20 steps that tfjs layers takes, to the same loss', async () => {
    const examples = someExamples(network, ROWS);
    const session = await engine.open(network);
    session.setParameters(start);
    const rule = training({ learningRate: 0.1, batchSize: ROWS, epochs: 20 });
    const seen = await session.train(examples, rule, SEED, FREE);
    const ours = await session.parameters();
    session.close();

    const model = await stock(saved, start);
    model.compile({ optimizer: tf.train.sgd(0.1), loss: LOSSES[network.loss] });
    const [inputs, targets] = [inputsOf(network, examples), targetsOf(network, examples)];
    let loss = 0;
    for (let step = 0; step < 20; step++) loss = (await model.trainOnBatch(inputs, targets)) as number;
    expectSameBlocks(network, ours, weightsOf(saved, model));
    expect(seen.lossSum / seen.samples).toBeCloseTo(loss, 4);
    model.dispose();
  });

  it('predicts what tfjs layers predicts, from the files that it is saved in too', async () => {
    const examples = someExamples(network, 5, 2);
    const session = await engine.open(network);
    session.setParameters(start);
    const outputs = await session.predict(examples);
    session.close();
    const given = tf.tensor(outputs, [5, ...placeNetwork(network).output]);
    const ours = [...(network.loss === 'softmax-cross-entropy' ? tf.softmax(given) : tf.sigmoid(given)).dataSync()];

    const plan = { ...samplePlan(), model: saved.model };
    const { modelJson, weights } = layersModelFiles(plan, start, {});
    const { modelTopology, weightsManifest } = JSON.parse(modelJson) as tfjs.io.ModelJSON;
    const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
    const files = tf.io.fromMemory({ modelTopology, weightSpecs, weightData: weights.buffer });
    for (const model of [await stock(saved, start), await tf.loadLayersModel(files)]) {
      const expected = [...(model.predict(inputsOf(network, examples)) as tfjs.Tensor).dataSync()];
      expect(ours).toHaveLength(expected.length);
      expected.forEach((value, i) => expect(ours[i]).toBeCloseTo(value, 5));
      model.dispose();
    }
  });

  it('leaves nothing behind', async () => {
    const round = async (): Promise<number> => {
      const session = await engine.open(network);
      session.setParameters(start);
      await session.train(someExamples(network, 6), training({ batchSize: 3 }), SEED, FREE);
      await session.evaluate(someExamples(network, 6));
      session.close();
      return session.liveTensors();
    };
    const first = await round();
    expect(await round()).toBe(first);
  });

  it('leaves as it is, bit for bit, what a plan freezes', async () => {
    const frozen = placeNetwork(network)
      .layout.blocks.slice(0, 4)
      .map(({ name }) => name.split('/')[0] ?? '');
    const partly = planNetwork({ model: saved.model, training: { frozen } });
    const session = await engine.open(partly);
    session.setParameters(start);
    await session.train(
      someExamples(partly, 6),
      training({ batchSize: 3, fedProxMu: 0.1, maxGradientNorm: 1 }),
      SEED,
      FREE,
    );
    const after = await session.parameters();
    session.close();
    for (const { role, offset, length, name } of placeNetwork(partly).layout.blocks) {
      const [before, now] = [start, after].map((values) => values.slice(offset, offset + length));
      expect(role === 'frozen').toBe(frozen.includes(name.split('/')[0] ?? ''));
      if (role === 'frozen') expect(now).toEqual(before);
      else expect(now).not.toEqual(before);
    }
  });
});

/** Trains one batch as tfjs layers would run it, and as our own kernels do. */
async function bothWays(built: tfjs.LayersModel): Promise<void> {
  const { model: own, json } = await savedKeras(tf, built);
  const weights = placeNetwork(networkOf(own)).layout.blocks.map(({ name, shape }) => ({ name, shape: [...shape] }));
  expect(own.weights).toBeUndefined();
  expect(json).toContain(weights[0]?.name);
  const [network, byKernels] = [networkOf({ ...own, weights }), networkOf(own)];
  const start = someParameters(byKernels, 3);
  const outcomes: ModelParameters[] = [];
  for (const each of [network, byKernels]) {
    const session = await engine.open(each);
    session.setParameters(start);
    const rule = training({ optimizer: { kind: 'adam' }, learningRate: 0.01, batchSize: 3, fedProxMu: 0.1 });
    await session.train(someExamples(each, 9), { ...rule, maxGradientNorm: 0.5 }, SEED, FREE);
    outcomes.push(await session.parameters());
    session.close();
  }
  expectSameBlocks(byKernels, outcomes[0] ?? [], outcomes[1] ?? []);
}

describe('a model that our own kernels train too', () => {
  it('drops the same values, with the same optimizer, proximal term and clipping', async () => {
    const { layers } = tf;
    const dropping = [layers.dense({ units: 8, activation: 'tanh', inputShape: [5] }), layers.dropout({ rate: 0.4 })];
    await bothWays(tf.sequential({ layers: [...dropping, layers.dense({ units: 3, activation: 'softmax' })] }));
  });

  it('follows the same mean and variance, and pools the same averages', async () => {
    const { layers } = tf;
    const convolved = [
      layers.conv2d({ filters: 3, kernelSize: 2, useBias: false, inputShape: [5, 4, 2] }),
      layers.batchNormalization(),
    ];
    const pooled = layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' });
    const last = [layers.flatten(), layers.dense({ units: 3, activation: 'softmax' })];
    await bothWays(tf.sequential({ layers: [...convolved, pooled, ...last] }));
  });
});

it('widens images so that each has a gradient of its own', async () => {
  const { layers } = tf;
  const convolved = layers.conv2d({ filters: 2, kernelSize: 2, inputShape: [4, 3, 1] });
  const last = [layers.flatten(), layers.dense({ units: 3, activation: 'softmax' })];
  const built = tf.sequential({ layers: [convolved, layers.upSampling2d({ size: [2, 3] }), ...last] });
  const network = networkOf((await savedKeras(tf, built)).model);
  const start = someParameters(network, 3);
  const session = await engine.open(network);
  const stepOn = async (rows: readonly number[]): Promise<Float32Array> => {
    const examples = someExamples(network, 2);
    const { width } = examples;
    const places = rows.flatMap((row) => Array.from({ length: width }, (_, i) => row * width + i));
    const inputs = Float32Array.from(places, (place) => examples.inputs[place] ?? 0);
    const labels = Float32Array.from(rows, (row) => examples.labels[row] ?? 0);
    session.setParameters(start);
    const rule = training({ learningRate: 1, batchSize: rows.length, epochs: 1 });
    await session.train({ ...examples, count: rows.length, inputs, labels }, rule, SEED, FREE);
    return (await session.parameters()).map((value, i) => value - (start[i] ?? 0));
  };
  const [first, second, both] = [await stepOn([0]), await stepOn([1]), await stepOn([0, 1])];
  session.close();
  expectSameBlocks(
    network,
    both,
    first.map((value, i) => (value + (second[i] ?? 0)) / 2),
  );
});

it('drops values of recurrent layers by the seed alone', async () => {
  const { layers } = tf;
  const recurrent = layers.gru({
    units: 4,
    dropout: 0.3,
    recurrentDropout: 0.3,
    recurrentInitializer: 'zeros',
    inputShape: [5, 3],
    returnSequences: true,
  });
  const rest = [
    layers.spatialDropout1d({ rate: 0.4 }),
    layers.flatten(),
    layers.dense({ units: 3, activation: 'softmax' }),
  ];
  const network = networkOf((await savedKeras(tf, tf.sequential({ layers: [recurrent, ...rest] }))).model);
  expect(dropsValues(network)).toBe(true);
  const session = await engine.open(network);
  const outcome = async (seed: typeof SEED): Promise<ModelParameters> => {
    session.setParameters(someParameters(network, 3));
    await session.train(someExamples(network, 6), training({ batchSize: 6, epochs: 3 }), seed, FREE);
    return await session.parameters();
  };
  const outcomes = [await outcome(SEED), await outcome(SEED), await outcome(SeededRandom.of(6).bytes(32))];
  session.close();
  expect(outcomes[1]).toEqual(outcomes[0]);
  expect(outcomes[2]).not.toEqual(outcomes[0]);
});

it('normalises in front of its first layer', async () => {
  const { model } = await savedKeras(tf, KERAS_MODELS['two branches'](tf));
  const plan = { ...samplePlan(), model, statistics: { normalise: true, minimumSupport: 1 } };
  const layout = planLayout(plan);
  const random = SeededRandom.of(12);
  const parameters = new Float32Array(layout.length) as ModelParameters;
  for (let i = 0; i < layout.front; i++) parameters[i] = i < layout.front / 2 ? 5 * random.normal() : random.uniform();
  const network = networkOf(model);
  const own = someParameters(network, 3);
  parameters.set(own, layout.front);
  const { modelJson, weights } = layersModelFiles(plan, parameters, {});
  const { modelTopology, weightsManifest } = JSON.parse(modelJson) as tfjs.io.ModelJSON;
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const built = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData: weights.buffer }));
  const raw = { ...someExamples(network, 4), inputScale: 1 };
  const expected = [...(built.predict(inputsOf(network, raw)) as tfjs.Tensor).dataSync()];
  const session = await engine.open(network);
  session.setParameters(own);
  const outputs = await session.predict(networkExamples(plan, parameters, raw));
  session.close();
  const ours = [...tf.softmax(tf.tensor(outputs, [4, 3])).dataSync()];
  expected.forEach((value, i) => expect(ours[i]).toBeCloseTo(value, 5));
});

it.each([
  [
    'another shape',
    (weights: Weights) => weights.map((each) => ({ ...each, shape: [...each.shape, 1] })),
    / of shape \[3, 15, 1\], tfjs layers builds ".*kernel" of shape \[3, 15\]\.$/,
  ],
  ['too few', (weights: Weights) => weights.slice(1), /has no more weights, tfjs layers builds ".*kernel" of shape/],
  [
    'one that is not there',
    (weights: Weights) => [...weights, { name: `${weights[0]?.name ?? ''}s`, shape: [1] }],
    /tfjs layers builds no such weight\.$/,
  ],
])('refuses a plan whose weights are not those of its layers: %s', async (_, change, message) => {
  const { model } = await savedKeras(tf, KERAS_MODELS['recurrent layers'](tf));
  const before = tf.memory().numTensors;
  const opening = engine.open(networkOf({ ...model, weights: change(model.weights ?? []) }));
  await expect(opening).rejects.toMatchObject({ code: 'engine/unsupported', message: expect.stringMatching(message) });
  expect(tf.memory().numTensors).toBe(before);
});
