import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesToFloat32,
  float32AsBytes,
  float32ToBytes,
  fromBase64Url,
  fromHex,
  toBase64Url,
  toHex,
} from '../../src/core/bytes.ts';

describe('hexadecimal text', () => {
  it('is what Buffer writes and reads', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const text = Buffer.from(bytes).toString('hex');
        expect(toHex(bytes)).toBe(text);
        expect([...fromHex(text)]).toEqual([...bytes]);
      }),
    );
  });

  it.each(['0', 'abc', 'AB', '0x', ' 1', '1 ', 'g0', '0g', '/0', ':0', '0`', '٠٠', '00\n', '-1'])(
    'is not "%s"',
    (text) => {
      expect(() => fromHex(text)).toThrow(RangeError);
    },
  );
});

describe('base64url', () => {
  it('is what Buffer writes and reads', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64url');
        expect(toBase64Url(bytes)).toBe(text);
        expect([...fromBase64Url(text)]).toEqual([...bytes]);
      }),
    );
  });

  it.each(['A', 'AAAAA', 'AA==', 'AA+A', 'AA/A', 'AA A', 'AAA\n', 'AAAä', 'AAA€'])('is not "%s"', (text) => {
    expect(() => fromBase64Url(text)).toThrow(RangeError);
  });
});

describe('float32 as bytes', () => {
  it('is little-endian, in memory of its own, wherever the values lie', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 20 }), fc.nat(3), (values, at) => {
        const expected = Buffer.alloc(4 * values.length);
        values.forEach((value, i) => expected.writeFloatLE(value, 4 * i));
        const within = new Float32Array(at + values.length);
        within.set(values, at);
        expect([...float32AsBytes(within.subarray(at))]).toEqual([...expected]);
        const bytes = float32ToBytes(within.subarray(at));
        expect([...bytes]).toEqual([...expected]);
        within.fill(7);
        expect([...bytes]).toEqual([...expected]);

        const unaligned = new Uint8Array(at + bytes.length);
        unaligned.set(bytes, at);
        const read = bytesToFloat32(unaligned.subarray(at));
        unaligned.fill(7);
        expect(read).toEqual(values);
      }),
    );
    expect(() => bytesToFloat32(new Uint8Array(5))).toThrow(RangeError);
  });
});
