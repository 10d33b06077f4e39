/** Networks for tests of engines: one small network for each thing that a network may hold, and random ones. */
import * as fc from 'fast-check';
import type { Examples } from '../../src/core/dataset.ts';
import { placeNetwork, sizeOf } from '../../src/core/layerShapes.ts';
import type { Activation, Extent, Layer, Loss, Network, NetworkInput, Padding } from '../../src/core/network.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';

export function dense(units: number, activation: Activation = 'linear', useBias = true): Layer {
  return { kind: 'dense', units, activation, useBias };
}

interface Convolution {
  readonly kernelSize?: Extent;
  readonly strides?: Extent;
  readonly padding?: Padding;
  readonly activation?: Activation;
  readonly useBias?: boolean;
}

const CONVOLUTION = {
  kernelSize: [3, 3],
  strides: [1, 1],
  padding: 'same',
  activation: 'linear',
  useBias: true,
} as const;

export function conv(filters: number, changes: Convolution = {}): Layer {
  return { kind: 'conv2d', filters, ...CONVOLUTION, ...changes };
}

export function depthwise(depthMultiplier: number, changes: Convolution = {}): Layer {
  return { kind: 'depthwiseConv2d', depthMultiplier, ...CONVOLUTION, ...changes };
}

export function pool(
  kind: 'maxPool2d' | 'averagePool2d',
  poolSize: Extent,
  strides: Extent = poolSize,
  padding: Padding = 'valid',
): Layer {
  return { kind, poolSize, strides, padding };
}

const TANH: Layer = { kind: 'activation', activation: 'tanh' };
const FLATTEN: Layer = { kind: 'flatten' };
/** Not so small that two values next to each other make the gradient one of their rounding. */
const LAYER_NORM: Layer = { kind: 'layerNorm', epsilon: 1e-3 };
const BATCH_NORM: Layer = { kind: 'batchNorm', momentum: 0.9, epsilon: 1e-3 };

function network(input: NetworkInput, layers: readonly Layer[], loss: Loss = 'softmax-cross-entropy'): Network {
  return { input, layers, loss };
}

function values(...shape: number[]): NetworkInput {
  return { kind: 'values', shape };
}

function tokens(length: number, vocabulary: number): NetworkInput {
  return { kind: 'tokens', length, vocabulary };
}

