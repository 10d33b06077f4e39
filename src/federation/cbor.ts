/** Deterministic CBOR (RFC 8949, section 4.2): what is hashed and signed has exactly one encoding. */
import { decode, encode } from 'cborg';
import { equalBytes, ownBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';

export function encodeCbor(value: unknown): Bytes {
  return ownBytes(encode(value));
}

/**
 * Reads one item and nothing after it. Nesting is bounded by the caller's limit on bytes: cborg has no depth option.
 * @throws HushError `codec/cbor` on anything that `encodeCbor` would not have written.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      rejectDuplicateMapKeys: true,
    });
  } catch (cause) {
    throw new HushError('codec/cbor', `Not readable as CBOR: ${cause instanceof Error ? cause.message : 'bad bytes'}.`);
  }
  // cborg cannot enforce the order of map keys, and an order is what makes the encoding one.
  if (!equalBytes(encode(value), bytes)) throw new HushError('codec/cbor', 'Not the deterministic encoding.');
  return value;
}
