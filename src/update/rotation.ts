/**
 * The random rotation before quantising (Suresh et al. 2017, "Distributed Mean Estimation with Limited Communication",
 * section 3): public random signs, then a Walsh–Hadamard transform, in blocks. It spreads an update's energy evenly over its
 * coordinates, so that one small range with few levels fits all of them.
 */
import { concatBytes, fromHex, uint32Bytes, utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Hash, RoundNumber } from '../core/ids.ts';
import type { Segment } from '../core/sumSpec.ts';
import { sha256 } from '../crypto/hash.ts';
import { keystreamWords } from '../crypto/prg.ts';

const PURPOSE = sha256(utf8('hushgrad/1 rotation'));

/**
 * SHA-256(SHA-256("hushgrad/1 rotation") ‖ model ‖ round as uint64, big-endian), 32 bytes, `model` being the one that the
 * round begins with: known to everyone who applies the sum, and to nobody before the round before has ended.
 */
export function rotationSeed(model: Hash, round: RoundNumber): Bytes {
  const number = concatBytes(uint32Bytes(Math.floor(round / 2 ** 32)), uint32Bytes(round % 2 ** 32));
  return sha256(PURPOSE, fromHex(model), number);
}

/**
 * Where the blocks begin, in the order in which they are rotated. What is left after the whole ones is not padded: the last
 * block lies over the end of the one before, so that every coordinate is mixed with a whole block of others.
 */
export function blockStarts({ length, block }: Pick<Segment, 'length' | 'block'>): number[] {
  const starts = Array.from({ length: Math.floor(length / block) }, (_, k) => k * block);
  if (length % block !== 0) starts.push(length - block);
  return starts;
}

/** Rotates `values` in place: each block b becomes H · D · b / sqrt(size). Orthonormal, so norms stay. */
export function rotate(values: Float64Array, segment: Segment, seed: Bytes): void {
  const signs = signBits(segment, seed);
  blockStarts(segment).forEach((start, k) => {
    const block = values.subarray(start, start + segment.block);
    flip(block, signs, k * segment.block);
    transform(block);
  });
}

/**
 * Undoes `rotate`. Of integers s below 2^32 in size it gives the exact result: intermediate values are multiples of 1/64, or
 * of 1/4,096 after the last block, and by the norm, at most 2^38 a block, stay below 2^45, so that no float64 is rounded.
 */
export function unrotate(values: Float64Array, segment: Segment, seed: Bytes): void {
  const signs = signBits(segment, seed);
  const starts = blockStarts(segment);
  for (let k = starts.length - 1; k >= 0; k--) {
    const start = starts[k] ?? 0;
    const block = values.subarray(start, start + segment.block);
    transform(block);
    flip(block, signs, k * segment.block);
  }
}

/** One bit a coordinate of each block, from ChaCha20's stream, lowest bit of a word first; a 1 flips the sign. */
function signBits(segment: Segment, seed: Bytes): Uint32Array {
  return keystreamWords(seed, Math.ceil((blockStarts(segment).length * segment.block) / 32));
}

function flip(block: Float64Array, signs: Uint32Array, firstBit: number): void {
  for (let i = 0; i < block.length; i++) {
    const bit = firstBit + i;
    if ((((signs[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1) block[i] = -(block[i] ?? 0);
  }
}

/**
 * The orthonormal Walsh–Hadamard transform of a power of four of values, in place, its own inverse. Two levels of the fast
 * transform at a time, which halves the passes over memory.
 */
export function transform(block: Float64Array): void {
  const size = block.length;
  for (let step = 1; step < size; step *= 4) {
    for (let from = 0; from < size; from += 4 * step) {
      for (let i = from; i < from + step; i++) {
        const a = block[i] ?? 0;
        const b = block[i + step] ?? 0;
        const c = block[i + 2 * step] ?? 0;
        const d = block[i + 3 * step] ?? 0;
        const ab = a + b;
        const cd = c + d;
        const aMinusB = a - b;
        const cMinusD = c - d;
        block[i] = ab + cd;
        block[i + step] = aMinusB + cMinusD;
        block[i + 2 * step] = ab - cd;
        block[i + 3 * step] = aMinusB - cMinusD;
      }
    }
  }
  // A power of two, so that this is exact.
  const scale = 1 / Math.sqrt(size);
  for (let i = 0; i < size; i++) block[i] = (block[i] ?? 0) * scale;
}
