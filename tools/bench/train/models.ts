/** What the training bench trains: small classics, on noise of the right shape. */
import type { Examples } from '../../../src/core/dataset.ts';
import { placeNetwork, sizeOf } from '../../../src/core/layerShapes.ts';
import type { Layer, Network } from '../../../src/core/network.ts';
import { SeededRandom } from '../../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../../src/core/updateStages.ts';

export interface BenchModel {
  readonly about: string;
  readonly batch: number;
  readonly network: Network;
}

const dense = (units: number, activation: 'linear' | 'relu' | 'gelu' = 'linear'): Layer => ({
  kind: 'dense',
  units,
  activation,
  useBias: true,
});

const convolution = (filters: number): Layer => ({
  kind: 'conv2d',
  filters,
  kernelSize: [5, 5],
  strides: [1, 1],
  padding: 'same',
  activation: 'relu',
  useBias: true,
});

const POOL: Layer = { kind: 'maxPool2d', poolSize: [2, 2], strides: [2, 2], padding: 'same' };

function images(filters: readonly [number, number], hidden: number): Network {
  const [first, second] = filters;
  const layers = [convolution(first), POOL, convolution(second), POOL, { kind: 'flatten' } as const];
  return {
    input: { kind: 'values', shape: [28, 28, 1] },
    layers: [...layers, dense(hidden, 'relu'), dense(10)],
    loss: 'softmax-cross-entropy',
  };
}

/** Radford et al. 2019, "GPT-2", section 2.3: normalised before each half of a block, and once at the end. */
function gpt(width: number, blocks: number, heads: number, length: number, vocabulary: number): Network {
  const norm: Layer = { kind: 'layerNorm', epsilon: 1e-5 };
  const layers: Layer[] = [{ kind: 'embedding', width, positions: true }];
  for (let block = 0; block < blocks; block++) {
    const before = layers.length - 1;
    layers.push(norm, dense(3 * width), { kind: 'attention', heads }, dense(width), { kind: 'add', other: before });
    const between = layers.length - 1;
    layers.push(norm, dense(4 * width, 'gelu'), dense(width), { kind: 'add', other: between });
  }
  layers.push(norm, dense(vocabulary));
  return { input: { kind: 'tokens', length, vocabulary }, layers, loss: 'softmax-cross-entropy' };
}

const PRODUCT_WIDTH = 4096;

export const BENCH_MODELS = {
  mlp: {
    about: 'dense layers 784-128-10',
    batch: 32,
    network: {
      input: { kind: 'values', shape: [784] },
      layers: [dense(128, 'relu'), dense(10)],
      loss: 'softmax-cross-entropy',
    },
  },
  lenet: { about: 'convolutions of 8 and 16 filters, dense 64', batch: 32, network: images([8, 16], 64) },
  cnn: {
    about: 'convolutions of 32 and 64 filters, dense 512 (McMahan et al. 2017, section 3)',
    batch: 32,
    network: images([32, 64], 512),
  },
  gpt: { about: 'two blocks of width 64 with two heads over 64 characters', batch: 8, network: gpt(64, 2, 2, 64, 65) },
  lstm: {
    about: 'an LSTM of 64 units over 32 characters',
    batch: 16,
    network: {
      input: { kind: 'tokens', length: 32, vocabulary: 65 },
      layers: [{ kind: 'embedding', width: 64, positions: false }, { kind: 'lstm', units: 64 }, dense(65)],
      loss: 'softmax-cross-entropy',
    },
  },
  product: {
    about: 'dense layers so wide that a step is matrix products and little else',
    batch: 2048,
    network: {
      input: { kind: 'values', shape: [PRODUCT_WIDTH] },
      layers: [dense(PRODUCT_WIDTH, 'relu'), dense(PRODUCT_WIDTH, 'relu'), dense(10)],
      loss: 'softmax-cross-entropy',
    },
  },
} as const satisfies Record<string, BenchModel>;

export type ModelName = keyof typeof BENCH_MODELS;

export const MODEL_NAMES = Object.keys(BENCH_MODELS) as readonly ModelName[];

/** Multiplications and additions of the matrix products in one step: forward, and the gradients by weights and inputs. */
export function productOperations({ network, batch }: BenchModel): number {
  const { layers } = placeNetwork(network);
  return layers.reduce((sum, { layer, input, output, from }) => {
    if (layer.kind !== 'dense') return sum;
    const products = from === -1 ? 2 : 3;
    return sum + products * 2 * batch * sizeOf(input) * (output.at(-1) ?? 0);
  }, 0);
}

/** Uniform as the layout's initialisers say. */
export function startingPoint({ network }: BenchModel): ModelParameters {
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

export function noise({ network }: BenchModel, count: number): Examples {
  const random = SeededRandom.of(2);
  const { input, output, targets } = placeNetwork(network);
  const width = sizeOf(input);
  const classes = output.at(-1) ?? 1;
  const { input: source } = network;
  const labels = Int32Array.from({ length: count * targets }, () => random.below(classes));
  if (source.kind === 'tokens') {
    const inputs = Int32Array.from({ length: count * width }, () => random.below(source.vocabulary));
    return { count, width, inputs, inputScale: 1, labels, labelWidth: targets };
  }
  const inputs = Uint8Array.from({ length: count * width }, () => random.uint32() >>> 24);
  return { count, width, inputs, inputScale: 1 / 255, labels };
}
