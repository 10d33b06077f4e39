/** Deterministic CBOR (RFC 8949, section 4.2): what is hashed and signed has exactly one encoding. */
import { decode, encode } from 'cborg';
import { equalBytes, ownBytes, utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';

export function encodeCbor(value: unknown): Bytes {
  return ownBytes(encode(value));
}

/** Major types of RFC 8949, section 3.1. */
const UNSIGNED = 0;
const BYTE_STRING = 2;
const TEXT_STRING = 3;
const ARRAY = 4;

/** An item of a list that `encodeList` writes; numbers are integers from 0 up. */
export type ListItem = string | number | Uint8Array;

/** As `encodeCbor` of an array of such items. For what is signed and verified by the thousand: flat lists of hashes. */
export function encodeList(items: readonly ListItem[]): Bytes {
  const parts = items.map((item) => (typeof item === 'string' ? utf8(item) : item));
  const sizes = parts.map((part) => (typeof part === 'number' ? part : part.length));
  let length = headBytes(items.length);
  sizes.forEach((size, i) => {
    length += headBytes(size) + (typeof parts[i] === 'number' ? 0 : size);
  });
  const encoded = new Uint8Array(length);
  let at = writeHead(encoded, 0, ARRAY, items.length);
  parts.forEach((part, i) => {
    if (typeof part === 'number') {
      at = writeHead(encoded, at, UNSIGNED, part);
      return;
    }
    at = writeHead(encoded, at, typeof items[i] === 'string' ? TEXT_STRING : BYTE_STRING, part.length);
    encoded.set(part, at);
    at += part.length;
  });
  return encoded;
}

/** Bytes of an item's head, argument included (RFC 8949, section 3). */
function headBytes(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 2 ** 8) return 2;
  if (argument < 2 ** 16) return 3;
  return argument < 2 ** 32 ? 5 : 9;
}

/** Gives where the next byte goes. */
function writeHead(to: Uint8Array, at: number, major: number, argument: number): number {
  const bytes = headBytes(argument) - 1;
  to[at] = (major << 5) | (bytes === 0 ? argument : 24 + Math.log2(bytes));
  let rest = argument;
  for (let i = at + bytes; i > at; i--) {
    to[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return at + 1 + bytes;
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
