/**
 * Reads the bytes of a schema's value in one pass: each field is checked where it lies, and made what the schema makes of it.
 * Accepts nothing that decoding, encoding again and parsing would not accept; whatever it is unsure of is left to those.
 */
import { hexBetween, utf8 } from '../core/bytes.ts';
import { shapeOf, v } from '../core/schema.ts';
import type { ShapeField } from '../core/schema.ts';
import { decodeCbor } from './cbor.ts';
import { ARRAY, BYTE_STRING, CborCursor, MAP, TEXT_STRING, UNSIGNED } from './cborCursor.ts';
import { CborWriter } from './cborWriter.ts';

/** In place of a value that is not there as expected. */
const MISFIT = Symbol('misfit');

type Read = (cursor: CborCursor) => unknown;

const NULL = 0xf6;

const known = new WeakMap<v.GenericSchema, Read>();

/** As `v.safeParse` of what `decodeCbor` gives. @throws HushError `codec/cbor` as that one does. */
export function decodeAs<Schema extends v.GenericSchema>(schema: Schema, bytes: Uint8Array): v.SafeParseResult<Schema> {
  const cursor = new CborCursor(bytes);
  const output = readerOf(schema)(cursor);
  if (output !== MISFIT && cursor.isAtEnd) {
    return { typed: true, success: true, output: output as v.InferOutput<Schema>, issues: undefined };
  }
  // What exactly is wrong is found the long way.
  return v.safeParse(schema, decodeCbor(bytes), { abortEarly: true });
}

function readerOf(schema: v.GenericSchema): Read {
  const made = known.get(schema) ?? makeReader(schema);
  known.set(schema, made);
  return made;
}

function makeReader(schema: v.GenericSchema): Read {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case 'hex':
      return (cursor) => {
        if (cursor.stringHead(BYTE_STRING) !== shape.length) return MISFIT;
        const from = cursor.at;
        cursor.at += shape.length;
        return hexBetween(cursor.bytes, from, cursor.at);
      };
    case 'bytes':
      return (cursor) => {
        const length = cursor.stringHead(BYTE_STRING);
        if (length < 0 || length > shape.max) return MISFIT;
        const from = cursor.at;
        cursor.at += length;
        return cursor.bytes.slice(from, cursor.at);
      };
    case 'integer':
      return (cursor) => {
        const value = cursor.head(UNSIGNED);
        return value >= 0 && value >= shape.min && value <= shape.max ? value : MISFIT;
      };
    case 'list':
      return listReader(readerOf(shape.item), shape.max);
    case 'tuple':
      return tupleReader(shape.items.map(readerOf));
    case 'object':
      return objectReader(shape.fields);
    case 'nullable':
      return nullableReader(readerOf(shape.wrapped));
    case 'other':
      return otherReader(schema);
    default:
      return shape satisfies never;
  }
}

function listReader(item: Read, max: number): Read {
  return (cursor) => {
    const count = cursor.head(ARRAY);
    if (count < 0 || count > max) return MISFIT;
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) {
      const value = item(cursor);
      if (value === MISFIT) return MISFIT;
      items.push(value);
    }
    return items;
  };
}

function tupleReader(readers: readonly Read[]): Read {
  return (cursor) => {
    if (cursor.head(ARRAY) !== readers.length) return MISFIT;
    const items: unknown[] = [];
    for (const read of readers) {
      const value = read(cursor);
      if (value === MISFIT) return MISFIT;
      items.push(value);
    }
    return items;
  };
}

function nullableReader(wrapped: Read): Read {
  return (cursor) => {
    if (cursor.bytes[cursor.at] !== NULL) return wrapped(cursor);
    cursor.at++;
    return null;
  };
}

function objectReader(fields: readonly ShapeField[]): Read {
  const entries = fields.map(({ key, schema, isOptional }, place) => {
    return { key, place, isOptional, encodedKey: encodedKey(key), read: readerOf(schema) };
  });
  // In the order of the deterministic encoding: shorter keys first.
  const inOrder = entries.toSorted((a, b) => a.key.length - b.key.length || (a.key < b.key ? -1 : 1));
  return (cursor) => {
    const count = cursor.head(MAP);
    const values: unknown[] = fields.map(() => undefined);
    let found = 0;
    for (const { place, isOptional, encodedKey: key, read } of inOrder) {
      if (!cursor.passes(key)) {
        if (isOptional) continue;
        return MISFIT;
      }
      const value = read(cursor);
      if (value === MISFIT) return MISFIT;
      values[place] = value;
      found++;
    }
    if (found !== count) return MISFIT;
    const object: Record<string, unknown> = {};
    for (const { key, place } of entries) if (values[place] !== undefined) object[key] = values[place];
    return object;
  };
}

function encodedKey(key: string): Uint8Array {
  const writer = new CborWriter();
  const bytes = utf8(key);
  writer.head(TEXT_STRING, bytes.length);
  writer.put(bytes);
  return writer.taken();
}

/** The long way for this part alone. */
function otherReader(schema: v.GenericSchema): Read {
  return (cursor) => {
    const from = cursor.at;
    if (!cursor.skip()) return MISFIT;
    const parsed = v.safeParse(schema, decodeCbor(cursor.bytes.subarray(from, cursor.at)), { abortEarly: true });
    return parsed.success ? parsed.output : MISFIT;
  };
}
