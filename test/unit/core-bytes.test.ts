import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/core/bytes.ts';

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
