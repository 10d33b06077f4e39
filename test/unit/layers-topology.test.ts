/** Models of stock tfjs layers, read as networks: the same weights under the same names, and the same outputs. */
import type * as tfjs from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { placeNetwork, sizeOf } from '../../src/core/layerShapes.ts';
import type { PlacedNetwork } from '../../src/core/layerShapes.ts';
import { layersTopology } from '../../src/core/layersModel.ts';
import { networkOfTopology } from '../../src/core/layersTopology.ts';
import type { Topology } from '../../src/core/topology.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import type { ModelSpec } from '../../src/core/modelSpec.ts';
import type { Loss, Network } from '../../src/core/network.ts';
import { slowOutputs, slowRows } from '../reference/slowNetwork.ts';
import { someExamples, someParameters } from '../support/networks.ts';

// Its ESM has imports without extensions, which Node does not resolve.
const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tfjs;
const { layers } = tf;

type Layers = tfjs.layers.Layer[];

const SOFTMAX = (units = 3) => layers.dense({ units, activation: 'softmax' });
const image = (inputShape: number[]) => ({ inputShape });
const GLOROT = 'glorotUniform' as const;

/** By what each is for; the last layer of each gives probabilities. */
const SEQUENCES: Readonly<Record<string, () => Layers>> = {
  'dense layers': () => [
    layers.dense({ units: 5, activation: 'tanh', inputShape: [4] }),
    layers.dense({ units: 4, activation: 'sigmoid', useBias: false }),
    SOFTMAX(),
  ],
  'an input layer, and activations of their own': () => [
    layers.inputLayer({ inputShape: [4] }),
    layers.dense({ units: 5 }),
    layers.activation({ activation: 'relu' }),
    layers.dense({ units: 5 }),
    layers.reLU(),
    layers.dense({ units: 3 }),
    layers.softmax(),
  ],
  'gelu by tanh': () => [layers.dense({ units: 5, activation: 'gelu_new', inputShape: [4] }), SOFTMAX()],
  'an activation at the end': () => [
    layers.dense({ units: 3, inputShape: [4] }),
    layers.activation({ activation: 'softmax' }),
  ],
  convolutions: () => [
    layers.conv2d({ filters: 3, kernelSize: 3, activation: 'relu', ...image([7, 6, 2]) }),
    layers.conv2d({ filters: 4, kernelSize: [2, 3], strides: [2, 1], padding: 'same', useBias: false }),
    layers.flatten(),
    SOFTMAX(),
  ],
  'depthwise convolutions': () => [
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, activation: 'tanh', ...image([6, 5, 2]) }),
    layers.depthwiseConv2d({ kernelSize: [2, 2], padding: 'same', useBias: false }),
    layers.flatten(),
    SOFTMAX(),
  ],
  pooling: () => [
    layers.maxPooling2d({ poolSize: 2, strides: 1, ...image([8, 7, 2]) }),
    layers.averagePooling2d({ poolSize: [3, 2], strides: [2, 2], padding: 'same' }),
    layers.maxPooling2d({ poolSize: [2, 2] }),
    layers.flatten(),
    SOFTMAX(),
  ],
  'the mean of an image': () => [
    layers.conv2d({ filters: 3, kernelSize: 3, ...image([6, 5, 1]) }),
    layers.globalAveragePooling2d({}),
    SOFTMAX(),
  ],
  'batch normalisation': () => [
    layers.conv2d({ filters: 3, kernelSize: 2, useBias: false, ...image([4, 4, 2]) }),
    layers.batchNormalization({ momentum: 0.8, epsilon: 0.01 }),
    layers.flatten(),
    layers.batchNormalization(),
    SOFTMAX(),
  ],
  'layer normalisation and dropout': () => [
    layers.dense({ units: 6, inputShape: [5] }),
    layers.layerNormalization({ epsilon: 0.01 }),
    layers.dropout({ rate: 0.3 }),
    SOFTMAX(),
  ],
  'a text': () => [
    layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 5 }),
    layers.lstm({
      units: 4,
      returnSequences: true,
      recurrentActivation: 'sigmoid',
      recurrentInitializer: GLOROT,
    }),
    SOFTMAX(7),
  ],
  'flat values that are an image': () => [
    layers.reshape({ targetShape: [4, -1, 1], inputShape: [24] }),
    layers.conv2d({ filters: 2, kernelSize: 3 }),
    layers.reshape({ targetShape: [16] }),
    SOFTMAX(),
  ],
};

function residual(): tfjs.LayersModel {
  const input = tf.input({ shape: [6, 6, 2] });
  const first = layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }).apply(input) as tfjs.SymbolicTensor;
  const left = layers.conv2d({ filters: 4, kernelSize: 1, strides: 2 }).apply(first) as tfjs.SymbolicTensor;
  const right = layers
    .conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' })
    .apply(first) as tfjs.SymbolicTensor;
  const third = layers.maxPooling2d({ poolSize: 2 }).apply(right) as tfjs.SymbolicTensor;
  const sum = layers.add().apply([left, right, left]) as tfjs.SymbolicTensor;
  const pooled = layers.globalAveragePooling2d({}).apply(sum) as tfjs.SymbolicTensor;
  const other = layers.dense({ units: 4 }).apply(layers.flatten().apply(third)) as tfjs.SymbolicTensor;
  const both = layers.add().apply([pooled, other]) as tfjs.SymbolicTensor;
  return tf.model({ inputs: input, outputs: SOFTMAX().apply(both) as tfjs.SymbolicTensor });
}

