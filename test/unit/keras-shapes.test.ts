/** What shape each Keras layer gives is what tfjs layers gives, and what neither can train is refused by its name. */
import type * as tfjs from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { HushError } from '../../src/core/errors.ts';
import { kerasNetwork } from '../../src/core/kerasModel.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { Topology } from '../../src/core/topology.ts';

// Its ESM has imports without extensions, which Node does not resolve.
const { layers, model, input } = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tfjs;

const IMAGE = [7, 6, 4];
const SEQUENCE = [5, 3];
const ROW = [6];
const QUICK = { recurrentInitializer: 'glorotUniform' } as const;

/** A layer by its class, and what it is given. */
const LAYERS: readonly (readonly [number[], ...tfjs.layers.Layer[]])[] = [
  [ROW, layers.dense({ units: 3, activation: 'elu' }), layers.activation({ activation: 'hardSigmoid' })],
  [
    SEQUENCE,
    layers.dense({ units: 4, activation: 'mish' }),
    layers.leakyReLU(),
    layers.elu({}),
    layers.thresholdedReLU(),
  ],
  [IMAGE, layers.prelu({ sharedAxes: [1, 2] }), layers.reLU({ maxValue: 6 }), layers.dropout({ rate: 0.5 })],
  [
    SEQUENCE,
    layers.spatialDropout1d({ rate: 0.5 }),
    layers.layerNormalization(),
    layers.batchNormalization({ axis: 1 }),
  ],
  [IMAGE, layers.reshape({ targetShape: [6, 28] }), layers.permute({ dims: [2, 1] }), layers.flatten()],
  [ROW, layers.softmax(), layers.repeatVector({ n: 4 })],
  [ROW, layers.embedding({ inputDim: 9, outputDim: 3 })],
  [SEQUENCE, layers.conv1d({ filters: 2, kernelSize: 2, strides: 2 })],
  [SEQUENCE, layers.conv1d({ filters: 2, kernelSize: 2, strides: 2, padding: 'same', activation: 'softsign' })],
  [IMAGE, layers.conv2d({ filters: 2, kernelSize: [3, 2], strides: [2, 1], activation: 'selu' })],
  [IMAGE, layers.separableConv2d({ filters: 5, kernelSize: 3, padding: 'same' })],
  [IMAGE, layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: [2, 2] })],
  [IMAGE, layers.conv2dTranspose({ filters: 3, kernelSize: [3, 2], strides: [2, 3] })],
  [IMAGE, layers.conv2dTranspose({ filters: 3, kernelSize: [3, 2], strides: [2, 3], padding: 'same' })],
  [IMAGE, layers.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 3 })],
  [IMAGE, layers.upSampling2d({ size: [2, 3] })],
  [
    IMAGE,
    layers.zeroPadding2d({
      padding: [
        [1, 0],
        [2, 3],
      ],
    }),
  ],
  [
    IMAGE,
    layers.zeroPadding2d({ padding: 2 }),
    layers.cropping2D({
      cropping: [
        [1, 0],
        [2, 3],
      ],
    }),
  ],
  [SEQUENCE, layers.maxPooling1d({ poolSize: 2, strides: 1 })],
  [SEQUENCE, layers.maxPooling1d({ poolSize: 2, padding: 'same' }), layers.averagePooling1d({ poolSize: 2 })],
  [IMAGE, layers.maxPooling2d({ poolSize: [2, 3], strides: [1, 2] })],
  [IMAGE, layers.averagePooling2d({ poolSize: [2, 3], padding: 'same' })],
  [SEQUENCE, layers.globalAveragePooling1d()],
  [SEQUENCE, layers.globalMaxPooling1d()],
  [IMAGE, layers.globalAveragePooling2d({})],
  [IMAGE, layers.globalMaxPooling2d({})],
  [SEQUENCE, layers.simpleRNN({ units: 2, ...QUICK })],
  [
    SEQUENCE,
    layers.gru({ units: 2, returnSequences: true, ...QUICK }),
    layers.lstm({ units: 3, goBackwards: true, ...QUICK }),
  ],
  [SEQUENCE, layers.bidirectional({ layer: layers.gru({ units: 2, ...QUICK }), mergeMode: 'concat' })],
  [
    SEQUENCE,
    layers.bidirectional({
      layer: layers.lstm({ units: 2, returnSequences: true, ...QUICK }),
      mergeMode: 'mul',
    }),
  ],
  [IMAGE, layers.timeDistributed({ layer: layers.conv1d({ filters: 2, kernelSize: 2 }) })],
];

type Merge = (inputs: tfjs.SymbolicTensor[]) => tfjs.SymbolicTensor;

const merged =
  (layer: tfjs.layers.Layer): Merge =>
  (inputs) =>
    layer.apply(inputs) as tfjs.SymbolicTensor;

const MERGES: Readonly<Record<string, Merge>> = {
  Add: merged(layers.add()),
  Multiply: merged(layers.multiply()),
  Average: merged(layers.average()),
  Maximum: merged(layers.maximum()),
  Minimum: merged(layers.minimum()),
  'Concatenate, last axis': merged(layers.concatenate()),
  'Concatenate, first axis': merged(layers.concatenate({ axis: 1 })),
};

function networkOf(built: tfjs.LayersModel) {
  const topology = JSON.parse(built.toJSON() as string) as Topology;
  const weights = built.weights.map(({ originalName: name, shape }) => ({
    name,
    shape: shape.map((size) => size ?? 0),
  }));
  return kerasNetwork(topology, weights, 'mean-squared-error');
}

