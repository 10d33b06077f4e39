/**
 * Repeatable randomness for shards, batch order and tests: xoshiro128** (Blackman and Vigna 2021, "Scrambled Linear
 * Pseudorandom Number Generators", section 4). Not for secrets: those come from the Random port.
 */
import type { Bytes } from './bytes.ts';

export class SeededRandom {
  readonly #state = new Uint32Array(4);

  /** `seed` is 16 bytes or more; what is longer is folded in. */
  constructor(seed: Uint8Array) {
    if (seed.length < 16) throw new RangeError(`"seed" expected at least 16 bytes, got ${seed.length}`);
    seed.forEach((byte, i) => {
      // As FNV-1a does, so that no part of a long seed can cancel another.
      const word = i & 3;
      this.#state[word] = Math.imul((this.#state[word] ?? 0) ^ byte ^ 0x9e, 0x01000193) + i;
    });
    // The all-zero state is the one that the generator never leaves.
    if (this.#state.every((word) => word === 0)) this.#state[0] = 0x9e3779b9;
    for (let i = 0; i < 16; i++) this.uint32();
  }

  /** A generator for a small number, as plans and tests give it. */
  static of(seed: number, stream = 0): SeededRandom {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setFloat64(0, seed);
    view.setUint32(8, stream);
    view.setUint32(12, 0x68757368);
    return new SeededRandom(bytes);
  }

  uint32(): number {
    const s = this.#state;
    const [a = 0, b = 0, c = 0, d = 0] = s;
    const times5 = Math.imul(b, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const shifted = b << 9;
    const c2 = c ^ a;
    const d2 = d ^ b;
    s[1] = b ^ c2;
    s[0] = a ^ d2;
    s[2] = c2 ^ shifted;
    s[3] = (d2 << 11) | (d2 >>> 21);
    return result;
  }

  /** In [0, 1), 32 bits of it. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** An integer in [0, limit), without bias: the tail that does not divide evenly is drawn again. */
  below(limit: number): number {
    const accept = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const drawn = this.uint32();
      if (drawn < accept) return drawn % limit;
    }
  }

  /** Standard normal, by the polar method (Marsaglia and Bray 1964). */
  normal(): number {
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
    }
  }

  /** 0 … length−1 in random order (Fisher and Yates, as Durstenfeld 1964 gives it). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = order[i] ?? 0;
      order[i] = order[j] ?? 0;
      order[j] = held;
    }
    return order;
  }

  bytes(length: number): Bytes {
    return Uint8Array.from({ length }, () => this.uint32() >>> 24);
  }
}
