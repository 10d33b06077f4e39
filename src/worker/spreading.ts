/**
 * Spreads the expansion of many masks over helper workers. Each gets all seeds and a stretch of the vector, since a stream
 * can be entered anywhere: together they write every word once, and hold no more than one vector.
 */
import type { MaskSeed } from '../core/localWork.ts';
import { addKeystreams } from '../crypto/prg.ts';

/** Words `firstWord` to `firstWord + count − 1` of the sum of all masks. */
export interface Stretch {
  readonly firstWord: number;
  readonly count: number;
  readonly masks: readonly MaskSeed[];
}

export type Helper = (stretch: Stretch) => Promise<Uint32Array>;

const MAX_HELPERS = 8;
/** Words of all streams together; at about 400 million words a second, below that starting and telling others costs more. */
const SPREAD_FROM_WORDS = 2 ** 24;
const BLOCK_WORDS = 16;

/** Modulo 2^32, shape [count]. */
export function expandStretch({ firstWord, count, masks }: Stretch): Uint32Array {
  const words = new Uint32Array(count);
  addKeystreams(words, masks, firstWord);
  return words;
}

export class Spreading {
  readonly #start: () => Helper;
  readonly #count: number;
  #helpers: readonly Helper[] | undefined;

  /** `cores` helpers, at most 8, are started when they are first of use. */
  constructor(start: () => Helper, cores: number) {
    this.#start = start;
    this.#count = Math.min(MAX_HELPERS, cores);
  }

  /** Starts the helpers ahead, while nobody waits for them, where so many masks will be spread. */
  prepare(words: number, masks: number): void {
    if (this.#isWorthwhile(words, masks)) this.#started();
  }

  #isWorthwhile(words: number, masks: number): boolean {
    return this.#count > 1 && words * masks >= SPREAD_FROM_WORDS;
  }

  #started(): readonly Helper[] {
    return (this.#helpers ??= Array.from({ length: this.#count }, () => this.#start()));
  }

  /** The sum of all masks, shape [words]; or the masks as they are, where expanding them is little work. */
  async expand(words: number, masks: readonly MaskSeed[]): Promise<Uint32Array | readonly MaskSeed[]> {
    if (!this.#isWorthwhile(words, masks.length)) return masks;
    const helpers = this.#started();
    const stretchWords = Math.ceil(words / helpers.length / BLOCK_WORDS) * BLOCK_WORDS;
    const sum = new Uint32Array(words);
    await Promise.all(
      helpers.map(async (helper, i) => {
        const firstWord = Math.min(words, i * stretchWords);
        const stretch = { firstWord, count: Math.min(stretchWords, words - firstWord), masks };
        // A group can be unmasked once only: what a helper that died leaves undone is done here.
        sum.set(await helper(stretch).catch(() => expandStretch(stretch)), firstWord);
      }),
    );
    return sum;
  }
}
