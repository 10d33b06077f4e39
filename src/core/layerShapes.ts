/** What each layer of a network takes, gives and learns: shapes of one example, and the flat parameter vector. */
import { HushError } from './errors.ts';
import type { Extent, KerasWeight, Layer, Network, Padding } from './network.ts';

export type Shape = readonly number[];

/**
 * How a parameter starts: uniform in ±limit (Glorot and Bengio 2010, section 4.2.1; ±0.05 for embeddings), zero or one.
 */
export type Initialiser =
  | { readonly kind: 'uniform'; readonly limit: number }
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' };

export interface ParameterBlock {
  /** As tfjs layers names the weight, e.g. "dense_1/kernel". */
  readonly name: string;
  readonly shape: Shape;
  readonly offset: number;
  readonly length: number;
  readonly initialiser: Initialiser;
  /**
   * Statistics are followed, not learned by gradient: the moving mean and variance of a batch normalisation. What is
   * frozen is neither.
   */
  readonly role: 'learned' | 'statistic' | 'frozen';
  /** None of its values may be less; without it any number will do. */
  readonly minimum?: number;
}

/** Where every tensor lies in the flat parameter vector. */
export interface ParameterLayout {
  readonly blocks: readonly ParameterBlock[];
  /** Number of parameters, d. */
  readonly length: number;
}

export interface PlacedLayer {
  readonly index: number;
  readonly layer: Layer;
  /** Index of the layer that is read, −1 for the network's input; `other` of an add is in the layer itself. */
  readonly from: number;
  /** Of one example, without the batch. */
  readonly input: Shape;
  readonly output: Shape;
  /**
   * dense and convolutions: kernel (dense [in, units], conv2d [h, w, in, filters], depthwise [h, w, in, multiplier]), then
   * bias if used. batchNorm: gamma, beta, moving mean, moving variance. layerNorm: gamma, beta. embedding: table
   * [vocabulary, width], then positions [length, width] if used. lstm: kernel [in, 4·units], recurrent kernel
   * [units, 4·units], bias [4·units], gates in the order input, forget, cell, output. keras: as the model lists them.
   */
  readonly blocks: readonly ParameterBlock[];
}

