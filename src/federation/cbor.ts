/** Deterministic CBOR (RFC 8949, section 4.2): what is hashed and signed has exactly one encoding. */
import { decode, encode } from 'cborg';
import { equalBytes, ownBytes, utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import { ARRAY, BYTE_STRING, TEXT_STRING, UNSIGNED } from './cborCursor.ts';
import { CborWriter } from './cborWriter.ts';

export function encodeCbor(value: unknown): Bytes {
  return ownBytes(encode(value));
}

/** An item of a list that `encodeList` writes; numbers are integers from 0 up. */
export type ListItem = string | number | Uint8Array;

/** As `encodeCbor` of an array of such items. For what is signed and verified by the thousand: flat lists of hashes. */
export function encodeList(items: readonly ListItem[]): Bytes {
  const writer = new CborWriter();
  writer.head(ARRAY, items.length);
  for (const item of items) {
    if (typeof item === 'number') {
      writer.head(UNSIGNED, item);
      continue;
    }
    const bytes = typeof item === 'string' ? utf8(item) : item;
    writer.head(typeof item === 'string' ? TEXT_STRING : BYTE_STRING, bytes.length);
    writer.put(bytes);
  }
  return writer.taken();
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
