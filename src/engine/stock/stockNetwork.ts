/** A network in the public operations of tfjs, differentiated by tfjs: as its users write a model. */
import {
  add,
  avgPool,
  concat,
  depthwiseConv2d,
  fused,
  gather,
  keep,
  matMul,
  maxPool,
  mean,
  mul,
  oneHot,
  cast,
  relu,
  reshape,
  rsqrt,
  sigmoid,
  softmax,
  split,
  square,
  stack,
  sub,
  tanh,
  tensor2d,
  transpose,
  unstack,
  zeros,
} from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { HushError } from '../../core/errors.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedLayer, PlacedNetwork } from '../../core/layerShapes.ts';
import type { Activation, Layer, Network } from '../../core/network.ts';

type LayerOf<Kind extends Layer['kind']> = Extract<Layer, { readonly kind: Kind }>;

/** Which form of an operation a backend can differentiate. */
export interface StockHabits {
  /** The gradient of gather needs UnsortedSegmentSum, which the wasm backend of tfjs 4.22 has not. */
  readonly embedsByProduct: boolean;
  /** Of attention layers by their length; whoever made the map disposes them. */
  readonly masks: Map<number, Tensor>;
}

const STRANGE: readonly Layer['kind'][] = ['dropout', 'batchNorm', 'keras'];

/** @throws HushError `engine/unavailable` for a layer or a loss that is not compared with stock tfjs. */
export function checkStock({ layers, loss }: Network): void {
  const strange = layers.find(({ kind }) => STRANGE.includes(kind))?.kind;
  const what = loss === 'softmax-cross-entropy' ? strange : loss;
  if (what === undefined) return;
  throw new HushError('engine/unavailable', `Stock tfjs is not set up here for "${what}".`);
}

/**
 * `weights`: one tensor for each block of the layout. `inputs`: shape [rows, …input], int32 for tokens. Gives what the
 * last layer does, before any softmax. To be called inside a tidy.
 */
export function forward(
  placed: PlacedNetwork,
  weights: readonly Tensor[],
  inputs: Tensor,
  habits: StockHabits,
): Tensor {
  const outputs: Tensor[] = [];
  const at = (index: number): Tensor => (index === -1 ? inputs : (outputs[index] as Tensor));
  let used = 0;
  for (const layer of placed.layers) {
    const own = weights.slice(used, used + layer.blocks.length);
    used += layer.blocks.length;
    outputs.push(
      layer.layer.kind === 'add'
        ? add(at(layer.from), at(layer.layer.other))
        : run(layer, own, at(layer.from), habits, placed),
    );
  }
  return outputs.at(-1) ?? inputs;
}

function run(
  { layer, input, output }: PlacedLayer,
  own: readonly Tensor[],
  x: Tensor,
  habits: StockHabits,
  { network }: PlacedNetwork,
): Tensor {
  const rows = x.shape[0] ?? 0;
  const [first, second, third] = own;
  switch (layer.kind) {
    case 'dense': {
      const flat: Tensor2D = reshape(x, [-1, input.at(-1) ?? 0]);
      const bias = second ? { bias: second } : {};
      const product = fused.matMul({ a: flat, b: first as Tensor2D, ...bias, activation: fusable(layer.activation) });
      return reshape(activate(product, unfused(layer.activation)), [rows, ...output]);
    }
    case 'conv2d': {
      const { strides, padding: pad } = layer;
      const bias = second ? { bias: second } : {};
      const activation = fusable(layer.activation);
      const options = { x: x as Tensor4D, filter: first as Tensor4D, strides: [...strides] as [number, number] };
      return activate(fused.conv2d({ ...options, pad, ...bias, activation }), unfused(layer.activation));
    }
    case 'depthwiseConv2d': {
      const strides = [...layer.strides] as [number, number];
      const product = depthwiseConv2d(x as Tensor4D, first as Tensor4D, strides, layer.padding);
      return activate(second ? add(product, second) : product, layer.activation);
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const pool = layer.kind === 'maxPool2d' ? maxPool : avgPool;
      const size = [...layer.poolSize] as [number, number];
      const strides = [...layer.strides] as [number, number];
      return pool(x as Tensor4D, size, strides, layer.padding);
    }
    case 'layerNorm': {
      const centred = sub(x, mean(x, -1, true));
      const scaled = mul(centred, rsqrt(add(mean(square(centred), -1, true), layer.epsilon)));
      return add(mul(scaled, first as Tensor), second as Tensor);
    }
    case 'embedding': {
      const vocabulary = network.input.kind === 'tokens' ? network.input.vocabulary : 0;
      const table = first as Tensor2D;
      const vectors = habits.embedsByProduct
        ? matMul(cast(oneHot(reshape(x, [-1]), vocabulary), 'float32') as Tensor2D, table)
        : gather(table, reshape(x, [-1]));
      const shaped = reshape(vectors, [rows, ...output]);
      return second ? add(shaped, second) : shaped;
    }
    case 'attention':
      return attention(layer, x as Tensor3D, habits.masks);
    case 'lstm':
      return lstm(layer, x as Tensor3D, [first, second, third] as [Tensor2D, Tensor2D, Tensor1D]);
    case 'activation':
      return activate(x, layer.activation);
    case 'flatten':
      return reshape(x, [rows, sizeOf(input)]);
    case 'add':
    case 'batchNorm':
    case 'dropout':
    case 'keras':
      throw new HushError('engine/unavailable', `Stock tfjs is not set up here for "${layer.kind}".`);
    default:
      return layer satisfies never;
  }
}

