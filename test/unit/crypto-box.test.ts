import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '../../src/core/bytes.ts';
import { BOX_OVERHEAD_BYTES, openBox, sealBox } from '../../src/crypto/box.ts';
import { seededPort } from '../reference/seededPort.ts';
import vectors from '../vectors/aes-256-gcm.json';

describe('box', () => {
  it.each(vectors.boxes)('seals "$plaintext" as the specification does', async ({ key, iv, plaintext, sealed }) => {
    const box = await sealBox(fromHex(key), fromHex(plaintext), { bytes: () => fromHex(iv) });
    expect(toHex(box)).toBe(iv + sealed);
    expect(toHex(await openBox(fromHex(key), box))).toBe(plaintext);
  });

  it('opens under no other key, changed at no byte, cut at no length', async () => {
    const key = seededPort(1).bytes(32);
    const box = await sealBox(key, utf8('a share'), seededPort(2));
    expect(box).toHaveLength(7 + BOX_OVERHEAD_BYTES);
    await expect(openBox(seededPort(3).bytes(32), box)).rejects.toMatchObject({ code: 'crypto/box' });
    for (let i = 0; i < box.length; i++) {
      const changed = box.slice();
      changed[i]! ^= 1;
      await expect(openBox(key, changed)).rejects.toMatchObject({ code: 'crypto/box' });
      await expect(openBox(key, box.slice(0, i))).rejects.toMatchObject({ code: 'crypto/box' });
    }
  });

  it('seals the same content differently each time', async () => {
    const random = seededPort(4);
    const key = random.bytes(32);
    expect(await sealBox(key, utf8('x'), random)).not.toEqual(await sealBox(key, utf8('x'), random));
  });
});
