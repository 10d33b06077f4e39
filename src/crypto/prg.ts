/**
 * The generator that expands mask seeds: ChaCha20 with RFC 8439's block, zero nonce, counter = word index / 16, words
 * little-endian. Any part of a stream can be computed alone.
 */
const BLOCK_WORDS = 16;
const SEED_BYTES = 32;

// "expand 32-byte k" (RFC 8439 section 2.3).
const C0 = 0x61707865;
const C1 = 0x3320646e;
const C2 = 0x79622d32;
const C3 = 0x6b206574;

/**
 * target[i] += sign · word[firstWord + i] modulo 2^32; to work in a smaller ring, keep the low bits. `seed` is 32 bytes.
 * @throws RangeError when the seed has another length or the stream would pass its 2^36 words.
 */
export function addKeystream(target: Uint32Array, seed: Uint8Array, sign: 1 | -1, firstWord = 0): void {
  const key = keyWords(seed);
  if (!Number.isSafeInteger(firstWord) || firstWord < 0 || firstWord + target.length > 2 ** 36) {
    throw new RangeError(`"firstWord" is ${firstWord}, expected an integer from 0 to 2^36 − ${target.length}`);
  }
  const skipped = firstWord % BLOCK_WORDS;
  const firstBlock = (firstWord - skipped) / BLOCK_WORDS;
  const head = skipped === 0 ? 0 : Math.min(BLOCK_WORDS - skipped, target.length);
  const wholeBlocks = Math.floor((target.length - head) / BLOCK_WORDS);
  const tail = target.length - head - wholeBlocks * BLOCK_WORDS;
  const afterHead = firstBlock + (head === 0 ? 0 : 1);
  if (head > 0) addPartOfBlock(target.subarray(0, head), key, sign, firstBlock, skipped);
  addBlocks(target, head, wholeBlocks, key, sign, afterHead);
  if (tail > 0) addPartOfBlock(target.subarray(target.length - tail), key, sign, afterHead + wholeBlocks, 0);
}

/** Words `firstWord` to `firstWord + count − 1` of the seed's stream. */
export function keystreamWords(seed: Uint8Array, count: number, firstWord = 0): Uint32Array {
  const words = new Uint32Array(count);
  addKeystream(words, seed, 1, firstWord);
  return words;
}

function keyWords(seed: Uint8Array): Uint32Array {
  if (seed.length !== SEED_BYTES) throw new RangeError(`"seed" has ${seed.length} bytes, expected ${SEED_BYTES}`);
  const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
  return Uint32Array.from({ length: SEED_BYTES / 4 }, (_, i) => view.getUint32(4 * i, true));
}

function addPartOfBlock(target: Uint32Array, key: Uint32Array, sign: 1 | -1, counter: number, from: number): void {
  const block = new Uint32Array(BLOCK_WORDS);
  addBlocks(block, 0, 1, key, sign, counter);
  for (let i = 0; i < target.length; i++) target[i] = (target[i] ?? 0) + (block[from + i] ?? 0);
}

