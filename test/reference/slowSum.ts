/** Masking and summing in plain BigInt arithmetic over @noble's ChaCha20: nothing shared with what it checks. */
import { chacha20 } from '@noble/ciphers/chacha.js';
import type { MaskSeed } from '../../src/core/localWork.ts';

/** Words of the whole stream, computed at once. */
export function slowKeystream(seed: Uint8Array, count: number): bigint[] {
  const bytes = chacha20(seed, new Uint8Array(12), new Uint8Array(4 * count));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => BigInt(view.getUint32(4 * i, true)));
}

/** (x + Σ ± PRG(seed)) mod 2^R, word by word. */
export function slowMask(vector: readonly bigint[], ringBits: number, seeds: readonly MaskSeed[]): bigint[] {
  const modulus = 1n << BigInt(ringBits);
  const streams = seeds.map(({ seed, sign }) => ({ sign: BigInt(sign), words: slowKeystream(seed, vector.length) }));
  return vector.map((value, i) => {
    const total = streams.reduce((sum, { sign, words }) => sum + sign * words[i]!, value);
    return ((total % modulus) + modulus) % modulus;
  });
}

export function slowSum(vectors: readonly (readonly bigint[])[], ringBits: number): bigint[] {
  const modulus = 1n << BigInt(ringBits);
  return vectors[0]!.map((_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0n) % modulus);
}