/** By what each is for. */
export const NETWORKS: Readonly<Record<string, Network>> = {
  'dense layers with relu': network(values(6), [dense(9, 'relu'), dense(3)]),
  'dense layers with tanh and sigmoid': network(values(6), [dense(7, 'tanh'), dense(5, 'sigmoid'), dense(3)]),
  'dense layers with gelu': network(values(6), [dense(7, 'gelu'), dense(3)]),
  'dense layers without bias': network(values(5), [dense(6, 'tanh', false), dense(4, 'linear', false)]),
  'a dense layer alone': network(values(5), [dense(4)]),
  'activations of their own': network(values(5), [
    dense(6),
    { kind: 'activation', activation: 'gelu' },
    dense(6),
    { kind: 'activation', activation: 'relu' },
    dense(3),
  ]),
  'a convolution': network(values(6, 5, 2), [conv(3, { activation: 'relu' }), FLATTEN, dense(3)]),
  'a convolution without padding': network(values(7, 6, 3), [
    conv(5, { kernelSize: [3, 2], padding: 'valid', activation: 'tanh' }),
    FLATTEN,
    dense(3),
  ]),
  'convolutions with strides': network(values(9, 8, 1), [
    conv(4, { kernelSize: [5, 5], strides: [2, 2], activation: 'tanh', useBias: false }),
    conv(6, { kernelSize: [2, 3], strides: [2, 1], activation: 'relu' }),
    FLATTEN,
    dense(3),
  ]),
  'depthwise convolutions': network(values(6, 7, 3), [
    depthwise(2, { activation: 'tanh' }),
    depthwise(1, { strides: [2, 2], padding: 'valid', useBias: false }),
    FLATTEN,
    dense(3),
  ]),
  'max pooling': network(values(8, 8, 2), [
    conv(3, { activation: 'relu' }),
    pool('maxPool2d', [2, 2]),
    pool('maxPool2d', [3, 3], [2, 2], 'same'),
    FLATTEN,
    dense(3),
  ]),
  'average pooling': network(values(7, 7, 2), [
    conv(3, { activation: 'tanh' }),
    pool('averagePool2d', [3, 2], [2, 2], 'same'),
    pool('averagePool2d', [2, 2], [1, 1]),
    FLATTEN,
    dense(3),
  ]),
  'batch normalisation of images': network(values(5, 5, 2), [
    conv(3, { useBias: false }),
    BATCH_NORM,
    { kind: 'activation', activation: 'tanh' },
    FLATTEN,
    dense(3),
  ]),
  'batch normalisation of vectors': network(values(6), [dense(5, 'tanh'), BATCH_NORM, dense(3)]),
  'layer normalisation': network(values(6), [dense(7, 'tanh'), LAYER_NORM, dense(3)]),
  dropout: network(values(6), [dense(16, 'tanh'), { kind: 'dropout', rate: 0.4 }, dense(3)]),
  'a sum of two layers': network(values(6), [dense(5, 'tanh'), dense(5, 'tanh'), { kind: 'add', other: 0 }, dense(3)]),
  'a layer that reads an earlier one': network(values(6), [
    dense(5, 'tanh'),
    dense(4, 'tanh'),
    { ...dense(4, 'sigmoid'), from: 0 },
    { kind: 'add', other: 1 },
    dense(3),
  ]),
  'an embedding': network(tokens(4, 7), [{ kind: 'embedding', width: 3, positions: false }, FLATTEN, dense(3)]),
  'an embedding with positions': network(tokens(5, 6), [
    { kind: 'embedding', width: 4, positions: true },
    dense(6, 'gelu'),
    dense(6),
  ]),
  attention: network(tokens(5, 6), [
    { kind: 'embedding', width: 6, positions: true },
    dense(18),
    { kind: 'attention', heads: 2 },
    dense(6),
  ]),
  'a transformer block': network(tokens(7, 5), transformer(6, 2, 5)),
  'an lstm': network(tokens(6, 5), [
    { kind: 'embedding', width: 3, positions: false },
    { kind: 'lstm', units: 4 },
    dense(5),
  ]),
  'binary cross-entropy': network(values(6), [dense(5, 'tanh'), dense(2)], 'binary-cross-entropy'),
  'mean squared error': network(values(6), [dense(5, 'tanh'), dense(2)], 'mean-squared-error'),
  'mean squared error of an image': network(
    values(4, 4, 2),
    [conv(3, { activation: 'tanh' }), conv(1)],
    'mean-squared-error',
  ),
  // As a resnet has it where the shape changes, with tanh for its kinks.
  'a residual block': network(values(5, 6, 1), [
    conv(2, { useBias: false }),
    BATCH_NORM,
    TANH,
    conv(3, { kernelSize: [1, 1], strides: [2, 2], useBias: false }),
    BATCH_NORM,
    { ...conv(3, { strides: [2, 2], useBias: false }), from: 2 },
    BATCH_NORM,
    TANH,
    conv(3, { useBias: false }),
    BATCH_NORM,
    { kind: 'add', other: 4 },
    TANH,
    pool('averagePool2d', [3, 3]),
    FLATTEN,
    dense(3),
  ]),
  'a frozen dense layer': network(values(6), [{ ...dense(7, 'tanh'), frozen: true }, dense(5, 'relu'), dense(3)]),
  'frozen layers': network(values(5, 5, 2), [
    conv(3, { useBias: false }),
    { ...BATCH_NORM, frozen: true },
    { kind: 'activation', activation: 'tanh' },
    { ...conv(4, { activation: 'tanh' }), frozen: true },
    FLATTEN,
    { ...dense(6, 'tanh'), frozen: true },
    dense(3),
  ]),
  'a bit of everything for images': network(values(8, 8, 3), [
    conv(5, { useBias: false }),
    BATCH_NORM,
    { kind: 'activation', activation: 'relu' },
    pool('maxPool2d', [2, 2]),
    depthwise(2, { activation: 'tanh' }),
    pool('averagePool2d', [2, 2]),
    { kind: 'dropout', rate: 0.25 },
    FLATTEN,
    dense(6, 'tanh'),
    LAYER_NORM,
    dense(4),
  ]),
};

/** Embedding, one block as GPT-2 has it (Radford et al. 2019, section 2.3), and logits for each place. */
function transformer(width: number, heads: number, vocabulary: number): readonly Layer[] {
  return [
    { kind: 'embedding', width, positions: true },
    LAYER_NORM,
    dense(3 * width),
    { kind: 'attention', heads },
    dense(width),
    { kind: 'add', other: 0 },
    LAYER_NORM,
    dense(4 * width, 'gelu'),
    dense(width),
    { kind: 'add', other: 5 },
    LAYER_NORM,
    dense(vocabulary, 'linear', false),
  ];
}

/** The networks without the layers that an engine cannot train. */
export function networksWithout(lacking: readonly Layer['kind'][]): readonly (readonly [string, Network])[] {
  return Object.entries(NETWORKS).filter(([, { layers }]) => layers.every(({ kind }) => !lacking.includes(kind)));
}

/** With every block filled, so that no parameter is at a special place. */
export function someParameters(network: Network, seed = 1): ModelParameters {
  const random = SeededRandom.of(seed, 1);
  const { blocks, length } = placeNetwork(network).layout;
  const parameters = new Float32Array(length);
  for (const { offset, length, initialiser, name } of blocks) {
    const size = initialiser.kind === 'uniform' ? Math.max(initialiser.limit, 0.3) : 0.3;
    const middle = initialiser.kind === 'ones' ? 1 : 0;
    for (let i = offset; i < offset + length; i++) {
      const value = middle + size * (2 * random.uniform() - 1);
      parameters[i] = name.endsWith('moving_variance') ? Math.abs(value) : value;
    }
  }
  return parameters as ModelParameters;
}

