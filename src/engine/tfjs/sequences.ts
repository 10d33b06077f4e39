/** The layers that work along a sequence, in tfjs operations that it can differentiate. */
import {
  add,
  cast,
  gather,
  getBackend,
  matMul,
  mul,
  oneHot,
  reshape,
  sigmoid,
  softmax,
  split,
  stack,
  tanh,
  tensor,
  transpose,
  unstack,
  zeros,
} from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { hasKernel, SCATTER_KERNEL } from './kernels.ts';

/** Low enough that nothing is left of it after a softmax. */
const MASKED = -1e9;

/** [rows, length] tokens, int32, to [rows, length, width]. */
export function embedding(tokens: Tensor2D, weights: readonly Tensor[]): Tensor {
  const [table, positions] = weights as [Tensor2D, Tensor2D?];
  const vectors = rowsOf(table, tokens);
  return positions ? add(vectors, positions) : vectors;
}

/** The backend that lacks the gradient of a look-up has that of a product. */
function rowsOf(table: Tensor2D, tokens: Tensor2D): Tensor {
  if (hasKernel(SCATTER_KERNEL, getBackend())) return gather(table, tokens);
  const [vocabulary, width] = table.shape;
  const selectors = cast(oneHot(reshape(tokens, [tokens.size]), vocabulary), 'float32') as Tensor2D;
  return reshape(matMul(selectors, table), [...tokens.shape, width]);
}

/** [rows, length, 3 · width] to [rows, length, width]; see `network.ts`. */
export function attention(input: Tensor3D, heads: number): Tensor {
  const [rows, length, tripled] = input.shape;
  const width = tripled / 3;
  const size = width / heads;
  const [query, key, value] = split(input, 3, 2).map((part) =>
    transpose(reshape(part, [rows, length, heads, size]), [0, 2, 1, 3]),
  ) as [Tensor4D, Tensor4D, Tensor4D];
  const scores = mul(matMul(query, key, false, true), 1 / Math.sqrt(size));
  const weights = softmax(add(scores, causalMask(length)));
  return reshape(transpose(matMul(weights, value), [0, 2, 1, 3]), [rows, length, width]);
}

/** [length, length]: nothing may look at what comes after it. */
function causalMask(length: number): Tensor {
  const values = Float32Array.from({ length: length * length }, (_, i) =>
    i % length > Math.floor(i / length) ? MASKED : 0,
  );
  return tensor(values, [length, length]);
}

/** [rows, length, width] to [rows, length, units], from a state of zeros. */
export function lstm(input: Tensor3D, weights: readonly Tensor[]): Tensor {
  const [kernel, recurrent, bias] = weights as [Tensor2D, Tensor2D, Tensor];
  const [rows, length, width] = input.shape;
  const units = recurrent.shape[0];
  const projected = add(matMul(reshape(input, [rows * length, width]), kernel), bias);
  let hidden: Tensor = zeros([rows, units]);
  let cell: Tensor = zeros([rows, units]);
  const outputs = unstack(reshape(projected, [rows, length, 4 * units]), 1).map((step) => {
    const gates = add(step, matMul(hidden, recurrent));
    const [entering, kept, candidate, leaving] = split(gates, 4, 1) as [Tensor, Tensor, Tensor, Tensor];
    cell = add(mul(sigmoid(kept), cell), mul(sigmoid(entering), tanh(candidate)));
    hidden = mul(sigmoid(leaving), tanh(cell));
    return hidden;
  });
  return stack(outputs, 1);
}
