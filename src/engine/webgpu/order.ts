/** Which rows are in which batch: drawn from the seed epoch by epoch, and on the device before its steps are. */
import type { SeededRandom } from '../../core/seededRandom.ts';
import type { Storage } from './storage.ts';
import { CONTROL } from './wgsl.ts';

/** As many epochs as fit are written at once. */
const MOST_WORDS = 1 << 20;

export interface OrderShape {
  /** Rows of the data set. */
  readonly count: number;
  /** Rows of a batch. */
  readonly rows: number;
  readonly perEpoch: number;
  readonly epochs: number;
}

export class BatchOrder {
  readonly #random: SeededRandom;
  readonly #shape: OrderShape;
  readonly #epochsAtOnce: number;
  #writtenEpochs = 0;

  constructor(random: SeededRandom, shape: OrderShape) {
    this.#random = random;
    this.#shape = shape;
    const words = shape.perEpoch * shape.rows;
    this.#epochsAtOnce = Math.max(1, Math.min(shape.epochs, Math.floor(MOST_WORDS / words)));
  }

  /** Words that the buffer of the order must hold. */
  get capacity(): number {
    return this.#epochsAtOnce * this.#shape.perEpoch * this.#shape.rows;
  }

  /** How many steps from `step` on have their rows on the device; writes the next ones when there are none. */
  upTo(step: number, queue: GPUQueue, storage: Storage): number {
    const { perEpoch } = this.#shape;
    if (step >= this.#writtenEpochs * perEpoch) this.#write(queue, storage);
    return this.#writtenEpochs * perEpoch - step;
  }

  #write(queue: GPUQueue, storage: Storage): void {
    const { count, rows, perEpoch, epochs } = this.#shape;
    const first = this.#writtenEpochs;
    const now = Math.min(this.#epochsAtOnce, epochs - first);
    const words = perEpoch * rows;
    const order = new Uint32Array(now * words);
    for (let epoch = 0; epoch < now; epoch++) {
      order.set(this.#random.permutation(count).subarray(0, words), epoch * words);
    }
    // The queue keeps to its order: what was submitted before still reads the old rows.
    queue.writeBuffer(storage.of('order'), 0, order);
    queue.writeBuffer(storage.of('control'), 4 * CONTROL.orderFrom, Uint32Array.of(first * perEpoch));
    this.#writtenEpochs += now;
  }
}
