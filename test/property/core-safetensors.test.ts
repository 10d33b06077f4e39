/** The safetensors files: what is written is read again, by our reader and by a separate one; what is damaged is refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, utf8 } from '../../src/core/bytes.ts';
import { readSafetensors, writeSafetensors } from '../../src/core/safetensors.ts';
import type { Safetensors } from '../../src/core/safetensors.ts';
import { slowSafetensors } from '../reference/slowSafetensors.ts';

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => text !== '__metadata__');
const tensor = fc.tuple(name, fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })).chain(([name, shape]) => {
  const length = shape.reduce((product, size) => product * size, 1);
  return fc
    .float32Array({ minLength: length, maxLength: length, noNaN: true })
    .map((values) => ({ name, shape, values }));
});
const model: fc.Arbitrary<Safetensors> = fc.record({
  tensors: fc.uniqueArray(tensor, { maxLength: 5, selector: ({ name }) => name }),
  // A key of that name is no field of an object literal.
  metadata: fc.dictionary(
    name.filter((key) => key !== '__proto__'),
    fc.string({ unit: 'grapheme' }),
    { maxKeys: 4 },
  ),
});

describe('what is written', () => {
  test('is read again, to the last bit and in the same order', () => {
    fc.assert(
      fc.property(model, (written) => {
        const read = readSafetensors(writeSafetensors(written));
        expect({ ...read.metadata }).toEqual({ ...written.metadata });
        const inBytes = ({ tensors }: Safetensors): unknown =>
          tensors
            .map(({ name, shape, values }) => ({ name, shape, bits: [...new Uint32Array(values.slice().buffer)] }))
            .toSorted((a, b) => (a.name < b.name ? -1 : 1));
        expect(inBytes(read)).toEqual(inBytes(written));
      }),
    );
  });

  test('is the same to a separate reader, and begins its tensors at a multiple of 8', () => {
    fc.assert(
      fc.property(model, (written) => {
        const file = writeSafetensors(written);
        const read = slowSafetensors(file);
        expect({ ...read.metadata }).toEqual({ ...written.metadata });
        for (const { name, shape, values } of written.tensors) {
          expect(read.tensors[name]).toEqual({ dtype: 'F32', shape, values: [...values] });
        }
        expect(Object.keys(read.tensors)).toHaveLength(written.tensors.length);
        const dataBytes = written.tensors.reduce((sum, { values }) => sum + 4 * values.length, 0);
        expect((file.length - dataBytes) % 8).toBe(0);
      }),
    );
  });
});

describe('what is damaged', () => {
  test('is refused with a sentence of ours, whatever bytes it has', () => {
    const whole = writeSafetensors({
      tensors: [{ name: 'a', shape: [2], values: Float32Array.of(1, 2) }],
      metadata: { of: 'tests' },
    });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const file = cut ? whole.slice(0, at) : whole.slice();
        if (!cut) file[at] = value;
        try {
          readSafetensors(file);
          expect(cut).toBe(false);
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'HushError', code: expect.stringMatching(/^safetensors\//) });
        }
      }),
    );
  });

  const file = (header: unknown, dataBytes: number): Uint8Array => {
    const json = utf8(typeof header === 'string' ? header : JSON.stringify(header));
    const length = new Uint8Array(8);
    new DataView(length.buffer).setUint32(0, json.length, true);
    return concatBytes(length, json, new Uint8Array(dataBytes));
  };
  const of = (entry: object): object => ({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...entry } });

  test.each([
    ['nothing', new Uint8Array(), /0 bytes, expected at least 8/],
    [
      'a header longer than the file',
      Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 123),
      /header has 9 bytes, expected at most 1/,
    ],
    ['a length of 2^63', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128, 123), /9223372036854775808 bytes/],
    ['no JSON', file('{"a"', 0), /not JSON/],
    ['a list', file([], 0), /does not begin with \{/],
    ['half precision', file(of({ dtype: 'F16' }), 8), /"a": "dtype" is "F16", expected F32/],
    ['a negative offset', file(of({ data_offsets: [-8, 0] }), 8), /"data_offsets.0" is -8/],
    ['a hole', file(of({ data_offsets: [4, 12] }), 12), /begins at byte 4, expected 0/],
    ['a shape of more values', file(of({ shape: [3] }), 8), /has 8 bytes, expected 12 for the shape \[3\]/],
    ['bytes that no tensor has', file(of({}), 9), /9 bytes follow the header, expected 8/],
    ['metadata that is no text', file({ __metadata__: { rounds: 3 }, ...of({}) }, 8), /"rounds" is 3, expected text/],
  ])('%s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(message);
  });

  test('is not written: a name twice, a shape of other values', () => {
    const one = { name: 'a', shape: [2], values: new Float32Array(2) };
    expect(() => writeSafetensors({ tensors: [one, one], metadata: {} })).toThrow(/"a" is there twice/);
    expect(() => writeSafetensors({ tensors: [{ ...one, shape: [3] }], metadata: {} })).toThrow(/has 2 values/);
  });
});
