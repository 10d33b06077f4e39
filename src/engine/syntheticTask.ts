/** Something to train on before there are data: noise in the shape of a network's examples, and a model to begin with. */
import type { Bytes } from '../core/bytes.ts';
import type { Examples } from '../core/dataset.ts';
import { placeNetwork, sizeOf } from '../core/layerShapes.ts';
import type { Network } from '../core/network.ts';
import { SeededRandom } from '../core/seededRandom.ts';
import type { ModelParameters } from '../core/updateStages.ts';

/** Of the batch order. */
export const SEED: Bytes = SeededRandom.of(7).bytes(32);

/** A million of random numbers takes as long as some steps. */
const points = new WeakMap<Network, ModelParameters>();

/** Uniform as the layout's initialisers say; for measuring only, and not to be changed. */
export function startingPoint(network: Network): ModelParameters {
  const point = points.get(network) ?? newPoint(network);
  points.set(network, point);
  return point;
}

function newPoint(network: Network): ModelParameters {
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

/** `count` examples, of which the first `distinct` come again and again. */
export function syntheticExamples(network: Network, count: number, distinct = count): Examples {
  const random = SeededRandom.of(2);
  const { input, output, targets } = placeNetwork(network);
  const width = sizeOf(input);
  const source = network.input;
  const inputs =
    source.kind === 'tokens'
      ? Int32Array.from({ length: distinct * width }, () => random.below(source.vocabulary))
      : Uint8Array.from({ length: distinct * width }, () => random.uint32() >>> 24);
  // Classes of a softmax; 0 and 1 are right targets for the other losses.
  const classes = network.loss === 'softmax-cross-entropy' ? (output.at(-1) ?? 1) : 2;
  const labels = Int32Array.from({ length: distinct * targets }, () => random.below(classes));
  return {
    count,
    width,
    inputs: repeated(inputs, count * width),
    inputScale: source.kind === 'tokens' ? 1 : 1 / 255,
    labels: repeated(labels, count * targets),
    labelWidth: targets,
  };
}

function repeated(values: Int32Array | Uint8Array, length: number): Int32Array | Uint8Array {
  const all = values instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
  for (let i = 0; i < length; i++) all[i] = values[i % values.length] ?? 0;
  return all;
}