function attention({ heads }: LayerOf<'attention'>, x: Tensor3D, masks: Map<number, Tensor>): Tensor {
  const [rows, length, wide] = x.shape;
  const width = wide / 3;
  const size = width / heads;
  const [query, key, value] = split(x, 3, 2).map((part) =>
    transpose(reshape(part, [rows, length, heads, size]), [0, 2, 1, 3]),
  ) as [Tensor, Tensor, Tensor];
  const scores = mul(matMul(query, key, false, true), 1 / Math.sqrt(size));
  const mixed = matMul(softmax(add(scores, causalMask(length, masks))), value);
  return reshape(transpose(mixed, [0, 2, 1, 3]), [rows, length, width]);
}

/** 0 where a place may look, very negative where the future is; shape [length, length]. Made once, as a user would. */
function causalMask(length: number, kept: Map<number, Tensor>): Tensor {
  let mask = kept.get(length);
  if (!mask) {
    const future = (i: number): boolean => i % length > Math.floor(i / length);
    const values = Float32Array.from({ length: length * length }, (_, i) => (future(i) ? -1e9 : 0));
    mask = keep(tensor2d(values, [length, length]));
    kept.set(length, mask);
  }
  return mask;
}

function lstm(
  { units }: LayerOf<'lstm'>,
  x: Tensor3D,
  [kernel, recurrent, bias]: [Tensor2D, Tensor2D, Tensor1D],
): Tensor {
  const [rows] = x.shape;
  let hidden = zeros([rows, units]) as Tensor2D;
  let cell = hidden;
  const weights = concat([kernel, recurrent], 0);
  const states = unstack(x, 1).map((input) => {
    const gates: Tensor2D = add(matMul(concat([input as Tensor2D, hidden], 1), weights), bias);
    const [entry, keep, candidate, exit] = split(gates, 4, 1) as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    cell = add(mul(sigmoid(keep), cell), mul(sigmoid(entry), tanh(candidate)));
    hidden = mul(sigmoid(exit), tanh(cell));
    return hidden;
  });
  return stack(states, 1);
}

function fusable(activation: Activation): 'linear' | 'relu' {
  return activation === 'relu' ? 'relu' : 'linear';
}

function unfused(activation: Activation): Activation {
  return activation === 'relu' ? 'linear' : activation;
}

function activate(x: Tensor, activation: Activation): Tensor {
  switch (activation) {
    case 'linear':
      return x;
    case 'relu':
      return relu(x);
    case 'tanh':
      return tanh(x);
    case 'sigmoid':
      return sigmoid(x);
    case 'gelu':
      return gelu(x);
    default:
      return activation satisfies never;
  }
}

/** Hendrycks and Gimpel 2016, "GELU", section 2, the approximation by tanh. */
function gelu(x: Tensor): Tensor {
  const inner = mul(add(x, mul(mul(square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}
