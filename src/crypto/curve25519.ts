/** How both curves, Curve25519 and edwards25519, write a coordinate: an integer modulo p = 2^255 − 19, little-endian. */
import { fromHex, toHex } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';

export const P = 2n ** 255n - 19n;
export const COORDINATE_BYTES = 32;

/** The lower 255 bits, as text. */
export function coordinateOf(encoded: Bytes): string {
  const lower = encoded.slice();
  lower[COORDINATE_BYTES - 1] = (lower[COORDINATE_BYTES - 1] ?? 0) & 0x7f;
  return toHex(lower);
}

/** The same of a number below 2^255. */
export function coordinateText(value: bigint): string {
  return toHex(fromHex(value.toString(16).padStart(2 * COORDINATE_BYTES, '0')).reverse());
}

/** Whether the lower 255 bits are below p: 19 values are not, and those mean the same as 0 to 18. */
export function isReduced(encoded: Bytes): boolean {
  const last = (encoded[COORDINATE_BYTES - 1] ?? 0) & 0x7f;
  return last < 0x7f || (encoded[0] ?? 0) < 0xed || encoded.subarray(1, COORDINATE_BYTES - 1).some((b) => b < 0xff);
}
