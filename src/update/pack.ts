/** Ring words as a stream of bits, little-endian: R bits a word, lowest bit first, the last byte filled up with zeros. */
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import { packedLength } from '../core/sumSpec.ts';

/** The low `bits` (1 to 32) of each word, in ceil(words · bits / 8) bytes. */
export function packWords(words: Uint32Array, bits: number): Bytes {
  const packed = new Uint8Array(packedLength(words.length, bits));
  const lowBits = lowBitsOf(bits);
  let at = 0;
  let held = 0;
  let heldBits = 0;
  for (let i = 0; i < words.length; i++) {
    const word = (words[i] ?? 0) & lowBits;
    held |= word << heldBits;
    heldBits += bits;
    if (heldBits < 32) continue;
    packed[at] = held;
    packed[at + 1] = held >>> 8;
    packed[at + 2] = held >>> 16;
    packed[at + 3] = held >>> 24;
    at += 4;
    heldBits -= 32;
    // A shift by 32 would be a shift by 0.
    held = heldBits === 0 ? 0 : word >>> (bits - heldBits);
  }
  for (; heldBits > 0; heldBits -= 8) {
    packed[at++] = held;
    held >>>= 8;
  }
  return packed;
}

/** @throws HushError `update/length` or `update/padding` as `addPacked` does. */
export function unpackWords(packed: Uint8Array, count: number, bits: number): Uint32Array {
  const words = new Uint32Array(count);
  addPacked(words, packed, bits, 'update');
  return words;
}

/**
 * target[i] += word i modulo 2^32, without an array in between. Changes nothing when it throws.
 * @throws HushError `…/length` when `packed` is not the length of `target.length` words, `…/padding` when a bit after the
 * last word is set: two packings of the same words would have different hashes.
 */
export function addPacked(target: Uint32Array, packed: Uint8Array, bits: number, room: 'update' | 'sum'): void {
  checkPacked(packed, target.length, bits, room);
  const lowBits = lowBitsOf(bits);
  const wholeEnd = packed.length - (packed.length % 4);
  let at = 0;
  let held = 0;
  let heldBits = 0;
  for (let i = 0; i < target.length; i++) {
    let word = held;
    if (heldBits < bits) {
      const next = at < wholeEnd ? uint32At(packed, at) : lastUint32(packed, at);
      at += 4;
      word |= next << heldBits;
      const used = bits - heldBits;
      held = used === 32 ? 0 : next >>> used;
      heldBits = 32 - used;
    } else {
      held >>>= bits;
      heldBits -= bits;
    }
    target[i] = (target[i] ?? 0) + ((word & lowBits) >>> 0);
  }
}

function checkPacked(packed: Uint8Array, count: number, bits: number, room: 'update' | 'sum'): void {
  const expected = packedLength(count, bits);
  if (packed.length !== expected) {
    throw new HushError(
      `${room}/length`,
      `${count} words of ${bits} bits came in ${packed.length} bytes, expected ${expected}.`,
    );
  }
  const padding = 8 * packed.length - count * bits;
  if (padding > 0 && (packed.at(-1) ?? 0) >>> (8 - padding) !== 0) {
    throw new HushError(`${room}/padding`, `The last ${padding} bits after ${count} words are not zero.`);
  }
}

function uint32At(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

/** Apart from `uint32At`, because reads past the end make an engine give up its fast path for all reads. */
function lastUint32(bytes: Uint8Array, at: number): number {
  let word = 0;
  for (let i = at; i < bytes.length; i++) word |= (bytes[i] ?? 0) << (8 * (i - at));
  return word;
}

function lowBitsOf(bits: number): number {
  return bits === 32 ? -1 : 2 ** bits - 1;
}
