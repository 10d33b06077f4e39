/** Reading and writing by schema in one pass, against decoding, parsing and encoding one after the other. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HushError } from '../../src/core/errors.ts';
import { finite, hexBytes, integer, list, rawBytes, shapeOf, text, toWire, v } from '../../src/core/schema.ts';
import { decodeCbor, encodeCbor } from '../../src/federation/cbor.ts';
import { bodySchema } from '../../src/federation/messages.ts';
import type { MessageType } from '../../src/federation/messages.ts';
import { decodeAs } from '../../src/federation/schemaReader.ts';
import { encodeAs } from '../../src/federation/schemaWriter.ts';

const hexOf = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('hex'));

/** Values of a schema whose every part has a shape; `other` is what stands for the rest. */
function valuesOf(schema: v.GenericSchema, other: fc.Arbitrary<unknown> = fc.constant('train')): fc.Arbitrary<unknown> {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case 'hex':
      return hexOf(shape.length);
    case 'bytes':
      return fc.uint8Array({ maxLength: Math.min(300, shape.max) });
    case 'integer': {
      const edges = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, shape.min, shape.max];
      const within = edges.filter((edge) => edge >= shape.min && edge <= shape.max);
      return fc.oneof(fc.constantFrom(...within), fc.integer({ min: shape.min, max: shape.max }));
    }
    case 'list':
      return fc.array(valuesOf(shape.item, other), { maxLength: Math.min(30, shape.max) });
    case 'tuple':
      return fc.tuple(...shape.items.map((item) => valuesOf(item, other)));
    case 'object': {
      const required = shape.fields.filter(({ isOptional }) => !isOptional).map(({ key }) => key);
      const fields = shape.fields.map(({ key, schema: inner }) => [key, valuesOf(inner, other)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: required });
    }
    case 'nullable':
      return fc.option(valuesOf(shape.wrapped, other));
    case 'other':
      return other;
    default:
      return shape satisfies never;
  }
}

const mixed = v.strictObject({
  to: v.nullable(hexBytes(16)),
  name: text(40),
  loss: finite(-5, 5),
  what: v.optional(rawBytes(10)),
  people: list(v.strictTuple([hexBytes(4), text(3), integer(0, 2 ** 53 - 1)]), 5),
});
const mixedValues = fc.record(
  {
    to: fc.option(hexOf(16)),
    name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
    // Deterministic CBOR writes −0 as the integer 0.
    loss: fc.double({ min: -5, max: 5, noNaN: true }).map((loss) => loss + 0),
    what: fc.uint8Array({ maxLength: 10 }),
    people: fc.array(fc.tuple(hexOf(4), fc.constantFrom('a', 'é', 'abc'), fc.maxSafeNat()), { maxLength: 5 }),
  },
  { requiredKeys: ['to', 'name', 'loss', 'people'] },
);

const TYPES = ['advert', 'roster', 'share', 'deliver', 'survivors', 'agreed', 'unmask', 'cohort', 'begin'] as const;
const SUBJECTS: readonly (readonly [string, v.GenericSchema, fc.Arbitrary<unknown>])[] = [
  ['one of every shape', mixed, mixedValues],
  ...TYPES.map((type: MessageType) => [type, bodySchema(type), valuesOf(bodySchema(type))] as const),
];

/** What comes of it in the long way, or in one pass: the value, the place of the first fault, or the code of a refusal. */
function outcome(read: () => v.SafeParseResult<v.GenericSchema>): unknown {
  try {
    const result = read();
    return result.success ? { value: result.output } : { at: v.getDotPath(result.issues[0]) };
  } catch (error) {
    return { code: (error as HushError).code };
  }
}

function expectAlike(schema: v.GenericSchema, bytes: Uint8Array): void {
  const long = outcome(() => v.safeParse(schema, decodeCbor(bytes), { abortEarly: true }));
  expect(outcome(() => decodeAs(schema, bytes))).toEqual(long);
}

describe.each(SUBJECTS)('%s', (_name, schema, values) => {
  it('is written as the general encoder writes it, and read back', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encodeAs(schema, value);
        expect(bytes).toEqual(encodeCbor(toWire(schema, value)));
        expect(decodeAs(schema, bytes)).toMatchObject({ success: true, output: value });
        expectAlike(schema, bytes);
      }),
      { numRuns: 40 },
    );
  });

  it('is refused where the long way refuses it, at the same place', () => {
    const edit = fc.record({ at: fc.nat(), remove: fc.nat({ max: 2 }), insert: fc.uint8Array({ maxLength: 2 }) });
    fc.assert(
      fc.property(values, edit, (value, { at, remove, insert }) => {
        const bytes = encodeAs(schema, value);
        // Most often near the beginning, where heads and keys are.
        const from = (at % 2 === 0 ? at : at % 64) % bytes.length;
        expectAlike(schema, Uint8Array.from([...bytes.slice(0, from), ...insert, ...bytes.slice(from + remove)]));
      }),
      { numRuns: 100 },
    );
  });
});

describe('what does not fit', () => {
  it.each<[string, string]>([
    ['a map out of order', 'a2626262016161 01'],
    ['a key twice', 'a2616101616102'],
    ['one key too many', 'a3616101616202616303'],
    ['a key missing', 'a1616101'],
    ['a long form of a short number', 'a2616118016162 02'],
    ['a number beyond its bounds', 'a261611864616202'],
    ['a negative number', 'a261612061620 2'],
    ['a number above 2^53', 'a261611bffffffffffffffff616202'],
    ['a length of its own', 'bf616101616202ff'],
    ['an end too early', 'a26161016162'],
    ['something after the end', 'a261610161620200'],
    ['another type', '83010203'],
    ['nothing', ''],
  ])('%s is refused as before', (_name, hex) => {
    const schema = v.strictObject({ a: integer(0, 99), b: integer(0, 99) });
    const bytes = Uint8Array.from(hex.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    expect(outcome(() => decodeAs(schema, bytes))).not.toHaveProperty('value');
    expectAlike(schema, bytes);
  });

  it('a list longer than its bound is not read further', () => {
    const schema = list(integer(0, 9), 3);
    expectAlike(schema, Uint8Array.of(0x84, 1, 2, 3, 4));
    expectAlike(schema, Uint8Array.of(0x9b, 0, 0, 0, 1, 0, 0, 0, 0));
  });

  it('a value that is not of the schema is written as it always was', () => {
    const schema = v.strictObject({ id: hexBytes(2), people: list(hexBytes(2), 9) });
    for (const value of [
      { id: 'abc', people: [] },
      { id: 'ABCD', people: [] },
      { id: 'abcdef', people: ['00'] },
      { id: 7, people: [null] },
      { id: undefined, people: 'none' },
      { id: null, people: [['0000']] },
      { people: ['0000'], more: 1 },
      [],
      3,
    ]) {
      expect(encodeAs(schema, value)).toEqual(encodeCbor(toWire(schema, value)));
    }
  });
});
