/** The same stream through @noble/ciphers, for where the fast path cannot run: a fifth of its speed. */
import { chacha20 } from '@noble/ciphers/chacha.js';
import type { KeystreamAdder } from './chachaSimd.ts';

const BLOCK_WORDS = 16;
const PIECE_WORDS = 1024 * BLOCK_WORDS;
const NONCE = new Uint8Array(12);
const ZEROS = new Uint8Array(4 * PIECE_WORDS);

export const addByNoble: KeystreamAdder = (target, masks, firstWord) => {
  const stream = new Uint32Array(PIECE_WORDS);
  const bytes = new Uint8Array(stream.buffer);
  for (const { seed, sign } of masks) {
    let lead = firstWord % BLOCK_WORDS;
    let counter = (firstWord - lead) / BLOCK_WORDS;
    for (let at = 0; at < target.length; counter += PIECE_WORDS / BLOCK_WORDS, lead = 0) {
      const count = Math.min(PIECE_WORDS - lead, target.length - at);
      const length = 4 * (lead + count);
      chacha20(seed, NONCE, ZEROS.subarray(0, length), bytes.subarray(0, length), counter);
      for (let i = 0; i < count; i++) target[at + i] = (target[at + i] ?? 0) + Math.imul(sign, stream[lead + i] ?? 0);
      at += count;
    }
  }
};
