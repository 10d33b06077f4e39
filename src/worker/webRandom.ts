/** The Random port on Web Crypto. */
import type { Bytes } from '../core/bytes.ts';
import type { Random } from '../core/ports.ts';

/** The most that one call of getRandomValues gives (Web Cryptography API, section 10.1.1). */
const MAX_BYTES_A_CALL = 65_536;

export const webRandom: Random = {
  bytes(length: number): Bytes {
    const bytes = new Uint8Array(length);
    for (let from = 0; from < length; from += MAX_BYTES_A_CALL) {
      crypto.getRandomValues(bytes.subarray(from, from + MAX_BYTES_A_CALL));
    }
    return bytes;
  },
};
