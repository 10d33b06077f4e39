/** What each layer does to a batch, in tfjs operations that it can differentiate. */
import {
  add,
  avgPool,
  conv2d,
  depthwiseConv2d,
  div,
  matMul,
  maxPool,
  mean,
  mul,
  pad,
  relu,
  reshape,
  sigmoid,
  sqrt,
  square,
  sub,
  tanh,
  tensor,
} from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { isKept } from '../../core/dropout.ts';
import { sizeOf, slide } from '../../core/layerShapes.ts';
import type { PlacedLayer, Shape } from '../../core/layerShapes.ts';
import type { Activation, Layer } from '../../core/network.ts';
import { attention, embedding, lstm } from './sequences.ts';

/** One forward pass. */
export interface Pass {
  readonly training: boolean;
  /** The key of a dropout layer by its index. */
  dropoutKeyOf(layer: number): number;
  /** Takes the new values of a layer's statistics, in the order of its blocks. */
  follow(statistics: readonly Tensor[]): void;
}

export interface LayerWork {
  readonly placed: PlacedLayer;
  readonly rows: number;
  /** Shape [rows, ...placed.input]. */
  readonly input: Tensor;
  /** One for each of the layer's blocks. */
  readonly weights: readonly Tensor[];
  readonly pass: Pass;
}

/** Shape [rows, ...placed.output]; of an add the first summand alone, since only the network has the other. */
export function applyLayer(work: LayerWork): Tensor {
  const { placed, rows, input, weights, pass } = work;
  const { layer } = placed;
  switch (layer.kind) {
    case 'dense':
      return dense(input, weights, layer, [rows, ...placed.output]);
    case 'conv2d': {
      const [kernel, bias] = weights as [Tensor4D, Tensor1D?];
      const sums = conv2d(input as Tensor4D, kernel, [...layer.strides], layer.padding);
      return activate(bias ? add(sums, bias) : sums, layer.activation);
    }
    case 'depthwiseConv2d': {
      const [kernel, bias] = weights as [Tensor4D, Tensor1D?];
      const sums = depthwiseConv2d(input as Tensor4D, kernel, [...layer.strides], layer.padding);
      return activate(bias ? add(sums, bias) : sums, layer.activation);
    }
    case 'maxPool2d':
      return maxPool(input as Tensor4D, [...layer.poolSize], [...layer.strides], layer.padding);
    case 'averagePool2d':
      return averagePooled(input as Tensor4D, layer, placed.input);
    case 'batchNorm':
      return batchNorm(input, weights, layer, pass);
    case 'layerNorm': {
      const [gamma, beta] = weights as [Tensor, Tensor];
      const { centred, variance } = moments(input, [input.rank - 1]);
      return add(mul(normalised(centred, variance, layer.epsilon), gamma), beta);
    }
    case 'dropout':
      return pass.training && layer.rate > 0 ? dropped(input, layer.rate, pass.dropoutKeyOf(placed.index)) : input;
    case 'embedding':
      return embedding(input as Tensor2D, weights);
    case 'attention':
      return attention(input as Tensor3D, layer.heads);
    case 'lstm':
      return lstm(input as Tensor3D, weights);
    case 'activation':
      return activate(input, layer.activation);
    case 'add':
      return input;
    case 'flatten':
      return reshape(input, [rows, sizeOf(placed.input)]);
    case 'keras':
      throw new RangeError('a model of Keras layers is its own network');
    default:
      return layer satisfies never;
  }
}

type Of<Kind extends Layer['kind']> = Extract<Layer, { readonly kind: Kind }>;

function dense(input: Tensor, weights: readonly Tensor[], layer: Of<'dense'>, shape: readonly number[]): Tensor {
  const [kernel, bias] = weights as [Tensor2D, Tensor1D?];
  const flat = reshape(input, [-1, kernel.shape[0]]) as Tensor2D;
  const sums = matMul(flat, kernel);
  return reshape(activate(bias ? add(sums, bias) : sums, layer.activation), [...shape]);
}

