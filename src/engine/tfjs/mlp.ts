/**
 * Forward and backward pass of dense layers with biases and softmax cross-entropy, written out: half the dispatches of
 * automatic differentiation. Parameters are kernel and bias of each layer in turn, as the ParameterLayout has them.
 */
import {
  fused,
  matMul,
  mul,
  ones,
  reshape,
  sigmoid,
  square,
  step,
  sub,
  sum,
  tanh,
  transpose,
} from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { Activation } from '../../core/network.ts';
import { lossRule } from './losses.ts';
import type { LossRule } from './losses.ts';
import type { Batch, Learned, TensorModel } from './model.ts';

/** Dense layers with biases, one after the other, over a flat input; the last one gives the logits of the classes. */
export function isMlp({ network, layers, input }: PlacedNetwork): boolean {
  if (network.loss !== 'softmax-cross-entropy' || input.length !== 1 || layers.length === 0) return false;
  return layers.every(({ layer, index, from }) => {
    if (layer.kind !== 'dense' || !layer.useBias || from !== index - 1) return false;
    return index === layers.length - 1 ? layer.activation === 'linear' : layer.activation !== 'gelu';
  });
}

export class Mlp implements TensorModel {
  /** Of each layer. */
  readonly #activations: readonly Activation[];
  readonly #isFrozen: readonly boolean[];
  readonly #rule: LossRule;
  readonly #copiesTransposed: boolean;

  /** `placed` is one for which `isMlp` holds. */
  constructor({ network, layers }: PlacedNetwork, copiesTransposed: boolean) {
    this.#activations = layers.map(({ layer }) => (layer.kind === 'dense' ? layer.activation : 'linear'));
    this.#isFrozen = layers.map(({ layer }) => layer.frozen ?? false);
    this.#rule = lossRule(network.loss);
    this.#copiesTransposed = copiesTransposed;
  }

  learn(parameters: readonly Tensor[], batch: Batch): Learned {
    const { inputs, output } = this.#forward(parameters, batch.inputs);
    const predicted = this.#rule.predict(output);
    const gradients: Tensor[] = [];
    let delta = this.#rule.delta(predicted, batch);
    for (let i = parameters.length - 2; i >= 0; i -= 2) {
      const input = inputs[i / 2] as Tensor2D;
      if (!this.#isFrozen[i / 2]) gradients.unshift(this.#transposedTimes(input, delta), this.#columnSums(delta));
      if (i === 0) break;
      const activation = this.#activations[i / 2 - 1] ?? 'linear';
      delta = throughActivation(activation, this.#timesTransposed(delta, parameters[i] as Tensor2D), input);
    }
    return { gradients, statistics: [], predicted };
  }

  output(parameters: readonly Tensor[], inputs: Tensor): Tensor2D {
    return this.#forward(parameters, inputs).output;
  }

  /** Input of each layer, the batch first, and the logits. */
  #forward(parameters: readonly Tensor[], batch: Tensor): { inputs: readonly Tensor2D[]; output: Tensor2D } {
    const inputs: Tensor2D[] = [];
    let signal = batch as Tensor2D;
    this.#activations.forEach((activation, i) => {
      inputs.push(signal);
      signal = dense(signal, parameters[2 * i] as Tensor2D, parameters[2 * i + 1] as Tensor1D, activation);
    });
    return { inputs, output: signal };
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
}

function dense(a: Tensor2D, b: Tensor2D, bias: Tensor1D, activation: Activation): Tensor2D {
  // No backend fuses tanh, and fused sigmoid is wrong on webgl for odd widths (see webglBackend.ts).
  const signal = fused.matMul({ a, b, bias, activation: activation === 'relu' ? 'relu' : 'linear' }) as Tensor2D;
  if (activation === 'tanh') return tanh(signal);
  return activation === 'sigmoid' ? sigmoid(signal) : signal;
}

/** `after` is what the activation gave. */
function throughActivation(activation: Activation, delta: Tensor2D, after: Tensor2D): Tensor2D {
  switch (activation) {
    case 'relu':
      return mul(delta, step(after));
    case 'tanh':
      return mul(delta, sub(1, square(after)));
    case 'sigmoid':
      return mul(delta, mul(after, sub(1, after)));
    case 'linear':
      return delta;
    case 'gelu':
      throw new RangeError('a gelu is not known by what it gave');
    default:
      return activation satisfies never;
  }
}
