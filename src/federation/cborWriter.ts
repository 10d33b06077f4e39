/** Writes CBOR (RFC 8949) in its deterministic form (section 4.2), head by head, into memory that grows. */
import type { Bytes } from '../core/bytes.ts';

const FIRST_BYTES = 4096;
/** What is longer is given away instead of being copied out of memory that stays. */
const MAX_KEPT_BYTES = 2 ** 18;
/** Of the longest head. */
const HEAD_BYTES = 9;

/** A round writes thousands of small items: making memory for each would cost more than the writing. */
let spare: Bytes | undefined;

/** Of use until `taken`. */
export class CborWriter {
  #bytes: Bytes;
  #at = 0;

  constructor() {
    this.#bytes = spare ?? new Uint8Array(FIRST_BYTES);
    // Another writer may be begun before this one is done.
    spare = undefined;
  }

  /** `argument` is an integer from 0 to 2^53 − 1. */
  head(major: number, argument: number): void {
    this.#makeRoom(HEAD_BYTES);
    const width = argument < 24 ? 0 : argument < 2 ** 8 ? 1 : argument < 2 ** 16 ? 2 : argument < 2 ** 32 ? 4 : 8;
    this.#bytes[this.#at] = (major << 5) | (width === 0 ? argument : 24 + Math.log2(width));
    let rest = argument;
    for (let i = this.#at + width; i > this.#at; i--) {
      this.#bytes[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.#at += 1 + width;
  }

  put(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** What was written, in memory of its own that holds at most as much again. */
  taken(): Bytes {
    const written = this.#bytes.subarray(0, this.#at);
    if (this.#bytes.length > MAX_KEPT_BYTES) return written;
    const bytes = written.slice();
    // Shares are written too, and must not outlive those who wipe them.
    written.fill(0);
    spare = this.#bytes;
    return bytes;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
