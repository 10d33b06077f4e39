/** The tensors of one local training, from its first step to its last; nothing of it is left behind. */
import { add, clone, dispose, keep, mul, scalar, sub, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { LocalTraining } from '../core/plan.ts';
import type { RowBatch } from './batches.ts';
import type { Batch, Mlp, Tally } from './mlp.ts';
import { createOptimizer } from './optimizer.ts';
import type { Optimizer } from './optimizer.ts';

export class LocalRun {
  readonly #model: Mlp;
  readonly #optimizer: Optimizer;
  /** The model that the round began with, for the proximal term; empty without one. */
  readonly #anchors: readonly Tensor[];
  readonly #proximalWeight: Tensor;
  #state: readonly Tensor[];
  #tally = emptyTally();

  constructor(model: Mlp, parameters: readonly Tensor[], training: LocalTraining) {
    this.#model = model;
    this.#optimizer = createOptimizer(training);
    this.#proximalWeight = scalar(training.fedProxMu);
    this.#anchors = training.fedProxMu > 0 ? parameters.map((parameter) => clone(parameter)) : [];
    this.#state = this.#optimizer.start(parameters);
  }

  /** Sums over the samples of the steps that counted. */
  get tally(): Tally {
    return this.#tally;
  }

  /** Takes one step and gives the new parameters; disposes the old ones. `counts`: the samples go into the tally. */
  step(parameters: readonly Tensor[], rows: RowBatch, counts: boolean): Tensor[] {
    const next = tidy(() => {
      const batch = upload(rows);
      const pass = this.#model.forward(parameters, batch);
      const gradients = this.#model.gradients(parameters, batch, pass);
      const stepped = this.#optimizer.step(parameters, this.#pulled(gradients, parameters), this.#state);
      const tally = counts ? this.#model.tally(pass, batch, this.#tally) : undefined;
      return { ...stepped, ...(tally ? { tally: { ...tally } } : {}) };
    });
    dispose([...parameters, ...this.#state]);
    this.#state = next.state;
    if (next.tally) {
      dispose([this.#tally.loss, this.#tally.correct]);
      this.#tally = next.tally;
    }
    return next.parameters;
  }

  /** FedProx adds µ (w − w₀) to the gradient (Li et al. 2020, section 3.2). */
  #pulled(gradients: readonly Tensor[], parameters: readonly Tensor[]): readonly Tensor[] {
    return gradients.map((gradient, i) => {
      const [anchor, parameter] = [this.#anchors[i], parameters[i]];
      return anchor && parameter ? add(gradient, mul(sub(parameter, anchor), this.#proximalWeight)) : gradient;
    });
  }

  dispose(): void {
    this.#optimizer.dispose();
    dispose([...this.#anchors, ...this.#state, this.#proximalWeight, this.#tally.loss, this.#tally.correct]);
    this.#state = [];
  }
}

/** To be called inside a tidy. */
export function upload({ rows, inputs, labels }: RowBatch): Batch {
  return { inputs: tensor2d(inputs, [rows, inputs.length / rows]), labels: tensor1d(labels, 'int32'), rows };
}

export function emptyTally(): Tally {
  return { loss: keep(scalar(0)), correct: keep(scalar(0)) };
}