export function someExamples(network: Network, count: number, seed = 1): Examples {
  const random = SeededRandom.of(seed, 2);
  const { input, output, targets } = placeNetwork(network);
  const source = network.input;
  const width = sizeOf(input);
  const inputs =
    source.kind === 'tokens'
      ? Int32Array.from({ length: count * width }, () => random.below(source.vocabulary))
      : Float32Array.from({ length: count * width }, () => random.normal());
  const labels = Float32Array.from({ length: count * targets }, () => {
    if (network.loss === 'softmax-cross-entropy') return random.below(output.at(-1) ?? 1);
    return network.loss === 'binary-cross-entropy' ? random.below(2) : random.normal();
  });
  return { count, width, inputs, inputScale: source.kind === 'tokens' ? 1 : 0.5, labels, labelWidth: targets };
}

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const extent = (max: number): fc.Arbitrary<Extent> => fc.tuple(size(max), size(max));
const padding = fc.constantFrom<Padding>('same', 'valid');
/** Smooth ones: next to a kink, rounding alone decides for one side or the other. */
const activation = fc.constantFrom<Activation>('linear', 'tanh', 'sigmoid', 'gelu');

const convolution = fc.record({
  kernelSize: extent(4),
  strides: extent(3),
  padding,
  activation,
  useBias: fc.boolean(),
});

const imageLayer: fc.Arbitrary<Layer> = fc.oneof(
  fc.tuple(size(9), convolution).map(([filters, rest]) => conv(filters, rest)),
  fc.tuple(size(3), convolution).map(([multiplier, rest]) => depthwise(multiplier, rest)),
  fc
    .tuple(fc.constantFrom('maxPool2d' as const, 'averagePool2d' as const), extent(3), extent(3), padding)
    .map(([kind, poolSize, strides, padding]) => pool(kind, poolSize, strides, padding)),
  fc.constant(BATCH_NORM),
  fc.constant(LAYER_NORM),
  activation.map((activation): Layer => ({ kind: 'activation', activation })),
  fc.constant<Layer>({ kind: 'dropout', rate: 0.3 }),
);

const vectorLayer: fc.Arbitrary<Layer> = fc.oneof(
  fc.tuple(size(17), activation, fc.boolean()).map(([units, activation, useBias]) => dense(units, activation, useBias)),
  fc.constant(LAYER_NORM),
  fc.constant<Layer>({ kind: 'dropout', rate: 0.3 }),
);

const loss = fc.constantFrom<Loss>('softmax-cross-entropy', 'binary-cross-entropy', 'mean-squared-error');

const imageNetwork = fc
  .record({
    shape: fc.tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 }), size(5)),
    image: fc.array(imageLayer, { minLength: 1, maxLength: 4 }),
    vector: fc.array(vectorLayer, { maxLength: 2 }),
    outputs: fc.integer({ min: 2, max: 5 }),
    loss,
  })
  .map(({ shape, image, vector, outputs, loss }) =>
    network(values(...shape), [...image, FLATTEN, ...vector, dense(outputs)], loss),
  );

const vectorNetwork = fc
  .record({
    inputs: size(20),
    layers: fc.array(vectorLayer, { maxLength: 4 }),
    outputs: fc.integer({ min: 2, max: 7 }),
    loss,
  })
  .map(({ inputs, layers, outputs, loss }) => network(values(inputs), [...layers, dense(outputs)], loss));

const textNetwork = fc
  .record({ length: size(11), vocabulary: fc.integer({ min: 2, max: 9 }), heads: size(3), headSize: size(5) })
  .map(({ length, vocabulary, heads, headSize }) =>
    network(tokens(length, vocabulary), transformer(heads * headSize, heads, vocabulary)),
  );

const recurrentNetwork = fc
  .record({ length: size(5), vocabulary: fc.integer({ min: 2, max: 6 }), width: size(5), units: size(6) })
  .map(({ length, vocabulary, width, units }) =>
    network(tokens(length, vocabulary), [
      { kind: 'embedding', width, positions: false },
      { kind: 'lstm', units },
      dense(vocabulary),
    ]),
  );

/** Small networks of all kinds whose windows fit, without the layers that an engine cannot train. */
export function networks(lacking: readonly Layer['kind'][] = []): fc.Arbitrary<Network> {
  return fc
    .oneof(
      { arbitrary: imageNetwork, weight: 5 },
      { arbitrary: vectorNetwork, weight: 2 },
      { arbitrary: textNetwork, weight: 2 },
      { arbitrary: recurrentNetwork, weight: 1 },
    )
    .filter((network) => fits(network) && network.layers.every(({ kind }) => !lacking.includes(kind)));
}

function fits(network: Network): boolean {
  try {
    placeNetwork(network);
    return true;
  } catch {
    return false;
  }
}
