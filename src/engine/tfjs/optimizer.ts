/** The rules that turn a gradient into a step. Each is made for one local training and forgets everything after it. */
import { add, div, keep, mul, scalar, sqrt, square, sub, zerosLike } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { LocalTraining } from '../../core/plan.ts';

/** Kingma and Ba 2015, "Adam", algorithm 1, with the values that they recommend. */
const ADAM_BETA1 = 0.9;
const ADAM_BETA2 = 0.999;
const ADAM_EPSILON = 1e-8;

export interface Stepped {
  readonly parameters: Tensor[];
  /** What the rule remembers from step to step: as many tensors as it has moments, times the parameters. */
  readonly state: Tensor[];
}

export interface Optimizer {
  start(parameters: readonly Tensor[]): Tensor[];
  /** New tensors; disposes none. */
  step(parameters: readonly Tensor[], gradients: readonly Tensor[], state: readonly Tensor[]): Stepped;
  dispose(): void;
}

export function createOptimizer({ optimizer, learningRate }: LocalTraining): Optimizer {
  const rate = keep(scalar(learningRate));
  if (optimizer.kind === 'adam') return adam(learningRate, rate, 0);
  if (optimizer.kind === 'adamw') return adam(learningRate, rate, optimizer.weightDecay);
  if (optimizer.kind === 'momentum') return momentum(rate, keep(scalar(optimizer.momentum)));
  return {
    start: () => [],
    step: (parameters, gradients) => ({ parameters: descend(parameters, gradients, rate), state: [] }),
    dispose: () => rate.dispose(),
  };
}

/** v ← momentum · v + g; p ← p − rate · v (Sutskever et al. 2013, section 2, in the form where the rate is outside). */
function momentum(rate: Tensor, factor: Tensor): Optimizer {
  return {
    start: (parameters) => parameters.map((parameter) => zerosLike(parameter)),
    step: (parameters, gradients, state) => {
      const velocities = state.map((velocity, i) => add(mul(velocity, factor), at(gradients, i)));
      return { parameters: descend(parameters, velocities, rate), state: velocities };
    },
    dispose: () => {
      rate.dispose();
      factor.dispose();
    },
  };
}

/** With `weightDecay`, p shrinks by rate · weightDecay · p beside (Loshchilov and Hutter 2019, algorithm 2). */
function adam(learningRate: number, rate: Tensor, weightDecay: number): Optimizer {
  const [beta1, beta2, rest1, rest2, epsilon, remains] = [
    ADAM_BETA1,
    ADAM_BETA2,
    1 - ADAM_BETA1,
    1 - ADAM_BETA2,
    ADAM_EPSILON,
    1 - learningRate * weightDecay,
  ].map((value) => keep(scalar(value))) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
  let steps = 0;
  return {
    start: (parameters) => [...parameters, ...parameters].map((parameter) => zerosLike(parameter)),
    step: (parameters, gradients, state) => {
      steps++;
      const firsts = gradients.map((gradient, i) => add(mul(at(state, i), beta1), mul(gradient, rest1)));
      const seconds = gradients.map((gradient, i) =>
        add(mul(at(state, gradients.length + i), beta2), mul(square(gradient), rest2)),
      );
      const correctedRate = scalar(learningRate / (1 - ADAM_BETA1 ** steps));
      const correction = scalar(1 / (1 - ADAM_BETA2 ** steps));
      const directions = firsts.map((first, i) => div(first, add(sqrt(mul(at(seconds, i), correction)), epsilon)));
      const decayed = weightDecay > 0 ? parameters.map((parameter) => mul(parameter, remains)) : parameters;
      return { parameters: descend(decayed, directions, correctedRate), state: [...firsts, ...seconds] };
    },
    dispose: () => {
      for (const constant of [rate, beta1, beta2, rest1, rest2, epsilon, remains]) constant.dispose();
    },
  };
}

function descend(parameters: readonly Tensor[], directions: readonly Tensor[], rate: Tensor): Tensor[] {
  return parameters.map((parameter, i) => sub(parameter, mul(at(directions, i), rate)));
}

function at(tensors: readonly Tensor[], i: number): Tensor {
  const tensor = tensors[i];
  if (!tensor) throw new RangeError(`tensor ${i} of ${tensors.length}`);
  return tensor;
}
