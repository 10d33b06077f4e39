/**
 * A network as a list of layers, each on the output of an earlier one: what every engine trains. Known without any
 * training library. Values are float32; images lie as [height, width, channels], sequences as [length, width].
 */

export type Activation = 'linear' | 'relu' | 'tanh' | 'sigmoid' | 'gelu';

export type Padding = 'same' | 'valid';

/** [height, width]. */
export type Extent = readonly [number, number];

interface Convolution {
  readonly kernelSize: Extent;
  readonly strides: Extent;
  readonly padding: Padding;
  readonly activation: Activation;
  readonly useBias: boolean;
}

/** `padding` as TensorFlow has it: average pooling divides by the values that are there. */
interface Pooling {
  readonly poolSize: Extent;
  readonly strides: Extent;
  readonly padding: Padding;
}

export type Layer = (
  | { readonly kind: 'dense'; readonly units: number; readonly activation: Activation; readonly useBias: boolean }
  | ({ readonly kind: 'conv2d'; readonly filters: number } & Convolution)
  | ({ readonly kind: 'depthwiseConv2d'; readonly depthMultiplier: number } & Convolution)
  | ({ readonly kind: 'maxPool2d' } & Pooling)
  | ({ readonly kind: 'averagePool2d' } & Pooling)
  /** Over all but the last axis (Ioffe and Szegedy 2015); moving ← momentum · moving + (1 − momentum) · batch. */
  | { readonly kind: 'batchNorm'; readonly momentum: number; readonly epsilon: number }
  /** Over the last axis (Ba, Kiros and Hinton 2016). */
  | { readonly kind: 'layerNorm'; readonly epsilon: number }
  /** What is kept is divided by 1 − rate; which values are kept comes from `dropout.ts`. */
  | { readonly kind: 'dropout'; readonly rate: number }
  /** [length] tokens to [length, width], with a learned vector for each place added if `positions`. */
  | { readonly kind: 'embedding'; readonly width: number; readonly positions: boolean }
  /**
   * Causal scaled dot-product attention (Vaswani et al. 2017, section 3.2): [length, 3 · width], query, key and value
   * beside each other and each cut into `heads`, to [length, width]. Its projections are dense layers of their own.
   */
  | { readonly kind: 'attention'; readonly heads: number }
  /** Long short-term memory (Hochreiter and Schmidhuber 1997, as Keras has it): [length, width] to [length, units]. */
  | { readonly kind: 'lstm'; readonly units: number }
  | { readonly kind: 'activation'; readonly activation: Activation }
  /** Adds the output of the layer `other` to that of `from`. */
  | { readonly kind: 'add'; readonly other: number }
  | { readonly kind: 'flatten' }
  /** A model of Keras layers of which some are none of the above: run by tfjs layers, as the network's only layer. */
  | { readonly kind: 'keras'; readonly model: KerasModel }
) & {
  /** Index of the layer whose output this one takes; −1 is the network's input; without it, the one before. */
  readonly from?: number;
  /** What the names of its weights begin with; without it, its kind and number among those of its kind. */
  readonly name?: string;
  /** Its parameters stay as they are, and a batch normalisation uses its moving mean and variance in training too. */
  readonly frozen?: boolean;
};

export interface KerasModel {
  /** As a model.json has it, but that what its last layer gives is before any softmax or sigmoid. */
  readonly topology: object;
  readonly weights: readonly KerasWeight[];
  /** Of one example. */
  readonly output: readonly number[];
  /** In training some of its layers drop values at random. */
  readonly drops: boolean;
}

export interface KerasWeight {
  /** As the model.json has it, such as "gru/kernel". */
  readonly name: string;
  readonly shape: readonly number[];
  /** Name of the layer in the topology that it belongs to. */
  readonly layer: string;
  /** As in a layer: it stays as it is. */
  readonly frozen?: boolean;
}

export type NetworkInput =
  | { readonly kind: 'values'; readonly shape: readonly number[] }
  /** Integers from 0 to vocabulary − 1. */
  | { readonly kind: 'tokens'; readonly length: number; readonly vocabulary: number };

/**
 * Of the last layer's output, before any softmax or sigmoid. The mean over the batch and over all targets of an example;
 * softmax cross-entropy has one target, a class, for each row of the last axis, the others one for each value.
 */
export type Loss = 'softmax-cross-entropy' | 'binary-cross-entropy' | 'mean-squared-error';

export interface Network {
  readonly input: NetworkInput;
  readonly layers: readonly Layer[];
  readonly loss: Loss;
}

/** Whether what it gives in training depends on the place of an example in its batch. */
export function dropsValues({ layers }: Network): boolean {
  return layers.some((layer) => layer.kind === 'dropout' || (layer.kind === 'keras' && layer.model.drops));
}
