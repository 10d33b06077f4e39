import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCbor, encodeCbor, encodeList } from '../../src/federation/cbor.ts';

const item = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
  fc.nat({ max: Number.MAX_SAFE_INTEGER }),
);

describe('a flat list', () => {
  it('is written as the general encoder writes it, and read back', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), (items) => {
        const encoded = encodeList(items);
        expect(encoded).toEqual(encodeCbor(items));
        expect(decodeCbor(encoded)).toEqual(items);
      }),
    );
  });

  it('may hold a string of 64 KiB and more', () => {
    const items = [new Uint8Array(65_535), new Uint8Array(65_536)];
    expect(encodeList(items)).toEqual(encodeCbor(items));
  });
});
