/** Writes a schema's value as `encodeCbor` writes what `toWire` makes of it, in one pass. */
import { fromHex, utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { shapeOf, toWire } from '../core/schema.ts';
import type { ShapeField, v } from '../core/schema.ts';
import { encodeCbor } from './cbor.ts';
import { ARRAY, BYTE_STRING, MAP, TEXT_STRING, UNSIGNED } from './cborCursor.ts';
import { CborWriter } from './cborWriter.ts';

/** False for a value that is not as expected. */
type Write = (writer: CborWriter, value: unknown) => boolean;

const NULL = Uint8Array.of(0xf6);

const HEX_DIGITS = /^[0-9a-f]*$/;

const known = new WeakMap<v.GenericSchema, Write>();

/** What does not fit the schema is written too, as `toWire` says. */
export function encodeAs(schema: v.GenericSchema, value: unknown): Bytes {
  const writer = new CborWriter();
  return writerOf(schema)(writer, value) ? writer.taken() : encodeCbor(toWire(schema, value));
}

function writerOf(schema: v.GenericSchema): Write {
  const made = known.get(schema) ?? makeWriter(schema);
  known.set(schema, made);
  return made;
}

function makeWriter(schema: v.GenericSchema): Write {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case 'hex':
      return (writer, value) => {
        if (typeof value !== 'string' || value.length !== 2 * shape.length || !HEX_DIGITS.test(value)) return false;
        return writeBytes(writer, fromHex(value));
      };
    case 'bytes':
      return (writer, value) => value instanceof Uint8Array && writeBytes(writer, value);
    case 'integer':
      return (writer, value) => {
        if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return false;
        writer.head(UNSIGNED, value);
        return true;
      };
    case 'list': {
      const item = writerOf(shape.item);
      return (writer, value) => writeItems(writer, value, () => item);
    }
    case 'tuple': {
      const items = shape.items.map(writerOf);
      return (writer, value) =>
        Array.isArray(value) && value.length === items.length && writeItems(writer, value, (i) => items[i]);
    }
    case 'object':
      return objectWriter(shape.fields);
    case 'nullable': {
      const wrapped = writerOf(shape.wrapped);
      return (writer, value) => {
        if (value !== null) return wrapped(writer, value);
        writer.put(NULL);
        return true;
      };
    }
    case 'other':
      return (writer, value) => {
        writer.put(encodeCbor(toWire(schema, value)));
        return true;
      };
    default:
      return shape satisfies never;
  }
}

function writeBytes(writer: CborWriter, bytes: Uint8Array): true {
  writer.head(BYTE_STRING, bytes.length);
  writer.put(bytes);
  return true;
}

function writeItems(writer: CborWriter, value: unknown, writeOf: (index: number) => Write | undefined): boolean {
  if (!Array.isArray(value)) return false;
  writer.head(ARRAY, value.length);
  for (let i = 0; i < value.length; i++) if (writeOf(i)?.(writer, value[i]) !== true) return false;
  return true;
}

function objectWriter(fields: readonly ShapeField[]): Write {
  // In the order of the deterministic encoding: shorter keys first.
  const inOrder = fields
    .map(({ key, schema }) => ({ key, encodedKey: utf8(key), write: writerOf(schema) }))
    .toSorted((a, b) => a.key.length - b.key.length || (a.key < b.key ? -1 : 1));
  return (writer, value) => {
    if (typeof value !== 'object' || value === null) return false;
    const given = value as Readonly<Record<string, unknown>>;
    writer.head(MAP, inOrder.filter(({ key }) => given[key] !== undefined).length);
    for (const { key, encodedKey, write } of inOrder) {
      const field = given[key];
      if (field === undefined) continue;
      writer.head(TEXT_STRING, encodedKey.length);
      writer.put(encodedKey);
      if (!write(writer, field)) return false;
    }
    return true;
  };
}