const MODELS: readonly (readonly [string, () => tfjs.LayersModel])[] = [
  ...Object.entries(SEQUENCES).map(([name, make]) => [name, () => tf.sequential({ layers: make() })] as const),
  ['a graph with sums', residual],
];

/** As it is in a file. */
function topologyOf(model: tfjs.LayersModel): Topology {
  return JSON.parse(model.toJSON() as unknown as string) as Topology;
}

/** Ours, with the last activation that went into the loss. */
function probabilities({ network, output }: PlacedNetwork, row: readonly number[]): readonly number[] {
  const last = output.at(-1) ?? 1;
  if (network.loss === 'binary-cross-entropy') return row.map((value) => 1 / (1 + Math.exp(-value)));
  if (network.loss === 'mean-squared-error') return row;
  return row.map((value, i) => {
    const all = row.slice(i - (i % last), i - (i % last) + last);
    return Math.exp(value) / all.reduce((sum, other) => sum + Math.exp(other), 0);
  });
}

function expectSameOutputs(model: tfjs.LayersModel, network: Network): void {
  const placed = placeNetwork(network);
  const parameters = someParameters(network, 5);
  const values = new Map(
    placed.layout.blocks.map(({ name, shape, offset, length }) => [
      name,
      tf.tensor(parameters.slice(offset, offset + length), [...shape]),
    ]),
  );
  model.setWeights(model.weights.map(({ originalName }) => values.get(originalName)!));
  const { inputs } = someExamples(network, 3);
  const shape = model.inputs[0]!.shape.slice(1).map((size) => size!);
  const predicted = (model.predict(tf.tensor(inputs, [3, ...shape], 'float32')) as tfjs.Tensor).dataSync();
  const ours = slowOutputs(placed, [...parameters], slowRows(inputs, sizeOf(placed.input)), {});
  const expected = ours.flatMap((row) => probabilities(placed, row));
  expect(predicted).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(predicted[i]).toBeCloseTo(value, 5));
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

afterEach(() => tf.disposeVariables());

describe.each(MODELS)('a file with %s', (_, make) => {
  it('has weights with the names and shapes that it has here, in the order of its layers', () => {
    const model = make();
    const { blocks } = placeNetwork(networkOfTopology(topologyOf(model), 'softmax-cross-entropy')).layout;
    const weights = model.layers.flatMap((layer) => layer.weights);
    expect(blocks.map(({ name, shape }) => ({ name, shape }))).toEqual(
      weights.map(({ originalName: name, shape }) => ({ name, shape })),
    );
  });

  it('gives the outputs that it gives here', () => {
    const model = make();
    expectSameOutputs(model, networkOfTopology(topologyOf(model), 'softmax-cross-entropy'));
  });
});

it.each<[string, string, Loss]>([
  ['sigmoid', 'sigmoid', 'binary-cross-entropy'],
  ['no activation', 'linear', 'mean-squared-error'],
  ['tanh, which stays', 'tanh', 'mean-squared-error'],
])('an output with %s goes with its loss', (_, activation, loss) => {
  const dense = layers.dense({ units: 2, activation: activation as 'tanh', inputShape: [4] });
  const model = tf.sequential({ layers: [dense] });
  const network = networkOfTopology(topologyOf(model), loss);
  expect(network.layers[0]).toMatchObject({ activation: activation === 'tanh' ? 'tanh' : 'linear' });
  expectSameOutputs(model, network);
});

it.each<ModelSpec>([
  { architecture: 'mlp', inputs: 5, hidden: [4], outputs: 3, activation: 'relu' },
  { architecture: 'linear', inputs: 4, outputs: 1, loss: 'mean-squared-error' },
  { architecture: 'lenet', height: 9, width: 6, channels: 2, outputs: 3 },
  { architecture: 'cnn', height: 5, width: 4, channels: 1, outputs: 4 },
  { architecture: 'resnet', height: 6, width: 5, channels: 2, outputs: 3, filters: 2, blocksPerStage: 2 },
  { architecture: 'lstm', vocabulary: 5, width: 3, units: 4, length: 6 },
])('what is written of a model of ours is read as the same: $architecture', (spec) => {
  const network = networkOf(spec);
  const read = placeNetwork(networkOfTopology(layersTopology({ model: spec, training: {} }) as Topology, network.loss));
  const ours = placeNetwork(network);
  expect(read.layout).toEqual(ours.layout);
  const plain = ({ layers }: PlacedNetwork) =>
    layers.map(({ layer: { name: _name, from: _from, ...layer }, from, output }) => ({ layer, from, output }));
  expect(plain(read)).toEqual(plain(ours));
});
