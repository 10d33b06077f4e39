/** A place in bytes from which CBOR (RFC 8949) is read head by head, in its deterministic form (section 4.2) alone. */

/** Major types of RFC 8949, section 3.1. */
export const UNSIGNED = 0;
export const BYTE_STRING = 2;
export const TEXT_STRING = 3;
export const ARRAY = 4;
export const MAP = 5;
const TAG = 6;
const SIMPLE = 7;

/** The least argument that does not fit into a shorter head, by the number of bytes it takes. */
const LEAST: Readonly<Record<number, number>> = { 1: 24, 2: 2 ** 8, 4: 2 ** 16, 8: 2 ** 32 };

export class CborCursor {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  /** The argument of an item of this major type, after which the cursor stands; −1 for any other, or in a longer form. */
  head(major: number): number {
    const { bytes, at } = this;
    if (at >= bytes.length) return -1;
    const first = bytes[at] ?? 0;
    if (first >>> 5 !== major) return -1;
    const minor = first & 31;
    if (minor < 24) {
      this.at = at + 1;
      return minor;
    }
    const width = 2 ** (minor - 24);
    const end = at + 1 + width;
    if (width > 8 || end > bytes.length) return -1;
    let argument = 0;
    for (let i = at + 1; i < end; i++) argument = 256 * argument + (bytes[i] ?? 0);
    if (argument < (LEAST[width] ?? 0) || !Number.isSafeInteger(argument)) return -1;
    this.at = end;
    return argument;
  }

  /** As `head`, of a string that is there as a whole: its length, and the cursor before its first byte. */
  stringHead(major: typeof BYTE_STRING | typeof TEXT_STRING): number {
    const length = this.head(major);
    return length <= this.bytes.length - this.at ? length : -1;
  }

  /** Whether exactly these bytes come next; then they are passed. */
  passes(expected: Uint8Array): boolean {
    const { bytes, at } = this;
    if (expected.length > bytes.length - at) return false;
    for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
    this.at = at + expected.length;
    return true;
  }

  /** Passes one item with all that is in it; false when it ends too early or has a tag. Its form is not looked at. */
  skip(): boolean {
    for (let left = 1; left > 0; left--) {
      if (this.at >= this.bytes.length) return false;
      const first = this.bytes[this.at] ?? 0;
      const major = first >>> 5;
      if (major === TAG) return false;
      if (major === SIMPLE) {
        const minor = first & 31;
        if (minor > 27) return false;
        this.at += minor < 24 ? 1 : 1 + 2 ** (minor - 24);
        continue;
      }
      const argument = this.head(major);
      if (argument < 0) return false;
      if (major === BYTE_STRING || major === TEXT_STRING) this.at += argument;
      if (major === ARRAY) left += argument;
      if (major === MAP) left += 2 * argument;
    }
    return this.at <= this.bytes.length;
  }
}
