/** What the training bench trains: small classics, on noise of the right shape. */
import type { Examples } from '../../../src/core/dataset.ts';
import { placeNetwork, sizeOf } from '../../../src/core/layerShapes.ts';
import { networkOf } from '../../../src/core/modelSpec.ts';
import type { Network } from '../../../src/core/network.ts';
import { SeededRandom } from '../../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../../src/core/updateStages.ts';
import { startingPoint as startingPointOf } from '../../../src/engine/syntheticTask.ts';

export interface BenchModel {
  readonly about: string;
  readonly batch: number;
  readonly network: Network;
}

const IMAGE = { height: 28, width: 28, channels: 1, outputs: 10 } as const;
const PRODUCT_WIDTH = 4096;

export const BENCH_MODELS = {
  mlp: {
    about: 'dense layers 784-128-10',
    batch: 32,
    network: networkOf({ architecture: 'mlp', inputs: 784, hidden: [128], outputs: 10, activation: 'relu' }),
  },
  lenet: {
    about: 'convolutions of 8 and 16 filters, dense 64',
    batch: 32,
    network: networkOf({ architecture: 'lenet', ...IMAGE }),
  },
  cnn: {
    about: 'convolutions of 32 and 64 filters, dense 512',
    batch: 32,
    network: networkOf({ architecture: 'cnn', ...IMAGE }),
  },
  gpt: {
    about: 'two blocks of width 64 with two heads over 64 characters',
    batch: 8,
    network: networkOf({ architecture: 'gpt', width: 64, layers: 2, heads: 2, length: 64, vocabulary: 65 }),
  },
  lstm: {
    about: 'an LSTM of 64 units over 32 characters',
    batch: 16,
    network: networkOf({ architecture: 'lstm', vocabulary: 65, width: 64, units: 64, length: 32 }),
  },
  product: {
    about: 'dense layers so wide that a step is matrix products and little else',
    batch: 2048,
    network: networkOf({
      architecture: 'mlp',
      inputs: PRODUCT_WIDTH,
      hidden: [PRODUCT_WIDTH, PRODUCT_WIDTH],
      outputs: 10,
      activation: 'relu',
    }),
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

/** As the choice of an engine begins; not to be changed. */
export function startingPoint({ network }: BenchModel): ModelParameters {
  return startingPointOf(network);
}

export function noise({ network }: BenchModel, count: number): Examples {
  const random = SeededRandom.of(2);
  const { input, output, targets } = placeNetwork(network);
  const width = sizeOf(input);
  const classes = output.at(-1) ?? 1;
  const { input: source } = network;
  const labels = Int32Array.from({ length: count * targets }, () => random.below(classes));
  if (source.kind === 'tokens') {
    const inputs = filled(new Int32Array(count * width), () => random.below(source.vocabulary));
    return { count, width, inputs, inputScale: 1, labels, labelWidth: targets };
  }
  const inputs = filled(new Uint8Array(count * width), () => random.uint32() >>> 24);
  return { count, width, inputs, inputScale: 1 / 255, labels };
}

const DRAWN = 1_000_003;

/** Drawn one by one, and over again after a prime number of values: a hundred million would take seconds. */
function filled<Values extends Uint8Array | Int32Array>(values: Values, draw: () => number): Values {
  const drawn = Math.min(values.length, DRAWN);
  for (let i = 0; i < drawn; i++) values[i] = draw();
  for (let from = drawn; from < values.length; from *= 2) values.copyWithin(from, 0, from);
  return values;
}