export interface PlacedNetwork {
  readonly network: Network;
  readonly layers: readonly PlacedLayer[];
  readonly input: Shape;
  readonly output: Shape;
  readonly layout: ParameterLayout;
  /** Targets of one example. */
  readonly targets: number;
  /** What figures count in one example: each class that is predicted, or the whole output of losses without classes. */
  readonly predictions: number;
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** @throws HushError `model/shape` when a layer cannot take what it is given. */
export function placeNetwork(network: Network): PlacedNetwork {
  const { input: source } = network;
  const input: Shape = source.kind === 'tokens' ? [source.length] : source.shape;
  const layers: PlacedLayer[] = [];
  const blocks: ParameterBlock[] = [];
  const counts = new Map<string, number>();
  const outputOf = (index: number, asker: number): Shape => {
    const shape = index === -1 ? input : layers[index]?.output;
    if (shape) return shape;
    throw new HushError('model/shape', `Layer ${asker} takes the output of layer ${index}, expected an earlier one.`);
  };
  let offset = 0;
  network.layers.forEach((layer, index) => {
    const from = layer.from ?? index - 1;
    const taken = outputOf(from, index);
    const number = (counts.get(layer.kind) ?? 0) + 1;
    counts.set(layer.kind, number);
    const own: ParameterBlock[] = [];
    const tokens = from === -1 && source.kind === 'tokens' ? source.vocabulary : undefined;
    for (const { suffix, ...weight } of weightsOf(layer, taken, tokens ?? 0)) {
      const owner = layer.name ?? `${TFJS_NAMES[layer.kind] ?? layer.kind}_${number}`;
      const name = layer.kind === 'keras' ? suffix : `${owner}/${suffix}`;
      const length = sizeOf(weight.shape);
      own.push({ name, offset, length, ...weight, ...(layer.frozen ? { role: 'frozen' } : {}) });
      offset += length;
    }
    blocks.push(...own);
    const other = layer.kind === 'add' ? outputOf(layer.other, index) : undefined;
    const output = outputShape(layer, index, taken, other, tokens);
    layers.push({ index, layer, from, input: taken, output, blocks: own });
  });
  const output = layers.at(-1)?.output ?? input;
  const layout = { blocks, length: offset };
  const hasClasses = network.loss === 'softmax-cross-entropy';
  const targets = sizeOf(output) / (hasClasses ? (output.at(-1) ?? 1) : 1);
  return { network, layers, input, output, layout, targets, predictions: hasClasses ? targets : 1 };
}

const TFJS_NAMES: Partial<Record<Layer['kind'], string>> = {
  depthwiseConv2d: 'depthwise_conv2d',
  batchNorm: 'batch_normalization',
  layerNorm: 'layer_normalization',
};

/** Output size and padding before, along one axis, as TensorFlow computes them. */
export function slide(
  size: number,
  window: number,
  stride: number,
  padding: Padding,
): { size: number; before: number } {
  if (padding === 'valid') return { size: Math.floor((size - window) / stride) + 1, before: 0 };
  const steps = Math.ceil(size / stride);
  return { size: steps, before: Math.floor(Math.max(0, (steps - 1) * stride + window - size) / 2) };
}

/**
 * Of one example. `other`: the second summand of an add; `tokens`: the vocabulary, where the network's tokens are read.
 * @throws HushError `model/shape`.
 */
export function outputShape(
  layer: Layer,
  index: number,
  taken: Shape,
  other: Shape | undefined,
  tokens: number | undefined,
): Shape {
  const wrong = (expected: string): never => {
    const which = layer.name === undefined ? index : `"${layer.name}"`;
    throw new HushError(
      'model/shape',
      `Layer ${which}, ${layer.kind}, is given [${taken.join(', ')}], expected ${expected}.`,
    );
  };
  const last = taken.at(-1) ?? wrong('at least one axis');
  if (tokens !== undefined && layer.kind !== 'embedding' && layer.kind !== 'keras') wrong('values, not tokens');
  const slid = (window: Extent, strides: Extent, padding: Padding, channels: number): Shape => {
    const [height, width] = taken;
    if (taken.length !== 3 || height === undefined || width === undefined) return wrong('[height, width, channels]');
    const rows = slide(height, window[0], strides[0], padding).size;
    const columns = slide(width, window[1], strides[1], padding).size;
    if (rows < 1 || columns < 1) return wrong(`at least ${window.join(' by ')} values for its window`);
    return [rows, columns, channels];
  };
  switch (layer.kind) {
    case 'dense':
      return [...taken.slice(0, -1), layer.units];
    case 'conv2d':
      return slid(layer.kernelSize, layer.strides, layer.padding, layer.filters);
    case 'depthwiseConv2d':
      return slid(layer.kernelSize, layer.strides, layer.padding, last * layer.depthMultiplier);
    case 'maxPool2d':
    case 'averagePool2d':
      return slid(layer.poolSize, layer.strides, layer.padding, last);
    case 'embedding':
      return tokens === undefined ? wrong("the network's tokens") : [last, layer.width];
    case 'attention':
      if (taken.length !== 2 || last % (3 * layer.heads) !== 0) wrong(`[length, 3 · ${layer.heads} heads · width]`);
      return [taken[0] ?? 0, last / 3];
    case 'lstm':
      return taken.length === 2 ? [taken[0] ?? 0, layer.units] : wrong('[length, width]');
    case 'add':
      if (other?.join() !== taken.join()) wrong(`the shape of layer ${layer.other}, [${(other ?? []).join(', ')}]`);
      return taken;
    case 'flatten':
      return [sizeOf(taken)];
    case 'keras':
      return layer.model.output;
    case 'batchNorm':
    case 'layerNorm':
    case 'dropout':
    case 'activation':
      return taken;
    default:
      return layer satisfies never;
  }
}

type Weight = Omit<ParameterBlock, 'name' | 'offset' | 'length'> & { readonly suffix: string };

function weightsOf(layer: Layer, taken: Shape, vocabulary: number): Weight[] {
  const last = taken.at(-1) ?? 0;
  const learned = (suffix: string, shape: Shape, initialiser: Initialiser): Weight => ({
    suffix,
    shape,
    initialiser,
    role: 'learned',
  });
  const zeros = (suffix: string, size: number): Weight => learned(suffix, [size], { kind: 'zeros' });
  const ones = (suffix: string, size: number): Weight => learned(suffix, [size], { kind: 'ones' });
  const glorot = (suffix: string, shape: Shape, fanIn: number, fanOut: number): Weight =>
    learned(suffix, shape, { kind: 'uniform', limit: Math.sqrt(6 / (fanIn + fanOut)) });
  switch (layer.kind) {
    case 'dense':
      return [
        glorot('kernel', [last, layer.units], last, layer.units),
        ...(layer.useBias ? [zeros('bias', layer.units)] : []),
      ];
    case 'conv2d': {
      const area = layer.kernelSize[0] * layer.kernelSize[1];
      return [
        glorot('kernel', [...layer.kernelSize, last, layer.filters], area * last, area * layer.filters),
        ...(layer.useBias ? [zeros('bias', layer.filters)] : []),
      ];
    }
    case 'depthwiseConv2d': {
      const area = layer.kernelSize[0] * layer.kernelSize[1];
      const shape = [...layer.kernelSize, last, layer.depthMultiplier];
      return [
        glorot('depthwise_kernel', shape, area * last, area * layer.depthMultiplier),
        ...(layer.useBias ? [zeros('bias', last * layer.depthMultiplier)] : []),
      ];
    }
    case 'batchNorm':
      return [
        ones('gamma', last),
        zeros('beta', last),
        { ...zeros('moving_mean', last), role: 'statistic' },
        { ...ones('moving_variance', last), role: 'statistic', minimum: 0 },
      ];
    case 'layerNorm':
      return [ones('gamma', last), zeros('beta', last)];
    case 'embedding':
      return [
        learned('embeddings', [vocabulary, layer.width], EMBEDDING),
        ...(layer.positions ? [learned('positions', [last, layer.width], EMBEDDING)] : []),
      ];
    case 'lstm':
      return [
        glorot('kernel', [last, 4 * layer.units], last, 4 * layer.units),
        glorot('recurrent_kernel', [layer.units, 4 * layer.units], layer.units, 4 * layer.units),
        zeros('bias', 4 * layer.units),
      ];
    case 'keras':
      return layer.model.weights.map(kerasWeight);
    default:
      return [];
  }
}

/** By what Keras calls it: it begins as the weights of our own layers do, whatever initialiser the file names. */
function kerasWeight({ name, shape, frozen }: KerasWeight): Weight {
  const kind = name.slice(name.lastIndexOf('/') + 1);
  const role = frozen ? 'frozen' : kind.startsWith('moving_') ? 'statistic' : 'learned';
  const minimum = kind === 'moving_variance' ? { minimum: 0 } : {};
  return { suffix: name, shape, initialiser: kerasInitialiser(kind, shape), role, ...minimum };
}

function kerasInitialiser(kind: string, shape: Shape): Initialiser {
  if (kind === 'embeddings') return EMBEDDING;
  if (kind === 'gamma' || kind === 'moving_variance') return { kind: 'ones' };
  const [from = 1, to = 1] = shape.slice(-2);
  if (!kind.endsWith('kernel') || shape.length < 2) return { kind: 'zeros' };
  return { kind: 'uniform', limit: Math.sqrt(6 / (sizeOf(shape.slice(0, -2)) * (from + to))) };
}

const EMBEDDING: Initialiser = { kind: 'uniform', limit: 0.05 };
