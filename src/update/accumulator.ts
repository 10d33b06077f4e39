/** The running sum of masked updates, from which masks are then taken off. Holds one word a coordinate, however many add. */
import type { MaskSeed } from '../core/localWork.ts';
import type { AggregateSum } from '../core/updateStages.ts';
import { addKeystreams } from '../crypto/prg.ts';
import { addPacked } from './pack.ts';

export class Accumulator {
  /** Modulo 2^32; 2^R divides that, so reducing once at the end is enough. */
  readonly #words: Uint32Array;
  readonly #ringBits: number;
  #added = 0;

  constructor(words: number, ringBits: number) {
    this.#words = new Uint32Array(words);
    this.#ringBits = ringBits;
  }

  /** How many masked updates are in the sum. */
  get added(): number {
    return this.#added;
  }

  /** @throws HushError `sum/length` or `sum/padding`; the sum then stays as it was. */
  add(packed: Uint8Array): void {
    addPacked(this.#words, packed, this.#ringBits, 'sum');
    this.#added++;
  }

  /** Signs are as they undo: −1 for a survivor's self mask; for a dropout's pair the opposite of what the survivor did. */
  addMasks(masks: readonly MaskSeed[]): void {
    addKeystreams(this.#words, masks);
  }

  /** Masks that were expanded and added elsewhere, modulo 2^32. */
  addWords(words: Uint32Array): void {
    this.#words.forEach((word, i) => {
      this.#words[i] = word + (words[i] ?? 0);
    });
  }

  /** A copy, modulo 2^R. The plain sum once every mask is off. */
  sum(): AggregateSum {
    const unused = 32 - this.#ringBits;
    return this.#words.map((word) => (word << unused) >>> unused) as AggregateSum;
  }
}
