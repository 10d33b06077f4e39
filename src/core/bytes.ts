/** Plain steps on byte arrays: hexadecimal, base64url, comparison, joining. */

/** Byte arrays that WebCrypto accepts: backed by an ArrayBuffer, never by shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

const decoder = new TextDecoder();

/** Keys, ids and hashes are text in here: thousands are turned in a round. */
const HEX_DIGITS = utf8('0123456789abcdef');
/** A text made digit by digit would be a chain of pieces, which costs its every reader more than the text. */
const written = new Uint8Array(256);

export function toHex(bytes: Uint8Array): string {
  return hexBetween(bytes, 0, bytes.length);
}

/** Of bytes `from` to `to − 1`. */
export function hexBetween(bytes: Uint8Array, from: number, to: number): string {
  const length = 2 * (to - from);
  const digits = length <= written.length ? written : new Uint8Array(length);
  for (let i = from, at = 0; i < to; i++, at += 2) {
    const byte = bytes[i] ?? 0;
    digits[at] = HEX_DIGITS[byte >>> 4] ?? 0;
    digits[at + 1] = HEX_DIGITS[byte & 15] ?? 0;
  }
  return decoder.decode(digits.subarray(0, length));
}

/** The value of a digit by the code of its character; −1 for what is none. */
const DIGIT_OF = Int8Array.from({ length: 128 }, (_, code) => HEX_DIGITS.indexOf(code));

/** @throws RangeError when `text` is not an even number of lower-case hexadecimal digits. */
export function fromHex(text: string): Bytes {
  const bytes = new Uint8Array(Math.ceil(text.length / 2));
  let all = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = (digitAt(text, 2 * i) << 4) | digitAt(text, 2 * i + 1);
    all |= byte;
    bytes[i] = byte;
  }
  if (all >= 0) return bytes;
  throw new RangeError(`expected lower-case hexadecimal digits in pairs, got "${text.slice(0, 40)}"`);
}

/** −1 for what is no digit, the end of the text among them. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? (DIGIT_OF[code] ?? -1) : -1;
}

const BASE64_URL = utf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** RFC 4648 section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil((4 * bytes.length) / 3));
  for (let from = 0, at = 0; at < text.length; from += 3, at += 4) {
    // Zeros after the last byte; characters beyond the last are not kept by the array.
    const three = ((bytes[from] ?? 0) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    text[at] = BASE64_URL[three >>> 18] ?? 0;
    text[at + 1] = BASE64_URL[(three >>> 12) & 63] ?? 0;
    text[at + 2] = BASE64_URL[(three >>> 6) & 63] ?? 0;
    text[at + 3] = BASE64_URL[three & 63] ?? 0;
  }
  return decoder.decode(text);
}

/** The six bits of a character by its code; −1 for what is none. */
const BITS_OF = Int8Array.from({ length: 128 }, (_, code) => BASE64_URL.indexOf(code));

/** @throws RangeError when `text` has a character outside the alphabet of RFC 4648 section 5. */
export function fromBase64Url(text: string): Bytes {
  const bytes = new Uint8Array(Math.floor((3 * text.length) / 4));
  let all = text.length % 4 === 1 ? -1 : 0;
  for (let from = 0, at = 0; from < text.length; from += 4, at += 3) {
    let four = 0;
    for (let i = from; i < from + 4; i++) {
      const bits = i < text.length ? bitsOf(text.charCodeAt(i)) : 0;
      all |= bits;
      four = (four << 6) | (bits & 63);
    }
    bytes[at] = four >>> 16;
    bytes[at + 1] = four >>> 8;
    bytes[at + 2] = four;
  }
  if (all >= 0) return bytes;
  throw new RangeError(`expected base64url, got "${text.slice(0, 40)}"`);
}

function bitsOf(code: number): number {
  return code < 128 ? (BITS_OF[code] ?? -1) : -1;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** A copy that owns its memory, so that it can be handed to WebCrypto or transferred to a worker. */
export function ownBytes(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

/** Big-endian, 4 bytes. */
export function uint32Bytes(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Little-endian float32, whatever the machine's own order is. Shape [n] to 4n bytes, in memory of their own. */
export function float32ToBytes(values: Float32Array): Bytes {
  return inLittleEndian(ownBytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)));
}

/** The same bytes for whoever only reads them, at once: the memory of `values` itself where it has the right order. */
export function float32AsBytes(values: Float32Array): Uint8Array {
  return LITTLE_ENDIAN ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength) : float32ToBytes(values);
}

/** Values in memory of their own. @throws RangeError when the length is not a multiple of 4. */
export function bytesToFloat32(bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 !== 0) throw new RangeError(`expected a multiple of 4 bytes, got ${bytes.length}`);
  return new Float32Array(inLittleEndian(ownBytes(bytes)).buffer);
}

/** To or from the machine's own order, in place: a copy of a large model takes a hundredth of what its values one by one do. */
function inLittleEndian(bytes: Bytes): Bytes {
  if (!LITTLE_ENDIAN) for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  return bytes;
}
