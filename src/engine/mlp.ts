/**
 * Forward and backward pass of dense layers, written out: half the dispatches of automatic differentiation, and no
 * softmax followed by a logarithm. Parameters are kernel and bias of each layer in turn, as the ParameterLayout has them.
 */
import {
  add,
  argMax,
  cast,
  clipByValue,
  div,
  equal,
  fused,
  log,
  matMul,
  mul,
  neg,
  oneHot,
  ones,
  reshape,
  sigmoid,
  softmax,
  square,
  step,
  sub,
  sum,
  tanh,
  transpose,
} from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { ModelSpec } from '../core/modelSpec.ts';
import { MAX_SAMPLE_LOSS } from '../core/sumSpec.ts';

/** One batch on the device. */
export interface Batch {
  /** Shape [rows, inputs]. */
  readonly inputs: Tensor2D;
  /** Shape [rows], int32. */
  readonly labels: Tensor1D;
  readonly rows: number;
}

/** Sums over samples, on the device, shape []. */
export interface Tally {
  readonly loss: Tensor;
  readonly correct: Tensor;
}

interface Pass {
  /** Input of each layer, the batch first. */
  readonly activations: readonly Tensor2D[];
  /** Shape [rows, outputs]. */
  readonly probabilities: Tensor2D;
  readonly oneHotLabels: Tensor2D;
}

export class Mlp {
  readonly #activation: ModelSpec['activation'];
  readonly #outputs: number;
  readonly #copiesTransposed: boolean;

  constructor(spec: ModelSpec, copiesTransposed: boolean) {
    this.#activation = spec.activation;
    this.#outputs = spec.outputs;
    this.#copiesTransposed = copiesTransposed;
  }

  forward(parameters: readonly Tensor[], batch: Batch): Pass {
    const activations: Tensor2D[] = [];
    let signal = batch.inputs;
    for (let i = 0; i < parameters.length; i += 2) {
      activations.push(signal);
      signal = this.#dense(
        signal,
        parameters[i] as Tensor2D,
        parameters[i + 1] as Tensor1D,
        i + 2 === parameters.length,
      );
    }
    // As int32 first: asked for float32, the wasm kernel of tfjs 4.22 writes the bits of an integer.
    const oneHotLabels: Tensor2D = cast(oneHot(batch.labels, this.#outputs) as Tensor2D, 'float32');
    return { activations, probabilities: softmax(signal), oneHotLabels };
  }

  #dense(a: Tensor2D, b: Tensor2D, bias: Tensor1D, last: boolean): Tensor2D {
    // No backend fuses tanh, and fused sigmoid is wrong on webgl for odd widths (see webglBackend.ts).
    const activation = last ? 'linear' : this.#activation;
    const signal = fused.matMul({ a, b, bias, activation: activation === 'relu' ? 'relu' : 'linear' }) as Tensor2D;
    if (activation === 'tanh') return tanh(signal);
    return activation === 'sigmoid' ? sigmoid(signal) : signal;
  }

  /** Of the mean cross-entropy over the batch, in the order of the parameters. */
  gradients(parameters: readonly Tensor[], batch: Batch, pass: Pass): Tensor[] {
    const { activations, probabilities, oneHotLabels } = pass;
    const gradients: Tensor[] = [];
    let delta: Tensor2D = div(sub(probabilities, oneHotLabels), batch.rows);
    for (let i = parameters.length - 2; i >= 0; i -= 2) {
      const input = activations[i / 2] as Tensor2D;
      gradients.unshift(this.#transposedTimes(input, delta), this.#columnSums(delta));
      if (i > 0) delta = this.#throughActivation(this.#timesTransposed(delta, parameters[i] as Tensor2D), input);
    }
    return gradients;
  }

  #transposedTimes(a: Tensor2D, b: Tensor2D): Tensor {
    return this.#copiesTransposed ? matMul(transpose(a), b) : matMul(a, b, true, false);
  }

  #timesTransposed(a: Tensor2D, b: Tensor2D): Tensor2D {
    return this.#copiesTransposed ? matMul(a, transpose(b)) : matMul(a, b, false, true);
  }

  #columnSums(delta: Tensor2D): Tensor {
    if (!this.#copiesTransposed) return sum(delta, 0);
    const [rows, columns] = delta.shape;
    return reshape(matMul(ones([1, rows]), delta), [columns]);
  }

  /** `after` is what the activation gave. */
  #throughActivation(delta: Tensor2D, after: Tensor2D): Tensor2D {
    switch (this.#activation) {
      case 'relu':
        return mul(delta, step(after));
      case 'tanh':
        return mul(delta, sub(1, square(after)));
      case 'sigmoid':
        return mul(delta, mul(after, sub(1, after)));
      default:
        return this.#activation satisfies never;
    }
  }

  /** Adds the batch to `tally`. A sample's loss counts at most MAX_SAMPLE_LOSS, which float32 can still tell from 0. */
  tally(pass: Pass, batch: Batch, tally: Tally): Tally {
    const ofLabel = sum(mul(pass.probabilities, pass.oneHotLabels), 1);
    const losses = neg(log(clipByValue(ofLabel, Math.exp(-MAX_SAMPLE_LOSS), 1)));
    const hits = equal(argMax(pass.probabilities, 1), batch.labels);
    return { loss: add(tally.loss, sum(losses)), correct: add(tally.correct, sum(cast(hits, 'float32'))) };
  }
}