describe('the output', () => {
  it.each(
    LAYERS.map(([given, ...chain]) => [chain.map((layer) => layer.getClassName()).join(', '), given, chain] as const),
  )('of %s, given %j', (_, shape, chain) => {
    const begin = input({ shape });
    const end = chain.reduce((before, layer) => layer.apply(before) as tfjs.SymbolicTensor, begin);
    expect([null, ...placeNetwork(networkOf(model({ inputs: begin, outputs: end }))).output]).toEqual(end.shape);
  });

  it.each(Object.entries(MERGES))('of %s', (_, merge) => {
    const begin = input({ shape: SEQUENCE });
    const other = layers.dense({ units: 3 }).apply(begin) as tfjs.SymbolicTensor;
    const end = merge([begin, other, begin]);
    expect([null, ...placeNetwork(networkOf(model({ inputs: begin, outputs: end }))).output]).toEqual(end.shape);
  });
});

function layer(class_name: string, config: object = {}, name = 'x') {
  return { class_name, config: { name, ...config } };
}

function chainOf(...layers: ReturnType<typeof layer>[]): Topology {
  return { class_name: 'Sequential', config: { layers } };
}

const INPUT = (shape: readonly number[]) => layer('InputLayer', { batch_input_shape: [null, ...shape] }, 'in');

describe('what is refused', () => {
  it.each<[string, readonly number[], ReturnType<typeof layer>]>([
    [
      'Layer "x" (Lambda) is of a class that is not known here, expected one of InputLayer, Dense, ',
      ROW,
      layer('Lambda'),
    ],
    ['Layer "x" (Mine) is of a class that is not known here', ROW, layer('Mine')],
    ['Layer "x" (constructor) is of a class that is not known here', ROW, layer('constructor')],
    ['Layer "x" (GaussianNoise) is of a class', ROW, layer('GaussianNoise', { stddev: 1 })],
    [
      'Layer "x" (Dense): "activation" is "mine", expected one of linear, ',
      ROW,
      layer('Dense', { units: 1, activation: 'mine' }),
    ],
    [
      'Layer "x" (GRU): "reset_after" is true, expected false.',
      SEQUENCE,
      layer('GRU', { units: 1, reset_after: true }),
    ],
    ['Layer "x" (LSTM): "stateful" is true, expected false.', SEQUENCE, layer('LSTM', { units: 1, stateful: true })],
    [
      'Layer "x" (LSTM) is given [6], expected [length, width] of at most 4096 steps.',
      ROW,
      layer('LSTM', { units: 1 }),
    ],
    ['Layer "x" (LSTM) is given [5000, 1], expected [length, width] of at', [5000, 1], layer('LSTM', { units: 1 })],
    [
      'Layer "x" (Conv1D): "padding" is "causal", expected one of same, valid.',
      SEQUENCE,
      layer('Conv1D', { filters: 1, kernel_size: [2], padding: 'causal' }),
    ],
    [
      'Layer "x" (Conv2D): "dilation_rate" is ',
      IMAGE,
      layer('Conv2D', { filters: 1, kernel_size: 2, dilation_rate: [2, 2] }),
    ],
    [
      'Layer "x" (UpSampling2D): "interpolation" is "bilinear", expected nearest.',
      IMAGE,
      layer('UpSampling2D', { interpolation: 'bilinear' }),
    ],
    [
      'Layer "x" (AveragePooling1D): "padding" is "same", expected valid.',
      SEQUENCE,
      layer('AveragePooling1D', { padding: 'same' }),
    ],
    [
      'Layer "x" (UpSampling2D) gives 17179869184 values, expected at most 16777216.',
      [2, 2, 1],
      layer('UpSampling2D', { size: 65_536 }),
    ],
    [
      'Layer "x" (GRU): "kernel_regularizer" is set, expected none.',
      SEQUENCE,
      layer('GRU', { units: 1, kernel_regularizer: {} }),
    ],
    ['Layer "x" (GRU): "trainable" is false, expected true', SEQUENCE, layer('GRU', { units: 1, trainable: false })],
    [
      'In Layer "x" (Bidirectional): Layer "d" (Dense), expected a recurrent layer.',
      SEQUENCE,
      layer('Bidirectional', { layer: layer('Dense', { units: 1 }, 'd') }),
    ],
    [
      'Layer "d" (Dense): "kernel_constraint" is set',
      SEQUENCE,
      layer('TimeDistributed', { layer: layer('Dense', { units: 1, kernel_constraint: {} }, 'd') }),
    ],
  ])('%s', (message, shape, refused) => {
    let thrown: unknown;
    try {
      kerasNetwork(chainOf(INPUT(shape), refused), [], 'mean-squared-error');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(HushError);
    expect((thrown as HushError).message).toContain(message);
  });

  it.each([
    [
      'a weight of no layer',
      [{ name: 'y/kernel', shape: [1] }],
      '"weights": "y/kernel", expected a name that begins with that of a layer.',
    ],
    [
      'a weight twice',
      [1, 1].map(() => ({ name: 'x/kernel', shape: [6, 1] })),
      '"weights": "x/kernel" twice, expected each once.',
    ],
    [
      'too many',
      [{ name: 'x/kernel', shape: [2 ** 28, 4] }],
      `"weights": ${2 ** 30} parameters, expected at most ${2 ** 28}.`,
    ],
  ])('%s', (_, weights, message) => {
    const topology = chainOf(INPUT(ROW), layer('Dense', { units: 1 }));
    expect(() => kerasNetwork(topology, weights, 'mean-squared-error')).toThrow(
      expect.objectContaining({ code: 'model/weights', message }),
    );
  });
});
