/** Whether each unmasked sum is, word for word, the sum of the vectors of those whose masked updates are in it. */
import type { Hash } from '../../src/core/ids.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { SumSpec } from '../../src/core/sumSpec.ts';
import { vectorOf } from './vectors.ts';
import type { VectorSource } from './vectors.ts';

/** Updates that were masked and in no sum yet; those of rounds long over never will be. */
const KEPT_ROUNDS = 3;

export class Exactness {
  readonly #masked = new Map<Hash, VectorSource>();
  #compared = 0;
  readonly #problems: string[] = [];

  /** Sums that were compared. */
  get compared(): number {
    return this.#compared;
  }

  /** What did not agree; empty when all sums were exact. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  masked(root: Hash, source: VectorSource): void {
    this.#masked.set(root, source);
    for (const [old, { round }] of this.#masked) {
      if (round >= source.round - KEPT_ROUNDS) break;
      this.#masked.delete(old);
    }
  }

  sourceOf(root: Hash): VectorSource | undefined {
    return this.#masked.get(root);
  }

  /** `words` are integers modulo 2^32. The vectors are made again one after the other, so that none need be kept. */
  compare(
    what: string,
    roots: readonly Hash[],
    survivors: number,
    words: Uint32Array,
    sumSpec: SumSpec,
    plan: Plan,
  ): void {
    this.#compared++;
    const sources = roots.flatMap((root) => this.#masked.get(root) ?? []);
    if (sources.length !== survivors) {
      this.#problems.push(`${what}: ${sources.length} of ${survivors} updates in the sum are known`);
      return;
    }
    const expected = new Uint32Array(words.length);
    for (const source of sources) {
      const vector = vectorOf(source, sumSpec, plan);
      for (let i = 0; i < expected.length; i++) expected[i] = (expected[i] ?? 0) + (vector[i] ?? 0);
    }
    const at = expected.findIndex((word, i) => word !== words[i]);
    if (at >= 0) this.#problems.push(`${what}: word ${at} is ${words[at]}, expected ${expected[at]}`);
  }
}
