import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '../../src/core/bytes.ts';
import { BOX_OVERHEAD_BYTES, openBox, sealBox } from '../../src/crypto/box.ts';
import { seededPort } from '../reference/seededPort.ts';
import vectors from '../vectors/wycheproof-chacha20-poly1305.json';

const REFUSED = expect.objectContaining({ code: 'crypto/box' });

describe('box', () => {
  it.each(vectors.boxes)('seals "$plaintext" as the specification does', ({ key, iv, plaintext, sealed }) => {
    const box = sealBox(fromHex(key), fromHex(plaintext), { bytes: () => fromHex(iv) });
    expect(toHex(box)).toBe(iv + sealed);
    expect(toHex(openBox(fromHex(key), box))).toBe(plaintext);
  });

  it('opens under no other key, changed at no byte, cut at no length', () => {
    const key = seededPort(1).bytes(32);
    const box = sealBox(key, utf8('a share'), seededPort(2));
    expect(box).toHaveLength(7 + BOX_OVERHEAD_BYTES);
    expect(() => openBox(seededPort(3).bytes(32), box)).toThrow(REFUSED);
    for (let i = 0; i < box.length; i++) {
      const changed = box.slice();
      changed[i]! ^= 1;
      expect(() => openBox(key, changed)).toThrow(REFUSED);
      expect(() => openBox(key, box.slice(0, i))).toThrow(REFUSED);
    }
  });

  it('seals the same content differently each time', () => {
    const random = seededPort(4);
    const key = random.bytes(32);
    expect(sealBox(key, utf8('x'), random)).not.toEqual(sealBox(key, utf8('x'), random));
  });
});