/**
 * Over the values that are there. The padding is laid around by hand: tfjs 4.22's gradient with padding "same" divides by
 * the whole window everywhere.
 */
export function averagePooled(
  input: Tensor4D,
  layer: Pick<Of<'averagePool2d'>, 'poolSize' | 'strides' | 'padding'>,
  shape: Shape,
): Tensor {
  const [height, width] = layer.poolSize;
  const pool = (values: Tensor4D): Tensor4D => avgPool(values, [height, width], [...layer.strides], 'valid');
  if (layer.padding === 'valid') return pool(input);
  const rows = paddedAxis(shape[0] ?? 0, height, layer.strides[0]);
  const columns = paddedAxis(shape[1] ?? 0, width, layer.strides[1]);
  const share = rows.there.flatMap((down) => columns.there.map((across) => (height * width) / (down * across)));
  const padded = pad(input, [[0, 0], rows.around, columns.around, [0, 0]]);
  return mul(pool(padded), tensor(share, [1, rows.there.length, columns.there.length, 1]));
}

interface PaddedAxis {
  /** Padding before and after. */
  readonly around: [number, number];
  /** How many values each window covers. */
  readonly there: readonly number[];
}

function paddedAxis(size: number, window: number, stride: number): PaddedAxis {
  const { size: steps, before } = slide(size, window, stride, 'same');
  const after = Math.max(0, (steps - 1) * stride + window - size) - before;
  const there = Array.from({ length: steps }, (_, i) => {
    const start = i * stride - before;
    return Math.min(start + window, size) - Math.max(start, 0);
  });
  return { around: [before, Math.max(0, after)], there };
}

function batchNorm(input: Tensor, weights: readonly Tensor[], layer: Of<'batchNorm'>, pass: Pass): Tensor {
  const [gamma, beta, movingMean, movingVariance] = weights as [Tensor, Tensor, Tensor, Tensor];
  const { momentum, epsilon } = layer;
  if (!pass.training || layer.frozen) {
    return add(mul(normalised(sub(input, movingMean), movingVariance, epsilon), gamma), beta);
  }
  const axes = Array.from({ length: input.rank - 1 }, (_, axis) => axis);
  const { average, centred, variance } = moments(input, axes);
  const moved = (moving: Tensor, batch: Tensor): Tensor =>
    add(mul(moving, momentum), mul(reshape(batch, moving.shape), 1 - momentum));
  pass.follow([moved(movingMean, average), moved(movingVariance, variance)]);
  return add(mul(normalised(centred, variance, epsilon), gamma), beta);
}

/** Mean and biased variance over `axes`, which they keep with size 1. */
function moments(input: Tensor, axes: number[]): { average: Tensor; centred: Tensor; variance: Tensor } {
  const average = mean(input, axes, true);
  const centred = sub(input, average);
  return { average, centred, variance: mean(square(centred), axes, true) };
}

function normalised(centred: Tensor, variance: Tensor, epsilon: number): Tensor {
  return div(centred, sqrt(add(variance, epsilon)));
}

/** What is kept is divided by 1 − rate. */
export function dropped(input: Tensor, rate: number, key: number): Tensor {
  const scale = 1 / (1 - rate);
  const factors = Float32Array.from({ length: input.size }, (_, i) => (isKept(key, i, rate) ? scale : 0));
  return mul(input, tensor(factors, input.shape));
}

const GELU_SLOPE = Math.sqrt(2 / Math.PI);

export function activate(input: Tensor, activation: Activation): Tensor {
  switch (activation) {
    case 'linear':
      return input;
    case 'relu':
      return relu(input);
    case 'tanh':
      return tanh(input);
    case 'sigmoid':
      return sigmoid(input);
    case 'gelu': {
      // Hendrycks and Gimpel 2016, section 2, the approximation by tanh.
      const cubic = mul(mul(square(input), input), 0.044715);
      return mul(mul(input, 0.5), add(tanh(mul(add(input, cubic), GELU_SLOPE)), 1));
    }
    default:
      return activation satisfies never;
  }
}
