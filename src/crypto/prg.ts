/**
 * The generator that expands mask seeds: ChaCha20 with RFC 8439's block, zero nonce, counter = word index / 16, words
 * little-endian. Any part of a stream can be computed alone.
 */
import type { Bytes } from '../core/bytes.ts';
import type { MaskSeed } from '../core/localWork.ts';
import { addByNoble } from './chachaNoble.ts';
import { openChachaSimd } from './chachaSimd.ts';
import type { KeystreamAdder } from './chachaSimd.ts';

const SEED_BYTES = 32;
/** The block counter has 32 bits; @noble never takes the last value. */
const STREAM_WORDS = 2 ** 36 - 16;

let adder: KeystreamAdder | undefined;

/**
 * target[i] += Σ sign · word[firstWord + i] modulo 2^32, over the streams of all masks; to work in a smaller ring, keep the
 * low bits. Many masks at once go over the target once.
 * @throws RangeError when a seed is not of 32 bytes or the streams would pass their 2^36 − 16 words; nothing is added then.
 */
export function addKeystreams(target: Uint32Array, masks: readonly MaskSeed[], firstWord = 0): void {
  for (const { seed } of masks) {
    if (seed.length !== SEED_BYTES) throw new RangeError(`"seed" has ${seed.length} bytes, expected ${SEED_BYTES}`);
  }
  if (!Number.isSafeInteger(firstWord) || firstWord < 0 || firstWord + target.length > STREAM_WORDS) {
    throw new RangeError(`"firstWord" is ${firstWord}, expected an integer from 0 to ${STREAM_WORDS - target.length}`);
  }
  adder ??= openChachaSimd() ?? addByNoble;
  adder(target, masks, firstWord);
}

/** As `addKeystreams`, for one seed. */
export function addKeystream(target: Uint32Array, seed: Bytes, sign: 1 | -1, firstWord = 0): void {
  addKeystreams(target, [{ seed, sign }], firstWord);
}

/** Words `firstWord` to `firstWord + count − 1` of the seed's stream. */
export function keystreamWords(seed: Bytes, count: number, firstWord = 0): Uint32Array {
  const words = new Uint32Array(count);
  addKeystream(words, seed, 1, firstWord);
  return words;
}
