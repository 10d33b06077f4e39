/** The losses on tfjs: what a batch's output costs, how it should change, and how much of it is right. */
import {
  abs,
  add,
  argMax,
  cast,
  clipByValue,
  customGrad,
  div,
  equal,
  exp,
  greater,
  log,
  log1p,
  mean,
  min,
  minimum,
  mul,
  neg,
  relu,
  scalar,
  sigmoid,
  softmax,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core';
import type { GradSaveFunc, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { Loss } from '../../core/network.ts';
import { MAX_SAMPLE_LOSS } from '../../core/figures.ts';
import type { Batch } from './model.ts';

/** Sums over predictions, on the device, shape []. */
export interface Tally {
  readonly loss: Tensor;
  readonly correct: Tensor;
}

/** All of shape [predictions, values of one] unless said otherwise. */
export interface LossRule {
  /** What the others start from: probabilities of classes, or the output as it is. */
  predict(output: Tensor2D): Tensor2D;
  /** Gradient of the batch's mean loss by the output. */
  delta(predicted: Tensor2D, batch: Batch): Tensor2D;
  /** Shape [predictions], each at most MAX_SAMPLE_LOSS. */
  losses(predicted: Tensor2D, batch: Batch): Tensor;
  /** Float32, 1 for each prediction that is right, else 0; of any shape. */
  hits(predicted: Tensor2D, batch: Batch): Tensor;
}

export function lossRule(loss: Loss): LossRule {
  switch (loss) {
    case 'softmax-cross-entropy':
      return SOFTMAX;
    case 'binary-cross-entropy':
      return BINARY;
    case 'mean-squared-error':
      return SQUARED;
    default:
      return loss satisfies never;
  }
}

/** Adds the batch to `tally`. */
export function tallied(rule: LossRule, predicted: Tensor2D, batch: Batch, tally: Tally): Tally {
  const { loss, correct } = tally;
  return {
    loss: add(loss, sum(rule.losses(predicted, batch))),
    correct: add(correct, sum(rule.hits(predicted, batch))),
  };
}

/**
 * The batch's mean loss by what the last layer gives, with the loss's own gradient, which loses less to rounding than that
 * of its steps. `held` is given what is predicted.
 */
export function meanLoss(
  rule: LossRule,
  batch: Batch,
  held: (predicted: Tensor2D) => Tensor2D,
): (output: Tensor2D) => Tensor {
  return customGrad((output, save) => {
    const predicted = held(rule.predict(output as Tensor2D));
    (save as GradSaveFunc)([rule.delta(predicted, batch)]);
    return {
      value: mean(rule.losses(predicted, batch)),
      gradFunc: (dy: Tensor, [delta]: Tensor[]) => mul(delta as Tensor, dy),
    };
  });
}

const SOFTMAX: LossRule = {
  predict: (output) => softmax(output),
  delta: (predicted, { expected }) => div(sub(predicted, expected), scalar(expected.shape[0])),
  losses: (predicted, { expected }) => {
    const ofClass = sum(mul(predicted, expected), 1);
    // Float32 can still tell this bound from 0.
    return neg(log(clipByValue(ofClass, Math.exp(-MAX_SAMPLE_LOSS), 1)));
  },
  hits: (predicted, { classes }) => cast(equal(argMax(predicted, 1), classes ?? 0), 'float32'),
};

const BINARY: LossRule = {
  predict: (output) => output,
  delta: (output, { expected }) => div(sub(sigmoid(output), expected), scalar(expected.size)),
  // −t ln σ(x) − (1 − t) ln(1 − σ(x)), in the form that does not overflow.
  losses: (output, { expected }) =>
    capped(mean(add(sub(relu(output), mul(output, expected)), log1p(exp(neg(abs(output))))), 1)),
  hits: (output, { expected }) => {
    const right = equal(cast(greater(output, 0), 'float32'), cast(greater(expected, 0.5), 'float32'));
    return min(cast(right, 'float32'), 1);
  },
};

const SQUARED: LossRule = {
  predict: (output) => output,
  delta: (output, { expected }) => mul(sub(output, expected), scalar(2 / expected.size)),
  losses: (output, { expected }) => capped(mean(square(sub(output, expected)), 1)),
  hits: () => scalar(0),
};

function capped(losses: Tensor): Tensor {
  return minimum(losses, MAX_SAMPLE_LOSS);
}
