import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex, utf8 } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import type { Hash, ParticipantId } from '../../src/core/ids.ts';
import { hashOf } from '../../src/crypto/hash.ts';
import { keystreamWords } from '../../src/crypto/prg.ts';
import { boxKey, maskSalt, pairSeed, pairSign, selfSeed } from '../../src/crypto/seeds.ts';

const hash = (n: number): Hash => hashOf(Uint8Array.of(n));
const id = (n: number): ParticipantId => n.toString(16).padStart(32, '0') as ParticipantId;
const shared = fromHex('11'.repeat(32));
const binding = { planHash: hash(1), modelHash: hash(2), rosterRoot: hash(3), u1Root: hash(4), sumSpecHash: hash(5) };
const salt = maskSalt(binding);

function openSslHkdf(secret: Bytes, salted: Bytes, info: Bytes): string {
  return Buffer.from(hkdfSync('sha256', secret, salted, info, 32)).toString('hex');
}

describe('seeds', () => {
  it('derives what the protocol writes down', () => {
    expect(toHex(salt)).toBe(hashOf(...[1, 2, 3, 4, 5].map((n) => fromHex(hash(n)))));
    const round = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 12);
    const a = fromHex(id(3));
    const b = fromHex(id(200));
    expect(toHex(pairSeed({ shared, salt, a: id(3), b: id(200), round: 12 }))).toBe(
      openSslHkdf(shared, salt, concatBytes(utf8('hushgrad/1 pair'), a, b, round)),
    );
    expect(toHex(selfSeed({ secret: shared, salt, id: id(3), round: 12 }))).toBe(
      openSslHkdf(shared, salt, concatBytes(utf8('hushgrad/1 self'), a, round)),
    );
    expect(toHex(boxKey({ shared, rosterRoot: hash(3), from: id(200), to: id(3) }))).toBe(
      openSslHkdf(shared, fromHex(hash(3)), concatBytes(utf8('hushgrad/1 box'), b, a)),
    );
  });

  it('gives both ends of a pair one seed and opposite signs, and each direction its own box key', () => {
    expect(pairSeed({ shared, salt, a: id(1), b: id(2), round: 1 })).toEqual(
      pairSeed({ shared, salt, a: id(2), b: id(1), round: 1 }),
    );
    expect(pairSign(id(1), id(2))).toBe(1);
    expect(pairSign(id(2), id(1))).toBe(-1);
    expect(boxKey({ shared, rosterRoot: hash(3), from: id(1), to: id(2) })).not.toEqual(
      boxKey({ shared, rosterRoot: hash(3), from: id(2), to: id(1) }),
    );
  });

  it('never repeats mask words within a vector or across rounds, pairs, kinds, or anything else that a mask is bound to', () => {
    const salts = [
      salt,
      maskSalt({ ...binding, planHash: hash(9) }),
      maskSalt({ ...binding, modelHash: hash(9) }),
      maskSalt({ ...binding, rosterRoot: hash(9) }),
      maskSalt({ ...binding, u1Root: hash(9) }),
      maskSalt({ ...binding, sumSpecHash: hash(9) }),
    ];
    const seeds = salts.flatMap((salted) =>
      [1, 2, 3].flatMap((round) => [
        // The same secret everywhere: what tells the masks apart is the derivation alone.
        pairSeed({ shared, salt: salted, a: id(1), b: id(2), round }),
        pairSeed({ shared, salt: salted, a: id(1), b: id(3), round }),
        pairSeed({ shared, salt: salted, a: id(2), b: id(3), round }),
        selfSeed({ secret: shared, salt: salted, id: id(1), round }),
        selfSeed({ secret: shared, salt: salted, id: id(2), round }),
      ]),
    );
    // Every 64 bits that stand side by side, at any offset: 720,000 of them collide by chance once in 70 million runs.
    const wordsEach = 8000;
    const windows = new BigUint64Array(seeds.length * (wordsEach - 1));
    seeds.forEach((seed, s) => {
      const words = keystreamWords(seed, wordsEach);
      for (let i = 0; i + 1 < wordsEach; i++) {
        windows[s * (wordsEach - 1) + i] = (BigInt(words[i]!) << 32n) | BigInt(words[i + 1]!);
      }
    });
    windows.sort();
    let repeated = 0;
    for (let i = 1; i < windows.length; i++) if (windows[i] === windows[i - 1]) repeated++;
    expect(seeds).toHaveLength(90);
    expect(repeated).toBe(0);
  });
});
