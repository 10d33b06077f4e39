import { combine, split } from 'shamir-secret-sharing';
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../src/core/bytes.ts';
import { combineShares, splitSecret } from '../../src/crypto/shamir.ts';
import { seededPort } from '../reference/seededPort.ts';

const secret = utf8('thirty-two bytes of mask secret.');

describe('Shamir sharing', () => {
  it.each([
    [3, 2],
    [10, 7],
    [255, 171],
  ])('of %i holders with threshold %i is read by shamir-secret-sharing', async (holders, threshold) => {
    const shares = splitSecret(secret, holders, threshold, seededPort(holders));
    const theirs = shares.map((share, index) => concatBytes(share, Uint8Array.of(index + 1)));
    expect(new Uint8Array(await combine(theirs.slice(-threshold)))).toEqual(secret);
  });

  it.each([
    [3, 2],
    [10, 7],
    [255, 171],
  ])('of %i holders with threshold %i reads what shamir-secret-sharing dealt', async (holders, threshold) => {
    const theirs = await split(secret, holders, threshold);
    const ours = theirs.map((share) => ({ index: share.at(-1)! - 1, share: new Uint8Array(share.slice(0, -1)) }));
    expect(combineShares(ours.slice(0, threshold))).toEqual(secret);
  });

  it('shares the smallest cases: one holder, threshold one, lengths that fill no word', () => {
    for (const length of [1, 2, 3, 4, 5, 31, 33]) {
      const short = seededPort(length).bytes(length);
      const [only] = splitSecret(short, 1, 1, seededPort(1));
      expect(combineShares([{ index: 0, share: only! }])).toEqual(short);
      const shares = splitSecret(short, 4, 3, seededPort(2));
      expect(combineShares([3, 0, 2].map((index) => ({ index, share: shares[index]! })))).toEqual(short);
    }
  });

  it('keeps the weights of different sets of holders apart', () => {
    const shares = splitSecret(secret, 5, 3, seededPort(3)).map((share, index) => ({ index, share }));
    for (const set of [
      [0, 1, 2],
      [0, 1, 3],
      [0, 1, 2],
      [2, 1, 0],
      [4, 3, 2, 1, 0],
    ]) {
      expect(combineShares(set.map((i) => shares[i]!))).toEqual(secret);
    }
  });

  it('refuses what cannot be shared or combined', () => {
    const share = new Uint8Array(4);
    const wrong = expect.objectContaining({ code: 'crypto/shares' });
    const random = seededPort(4);
    expect(() => splitSecret(secret, 3, 4, random)).toThrow(wrong);
    expect(() => splitSecret(secret, 3, 0, random)).toThrow(wrong);
    expect(() => splitSecret(secret, 256, 3, random)).toThrow(wrong);
    expect(() => splitSecret(secret, 3, 1.5, random)).toThrow(wrong);
    expect(() => splitSecret(new Uint8Array(), 3, 2, random)).toThrow(wrong);
    expect(() => combineShares([])).toThrow(wrong);
    expect(() => combineShares([{ index: 255, share }])).toThrow(wrong);
    expect(() => combineShares([{ index: -1, share }])).toThrow(wrong);
    expect(() => combineShares([{ index: 0.5, share }])).toThrow(wrong);
    expect(() => combineShares([{ index: 0, share: new Uint8Array() }])).toThrow(wrong);
    expect(() => combineShares([1, 2, 1].map((index) => ({ index, share })))).toThrow(wrong);
    expect(() =>
      combineShares([
        { index: 0, share },
        { index: 1, share: new Uint8Array(5) },
      ]),
    ).toThrow(wrong);
  });
});
