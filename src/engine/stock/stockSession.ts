/** Training as users of tfjs write it: variables, automatic differentiation, `optimizer.minimize` for every batch. */
// Without it tfjs knows no gradient: our own engines write theirs out, and leave these where they are.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import {
  argMax,
  cast,
  clipByValue,
  clone,
  dispose,
  equal,
  keep,
  log,
  losses,
  memory,
  mul,
  neg,
  reshape,
  softmax,
  sum,
  tensor,
  tidy,
  train,
  variable,
} from '@tensorflow/tfjs-core';
import type { Optimizer, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import type { Bytes } from '../../core/bytes.ts';
import type { Examples } from '../../core/dataset.ts';
import type { EngineSession, TrainingControl } from '../../core/engine.ts';
import { HushError } from '../../core/errors.ts';
import { placeNetwork, sizeOf } from '../../core/layerShapes.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { Network } from '../../core/network.ts';
import type { LocalTraining } from '../../core/plan.ts';
import { MAX_SAMPLE_LOSS } from '../../core/figures.ts';
import type { PartFigures } from '../../core/figures.ts';
import type { ModelParameters } from '../../core/updateStages.ts';
import { checkInputs, gatherInputs, gatherRows, rowsInTurn } from '../batches.ts';
import { Course } from '../course.ts';
import { Pace } from '../pace.ts';
import { ownParameters } from '../parameters.ts';
import type { Backend } from '../tfjs/backend.ts';
import { upload, uploadInputs } from '../tfjs/model.ts';
import type { Batch } from '../tfjs/model.ts';
import { checkStock, forward } from './stockNetwork.ts';
import type { StockHabits } from './stockNetwork.ts';

const EVALUATION_ROWS = 256;

export class StockSession implements EngineSession {
  readonly #backend: Backend;
  readonly #placed: PlacedNetwork;
  readonly #classes: number;
  readonly #habits: StockHabits;
  #variables: Variable[] = [];

  /** @throws HushError `engine/unavailable` for a network that is not set up here. */
  constructor(network: Network, backend: Backend) {
    checkStock(network);
    this.#backend = backend;
    this.#placed = placeNetwork(network);
    this.#classes = this.#placed.output.at(-1) ?? 1;
    this.#habits = { embedsByProduct: backend.name === 'wasm', masks: new Map() };
  }

  setParameters(parameters: ModelParameters): void {
    const own = ownParameters(parameters, this.#placed);
    dispose(this.#variables);
    this.#variables = this.#placed.layout.blocks.map(({ shape, offset, length, role }) =>
      tidy(() => variable(tensor(own.slice(offset, offset + length), [...shape]), role === 'learned')),
    );
  }

  async parameters(): Promise<ModelParameters> {
    const blocks = await this.#backend.failure.guard(Promise.all(this.#variables.map((each) => each.data())));
    const flat = new Float32Array(this.#placed.layout.length);
    this.#placed.layout.blocks.forEach(({ offset }, i) => flat.set(blocks[i] ?? [], offset));
    return flat as ModelParameters;
  }

  /** Its figures are those of the last batch: reading them after every batch, as `fit` does, would only be slower. */
  async train(
    examples: Examples,
    training: LocalTraining,
    seed: Bytes,
    control: TrainingControl,
  ): Promise<PartFigures> {
    const course = new Course(examples, this.#placed, training, control);
    const optimizer = optimizerOf(training);
    const pace = new Pace(() => this.#readBack());
    let left = course.steps;
    let figures: Tensor[] = [];
    try {
      for await (const { rows } of course.batches(seed)) {
        dispose(figures);
        figures = this.#step(optimizer, examples, rows, --left === 0);
        await pace.stepped();
        course.report();
      }
      await pace.settle();
      const [loss, correct] = await this.#backend.failure.guard(Promise.all(figures.map((each) => each.data())));
      const samples = course.rows * this.#placed.targets;
      return { lossSum: (loss?.[0] ?? 0) * samples, correct: Math.round(correct?.[0] ?? 0), samples };
    } finally {
      await pace.settle().catch(() => undefined);
      dispose(figures);
      optimizer.dispose();
    }
  }

  async evaluate(examples: Examples, control?: TrainingControl): Promise<PartFigures> {
    const { count } = examples;
    let [lossSum, correct] = [0, 0];
    for await (const rows of rowsInTurn(count, EVALUATION_ROWS, control)) {
      const found = tidy(() => {
        const batch = this.#gather(examples, rows);
        const probabilities = softmax(this.#logits(batch.inputs));
        const ofClass = sum(mul(probabilities, batch.expected), 1);
        const clipped = clipByValue(ofClass, Math.exp(-MAX_SAMPLE_LOSS), 1);
        const hits = equal(argMax(probabilities, 1), batch.classes ?? 0);
        return [sum(neg(log(clipped))), sum(cast(hits, 'float32'))];
      });
      const [loss, right] = await this.#backend.failure.guard(Promise.all(found.map((each) => each.data())));
      dispose(found);
      lossSum += loss?.[0] ?? 0;
      correct += right?.[0] ?? 0;
    }
    return { lossSum, correct: Math.round(correct), samples: count * this.#placed.targets };
  }

  async predict(examples: Examples, control?: TrainingControl): Promise<Float32Array> {
    checkInputs(examples, this.#placed);
    const size = sizeOf(this.#placed.output);
    const outputs = new Float32Array(examples.count * size);
    for await (const rows of rowsInTurn(examples.count, EVALUATION_ROWS, control)) {
      const logits = tidy(() => {
        const inputs = gatherInputs(examples, this.#placed, rows);
        return this.#logits(uploadInputs(rows.length, inputs, this.#placed));
      });
      outputs.set(await this.#backend.failure.guard(logits.data()), (rows[0] ?? 0) * size);
      logits.dispose();
    }
    return outputs;
  }

  liveTensors(): number {
    return memory().numTensors;
  }

  close(): void {
    dispose(this.#variables);
    this.#variables = [];
    dispose([...this.#habits.masks.values()]);
    this.#habits.masks.clear();
  }

  /** `last`: gives the mean loss and the number of right answers too, shape [] each. */
  #step(optimizer: Optimizer, examples: Examples, order: Uint32Array, last: boolean): Tensor[] {
    return tidy(() => {
      const batch = this.#gather(examples, order);
      let hits: Tensor | undefined;
      const cost = optimizer.minimize(
        () => {
          const logits = this.#logits(batch.inputs);
          if (last) hits = keep(sum(cast(equal(argMax(logits, 1), batch.classes ?? 0), 'float32')));
          return losses.softmaxCrossEntropy(batch.expected, logits);
        },
        last,
        this.#variables,
      );
      return cost && hits ? [cost, hits] : [];
    });
  }

  /** Shape [predictions, classes]. To be called inside a tidy. */
  #logits(inputs: Tensor): Tensor2D {
    return reshape(forward(this.#placed, this.#variables, inputs, this.#habits), [-1, this.#classes]);
  }

  /** To be called inside a tidy. */
  #gather(examples: Examples, order: Uint32Array): Batch {
    return upload(gatherRows(examples, this.#placed, order), this.#placed);
  }

  async #readBack(): Promise<void> {
    const last = this.#variables.at(-1);
    if (!last) return;
    // A copy of the handle, since the next step assigns the variable anew.
    const held = clone(last);
    try {
      await this.#backend.failure.guard(held.data());
    } finally {
      held.dispose();
    }
  }
}

/** @throws HushError `engine/unavailable` for what tfjs has no optimizer for. */
function optimizerOf({ optimizer, learningRate, fedProxMu, maxGradientNorm }: LocalTraining): Optimizer {
  if (fedProxMu > 0) throw missing('a proximal term');
  if (maxGradientNorm !== undefined) throw missing('gradient clipping');
  switch (optimizer.kind) {
    case 'sgd':
      return train.sgd(learningRate);
    case 'momentum':
      return train.momentum(learningRate, optimizer.momentum);
    case 'adam':
      return train.adam(learningRate);
    case 'adamw':
      throw missing('AdamW');
    default:
      return optimizer satisfies never;
  }
}

function missing(what: string): HushError {
  return new HushError('engine/unavailable', `Stock tfjs has no optimizer with ${what}.`);
}