/** Written out, since variables stay in registers where an array of state would go through memory: three times as fast. */
function addBlocks(
  target: Uint32Array,
  offset: number,
  blocks: number,
  key: Uint32Array,
  sign: 1 | -1,
  firstCounter: number,
): void {
  const k0 = key[0] ?? 0;
  const k1 = key[1] ?? 0;
  const k2 = key[2] ?? 0;
  const k3 = key[3] ?? 0;
  const k4 = key[4] ?? 0;
  const k5 = key[5] ?? 0;
  const k6 = key[6] ?? 0;
  const k7 = key[7] ?? 0;
  for (let block = 0, at = offset; block < blocks; block++, at += BLOCK_WORDS) {
    const counter = (firstCounter + block) | 0;
    let x0 = C0;
    let x1 = C1;
    let x2 = C2;
    let x3 = C3;
    let x4 = k0;
    let x5 = k1;
    let x6 = k2;
    let x7 = k3;
    let x8 = k4;
    let x9 = k5;
    let x10 = k6;
    let x11 = k7;
    let x12 = counter;
    let x13 = 0;
    let x14 = 0;
    let x15 = 0;
    for (let doubleRound = 0; doubleRound < 10; doubleRound++) {
      x0 = (x0 + x4) | 0;
      x12 ^= x0;
      x12 = (x12 << 16) | (x12 >>> 16);
      x8 = (x8 + x12) | 0;
      x4 ^= x8;
      x4 = (x4 << 12) | (x4 >>> 20);
      x0 = (x0 + x4) | 0;
      x12 ^= x0;
      x12 = (x12 << 8) | (x12 >>> 24);
      x8 = (x8 + x12) | 0;
      x4 ^= x8;
      x4 = (x4 << 7) | (x4 >>> 25);
      x1 = (x1 + x5) | 0;
      x13 ^= x1;
      x13 = (x13 << 16) | (x13 >>> 16);
      x9 = (x9 + x13) | 0;
      x5 ^= x9;
      x5 = (x5 << 12) | (x5 >>> 20);
      x1 = (x1 + x5) | 0;
      x13 ^= x1;
      x13 = (x13 << 8) | (x13 >>> 24);
      x9 = (x9 + x13) | 0;
      x5 ^= x9;
      x5 = (x5 << 7) | (x5 >>> 25);
      x2 = (x2 + x6) | 0;
      x14 ^= x2;
      x14 = (x14 << 16) | (x14 >>> 16);
      x10 = (x10 + x14) | 0;
      x6 ^= x10;
      x6 = (x6 << 12) | (x6 >>> 20);
      x2 = (x2 + x6) | 0;
      x14 ^= x2;
      x14 = (x14 << 8) | (x14 >>> 24);
      x10 = (x10 + x14) | 0;
      x6 ^= x10;
      x6 = (x6 << 7) | (x6 >>> 25);
      x3 = (x3 + x7) | 0;
      x15 ^= x3;
      x15 = (x15 << 16) | (x15 >>> 16);
      x11 = (x11 + x15) | 0;
      x7 ^= x11;
      x7 = (x7 << 12) | (x7 >>> 20);
      x3 = (x3 + x7) | 0;
      x15 ^= x3;
      x15 = (x15 << 8) | (x15 >>> 24);
      x11 = (x11 + x15) | 0;
      x7 ^= x11;
      x7 = (x7 << 7) | (x7 >>> 25);
      x0 = (x0 + x5) | 0;
      x15 ^= x0;
      x15 = (x15 << 16) | (x15 >>> 16);
      x10 = (x10 + x15) | 0;
      x5 ^= x10;
      x5 = (x5 << 12) | (x5 >>> 20);
      x0 = (x0 + x5) | 0;
      x15 ^= x0;
      x15 = (x15 << 8) | (x15 >>> 24);
      x10 = (x10 + x15) | 0;
      x5 ^= x10;
      x5 = (x5 << 7) | (x5 >>> 25);
      x1 = (x1 + x6) | 0;
      x12 ^= x1;
      x12 = (x12 << 16) | (x12 >>> 16);
      x11 = (x11 + x12) | 0;
      x6 ^= x11;
      x6 = (x6 << 12) | (x6 >>> 20);
      x1 = (x1 + x6) | 0;
      x12 ^= x1;
      x12 = (x12 << 8) | (x12 >>> 24);
      x11 = (x11 + x12) | 0;
      x6 ^= x11;
      x6 = (x6 << 7) | (x6 >>> 25);
      x2 = (x2 + x7) | 0;
      x13 ^= x2;
      x13 = (x13 << 16) | (x13 >>> 16);
      x8 = (x8 + x13) | 0;
      x7 ^= x8;
      x7 = (x7 << 12) | (x7 >>> 20);
      x2 = (x2 + x7) | 0;
      x13 ^= x2;
      x13 = (x13 << 8) | (x13 >>> 24);
      x8 = (x8 + x13) | 0;
      x7 ^= x8;
      x7 = (x7 << 7) | (x7 >>> 25);
      x3 = (x3 + x4) | 0;
      x14 ^= x3;
      x14 = (x14 << 16) | (x14 >>> 16);
      x9 = (x9 + x14) | 0;
      x4 ^= x9;
      x4 = (x4 << 12) | (x4 >>> 20);
      x3 = (x3 + x4) | 0;
      x14 ^= x3;
      x14 = (x14 << 8) | (x14 >>> 24);
      x9 = (x9 + x14) | 0;
      x4 ^= x9;
      x4 = (x4 << 7) | (x4 >>> 25);
    }
    target[at] = (target[at] ?? 0) + Math.imul(sign, x0 + C0);
    target[at + 1] = (target[at + 1] ?? 0) + Math.imul(sign, x1 + C1);
    target[at + 2] = (target[at + 2] ?? 0) + Math.imul(sign, x2 + C2);
    target[at + 3] = (target[at + 3] ?? 0) + Math.imul(sign, x3 + C3);
    target[at + 4] = (target[at + 4] ?? 0) + Math.imul(sign, x4 + k0);
    target[at + 5] = (target[at + 5] ?? 0) + Math.imul(sign, x5 + k1);
    target[at + 6] = (target[at + 6] ?? 0) + Math.imul(sign, x6 + k2);
    target[at + 7] = (target[at + 7] ?? 0) + Math.imul(sign, x7 + k3);
    target[at + 8] = (target[at + 8] ?? 0) + Math.imul(sign, x8 + k4);
    target[at + 9] = (target[at + 9] ?? 0) + Math.imul(sign, x9 + k5);
    target[at + 10] = (target[at + 10] ?? 0) + Math.imul(sign, x10 + k6);
    target[at + 11] = (target[at + 11] ?? 0) + Math.imul(sign, x11 + k7);
    target[at + 12] = (target[at + 12] ?? 0) + Math.imul(sign, x12 + counter);
    target[at + 13] = (target[at + 13] ?? 0) + Math.imul(sign, x13);
    target[at + 14] = (target[at + 14] ?? 0) + Math.imul(sign, x14);
    target[at + 15] = (target[at + 15] ?? 0) + Math.imul(sign, x15);
  }
}
