/** The tensors of one local training, from its first step to its last; nothing of it is left behind. */
import {
  add,
  clone,
  dispose,
  div,
  keep,
  maximum,
  mul,
  scalar,
  sqrt,
  square,
  sub,
  sum,
  tidy,
} from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Bytes } from '../../core/bytes.ts';
import { dropoutKey, dropoutSeed } from '../../core/dropout.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { LocalTraining } from '../../core/plan.ts';
import type { RowBatch } from '../batches.ts';
import { lossRule, tallied } from './losses.ts';
import type { LossRule, Tally } from './losses.ts';
import { upload } from './model.ts';
import type { TensorModel } from './model.ts';
import { createOptimizer } from './optimizer.ts';
import type { Optimizer } from './optimizer.ts';

export interface LocalRunOptions {
  readonly model: TensorModel;
  readonly placed: PlacedNetwork;
  readonly training: LocalTraining;
  readonly seed: Bytes;
  /** One for each block of the layout. */
  readonly parameters: readonly Tensor[];
}

export class LocalRun {
  readonly #model: TensorModel;
  readonly #placed: PlacedNetwork;
  readonly #rule: LossRule;
  readonly #optimizer: Optimizer;
  readonly #dropoutSeed: number;
  /** The model that the round began with, for the proximal term; empty without one. */
  readonly #anchors: readonly Tensor[];
  readonly #proximalWeight: Tensor;
  readonly #maxGradientNorm: Tensor | undefined;
  #state: readonly Tensor[];
  #tally = emptyTally();
  #steps = 0;

  constructor({ model, placed, training, seed, parameters }: LocalRunOptions) {
    this.#model = model;
    this.#placed = placed;
    this.#rule = lossRule(placed.network.loss);
    this.#optimizer = createOptimizer(training);
    this.#dropoutSeed = dropoutSeed(seed);
    this.#proximalWeight = scalar(training.fedProxMu);
    this.#maxGradientNorm = training.maxGradientNorm === undefined ? undefined : scalar(training.maxGradientNorm);
    const learned = this.#learned(parameters);
    this.#anchors = training.fedProxMu > 0 ? learned.map((parameter) => clone(parameter)) : [];
    this.#state = this.#optimizer.start(learned);
  }

  /** Sums over the predictions of the steps that counted. */
  get tally(): Tally {
    return this.#tally;
  }

  /** Takes one step and gives the new parameters; disposes the old ones. `counts`: the batch goes into the tally. */
  step(parameters: readonly Tensor[], rows: RowBatch, counts: boolean): Tensor[] {
    const step = this.#steps++;
    const next = tidy(() => {
      const batch = upload(rows, this.#placed);
      const keyOf = (layer: number): number => dropoutKey(this.#dropoutSeed, step, layer);
      const { gradients, statistics, predicted } = this.#model.learn(parameters, batch, keyOf);
      const learned = this.#learned(parameters);
      const stepped = this.#optimizer.step(learned, this.#clipped(this.#pulled(gradients, learned)), this.#state);
      const tally = counts ? tallied(this.#rule, predicted, batch, this.#tally) : undefined;
      return {
        parameters: this.#merged(parameters, stepped.parameters, statistics),
        state: stepped.state,
        ...(tally ? { tally: { ...tally } } : {}),
      };
    });
    dispose([...parameters, ...this.#state]);
    this.#state = next.state;
    if (next.tally) {
      dispose([this.#tally.loss, this.#tally.correct]);
      this.#tally = next.tally;
    }
    return next.parameters;
  }

  #learned(parameters: readonly Tensor[]): readonly Tensor[] {
    return parameters.filter((_, i) => this.#placed.layout.blocks[i]?.role === 'learned');
  }

  /** In the order of the layout; what is frozen is what it was `before`. */
  #merged(before: readonly Tensor[], learned: readonly Tensor[], statistics: readonly Tensor[]): Tensor[] {
    const next = { learned: learned.values(), statistic: statistics.values() };
    return before.map((tensor, i) => {
      const role = this.#placed.layout.blocks[i]?.role ?? 'frozen';
      return role === 'frozen' ? clone(tensor) : (next[role].next().value as Tensor);
    });
  }

  /** FedProx adds µ (w − w₀) to the gradient (Li et al. 2020, section 3.2). */
  #pulled(gradients: readonly Tensor[], parameters: readonly Tensor[]): readonly Tensor[] {
    return gradients.map((gradient, i) => {
      const [anchor, parameter] = [this.#anchors[i], parameters[i]];
      return anchor && parameter ? add(gradient, mul(sub(parameter, anchor), this.#proximalWeight)) : gradient;
    });
  }

  /** Scaled down to the norm bound (Pascanu et al. 2013, algorithm 1). */
  #clipped(gradients: readonly Tensor[]): readonly Tensor[] {
    const bound = this.#maxGradientNorm;
    if (!bound) return gradients;
    const squares = gradients.map((gradient) => sum(square(gradient)));
    const norm = sqrt(squares.reduce((total, square) => add(total, square)));
    const factor = div(bound, maximum(norm, bound));
    return gradients.map((gradient) => mul(gradient, factor));
  }

  dispose(): void {
    this.#optimizer.dispose();
    dispose([...this.#anchors, ...this.#state, this.#proximalWeight, this.#tally.loss, this.#tally.correct]);
    this.#maxGradientNorm?.dispose();
    this.#state = [];
  }
}

export function emptyTally(): Tally {
  return { loss: keep(scalar(0)), correct: keep(scalar(0)) };
}
