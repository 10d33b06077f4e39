import { describe, expect, it } from 'vitest';
import { MAX_GROUP } from '../../src/core/plan.ts';
import { addPacked, packWords, unpackWords } from '../../src/update/pack.ts';

describe('packing', () => {
  it('puts the lowest bit first', () => {
    expect([...packWords(Uint32Array.of(0b101, 0b011, 0b110), 3)]).toEqual([0b10_011_101, 0b1]);
    expect([...packWords(Uint32Array.of(0x12345678), 32)]).toEqual([0x78, 0x56, 0x34, 0x12]);
    expect([...packWords(Uint32Array.of(0xffffffff), 20)]).toEqual([0xff, 0xff, 0x0f]);
    expect(packWords(new Uint32Array(), 20)).toHaveLength(0);
    expect(unpackWords(new Uint8Array(), 0, 20)).toHaveLength(0);
  });

  it('refuses a wrong length and padding that is not zero, and then changes nothing', () => {
    const packed = packWords(Uint32Array.of(1, 2, 3), 20);
    const target = Uint32Array.of(7, 7, 7);
    const longer = new Uint8Array(9);
    const padded = packed.slice();
    padded[7]! |= 0x10;
    for (const [bytes, what] of [
      [packed.slice(1), 'length'],
      [longer, 'length'],
      [new Uint8Array(), 'length'],
      [padded, 'padding'],
    ] as const) {
      expect(() => unpackWords(bytes, 3, 20)).toThrow(expect.objectContaining({ code: `update/${what}` }));
      expect(() => addPacked(target, bytes, 20, 'sum')).toThrow(expect.objectContaining({ code: `sum/${what}` }));
    }
    expect([...target]).toEqual([7, 7, 7]);
    addPacked(target, packed, 20, 'sum');
    expect([...target]).toEqual([8, 9, 10]);
  });

  it('holds a full group of the widest values without wrapping', () => {
    const largest = 2 ** 24 - 1;
    const target = new Uint32Array(1);
    for (let i = 0; i < MAX_GROUP; i++) addPacked(target, packWords(Uint32Array.of(largest), 32), 32, 'sum');
    expect(target[0]).toBe(MAX_GROUP * largest);
  });
});
