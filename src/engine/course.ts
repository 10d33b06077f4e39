/** A local training as every engine goes through it: batches in the order of a seed, pauses between them, progress. */
import type { Bytes } from '../core/bytes.ts';
import type { Examples } from '../core/dataset.ts';
import type { TrainingControl } from '../core/engine.ts';
import { HushError } from '../core/errors.ts';
import type { PlacedNetwork } from '../core/layerShapes.ts';
import type { LocalTraining } from '../core/plan.ts';
import { SeededRandom } from '../core/seededRandom.ts';
import { checkExamples } from './batches.ts';
import { Stopwatch } from './stopwatch.ts';

/** Never waits, and tells nobody. */
export const FREE: TrainingControl = { proceed: () => undefined, onProgress: () => undefined };

interface Batch {
  /** Of the examples. */
  readonly rows: Uint32Array;
  /** Whether it goes into the figures: those of the last epoch do. */
  readonly counts: boolean;
}

export class Course {
  /** Examples of a batch. */
  readonly rows: number;
  /** Whole batches of an epoch; one when there are fewer examples than a batch holds. */
  readonly perEpoch: number;
  /** Of all epochs. */
  readonly steps: number;
  readonly #count: number;
  readonly #epochs: number;
  readonly #control: TrainingControl;
  readonly #watch = new Stopwatch();
  #begun = 0;

  /** @throws HushError `engine/shape` or `engine/no-data` when there is nothing here that the network can be trained on. */
  constructor(
    examples: Examples,
    placed: PlacedNetwork,
    { epochs, batchSize }: LocalTraining,
    control: TrainingControl,
  ) {
    checkExamples(examples, placed);
    const { count } = examples;
    if (count === 0) throw new HushError('engine/no-data', 'There are no examples to train on.');
    this.rows = Math.min(batchSize, count);
    this.perEpoch = Math.max(1, Math.floor(count / batchSize));
    this.steps = epochs * this.perEpoch;
    this.#count = count;
    this.#epochs = epochs;
    this.#control = control;
  }

  /** Proceeds before each batch. */
  async *batches(seed: Bytes, settle?: () => Promise<void>): AsyncGenerator<Batch, void, undefined> {
    const { rows, perEpoch } = this;
    const random = new SeededRandom(seed);
    for (let epoch = 1; epoch <= this.#epochs; epoch++) {
      const order = random.permutation(this.#count);
      for (let i = 0; i < perEpoch; i++) {
        const wait = this.proceed(settle);
        if (wait) await wait;
        this.#begun++;
        yield { rows: order.subarray(i * rows, (i + 1) * rows), counts: epoch === this.#epochs };
      }
    }
  }

  /** As a `TrainingControl` does; waiting is no working time, but settling is. */
  proceed(settle?: () => Promise<void>): Promise<void> | undefined {
    const wait = this.#control.proceed(settle && (() => this.#watch.including(settle())));
    return wait ? this.#watch.excluding(wait) : undefined;
  }

  /** `done`: steps; without it those of the batches that were given. */
  report(done = this.#begun): void {
    this.#control.onProgress({
      fraction: done / this.steps,
      epoch: Math.max(1, Math.ceil(done / this.perEpoch)),
      epochs: this.#epochs,
      samplesPerSecond: (done * this.rows) / this.#watch.seconds(),
    });
  }
}
