/** The Random of the machine that this runs on: the operating system's generator, through WebCrypto. */
import type { Random } from '../core/ports.ts';

/** `getRandomValues` throws QuotaExceededError above this (WebCrypto, section 10.1.1). */
const MAX_CHUNK_BYTES = 65_536;

export const systemRandom: Random = {
  bytes(length) {
    const bytes = new Uint8Array(length);
    for (let start = 0; start < length; start += MAX_CHUNK_BYTES) {
      crypto.getRandomValues(bytes.subarray(start, start + MAX_CHUNK_BYTES));
    }
    return bytes;
  },
};
