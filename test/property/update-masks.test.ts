import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/bytes.ts';
import type { MaskSeed } from '../../src/core/localWork.ts';
import type { Hash, ParticipantId } from '../../src/core/ids.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { FieldVector } from '../../src/core/updateStages.ts';
import { maskSalt, pairSeed, pairSign, selfSeed } from '../../src/crypto/seeds.ts';
import { Accumulator } from '../../src/update/accumulator.ts';
import { mask } from '../../src/update/mask.ts';
import { packWords, unpackWords } from '../../src/update/pack.ts';
import { slowPack, slowUnpack } from '../reference/slowPack.ts';
import { slowMask, slowSum } from '../reference/slowSum.ts';

const hash = '5a'.repeat(32) as Hash;
const salt = maskSalt({ planHash: hash, modelHash: hash, rosterRoot: hash, u1Root: hash, sumSpecHash: hash });

/** A group with its ids, pairwise secrets, self secrets and vectors of `bits`-bit values. */
function groupOf(n: number, words: number, bits: number, seed: number) {
  const random = SeededRandom.of(seed);
  const members = Array.from({ length: n }, () => ({
    id: toHex(random.bytes(16)) as ParticipantId,
    secret: random.bytes(32),
    vector: Uint32Array.from({ length: words }, () => random.below(2 ** bits)) as FieldVector,
  }));
  const shared = members.map(() => members.map(() => random.bytes(32)));
  const pair = (i: number, j: number): MaskSeed => {
    const a = members[i]!.id;
    const b = members[j]!.id;
    const secret = shared[Math.min(i, j)]![Math.max(i, j)]!;
    return { seed: pairSeed({ shared: secret, salt, a, b, round: 5 }), sign: pairSign(a, b) };
  };
  const self = (i: number): MaskSeed => {
    const { secret, id } = members[i]!;
    return { seed: selfSeed({ secret, salt, id, round: 5 }), sign: 1 };
  };
  const seedsOf = (i: number): MaskSeed[] => [self(i), ...members.flatMap((_, j) => (j === i ? [] : [pair(i, j)]))];
  return { members, pair, self, seedsOf };
}

const undone = ({ seed, sign }: MaskSeed): MaskSeed => ({ seed, sign: sign === 1 ? -1 : 1 });
const big = (words: Iterable<number>): bigint[] => [...words].map(BigInt);

const groups = fc.record({
  n: fc.integer({ min: 3, max: 8 }),
  words: fc.integer({ min: 1, max: 60 }),
  bits: fc.integer({ min: 4, max: 24 }),
  seed: fc.integer({ min: 0, max: 1e9 }),
  /** Bit i: member i closes its tab after sharing and before its masked input. */
  gone: fc.nat({ max: 255 }),
});

describe('packing', () => {
  it('is the bit-by-bit reference both ways, for R from 1 to 32', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 32 }), fc.uint32Array({ maxLength: 70 }), (bits, values) => {
        const words = new Uint32Array(values);
        const packed = packWords(words, bits);
        expect([...packed]).toEqual([...slowPack(words, bits)]);
        const low = Uint32Array.from(words, (word) => word % 2 ** bits);
        expect(unpackWords(packed, words.length, bits)).toEqual(low);
        expect(slowUnpack(packed, words.length, bits)).toEqual(low);
      }),
      { numRuns: 500 },
    );
  });

  it('reads every byte string back that it accepts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 32 }), fc.uint8Array({ maxLength: 100 }), (bits, packed) => {
        const count = Math.floor((8 * packed.length) / bits);
        const spare = 8 * packed.length - count * bits;
        fc.pre(spare < 8 && (spare === 0 || packed.at(-1)! >>> (8 - spare) === 0));
        expect([...packWords(unpackWords(packed, count, bits), bits)]).toEqual([...packed]);
      }),
    );
  });
});

describe('masks', () => {
  it('are what plain BigInt arithmetic gives, and leave the vector as it was', () => {
    fc.assert(
      fc.property(groups, ({ n, words, bits, seed }) => {
        const ring = bits + Math.ceil(Math.log2(n));
        const { members, seedsOf } = groupOf(n, words, bits, seed);
        const before = members[0]!.vector.slice();
        const masked = mask(members[0]!.vector, ring, seedsOf(0));
        expect(big(slowUnpack(masked, words, ring))).toEqual(slowMask(big(before), ring, seedsOf(0)));
        expect([...members[0]!.vector]).toEqual([...before]);
      }),
      { numRuns: 50 },
    );
  });

  it('cancel to the exact sum of the survivors’ vectors, whoever drops out', () => {
    fc.assert(
      fc.property(groups, ({ n, words, bits, seed, gone: goneBits }) => {
        const ring = bits + Math.ceil(Math.log2(n));
        const { members, pair, self, seedsOf } = groupOf(n, words, bits, seed);
        const isGone = (i: number) => (goneBits >> i) % 2 === 1;
        const survivors = members.flatMap((_, i) => (isGone(i) ? [] : [i]));
        fc.pre(survivors.length > 0);
        const accumulator = new Accumulator(words, ring);
        for (const i of survivors) accumulator.add(mask(members[i]!.vector, ring, seedsOf(i)));
        accumulator.addMasks(survivors.map((i) => undone(self(i))));
        const gone = members.flatMap((_, j) => (isGone(j) ? [j] : []));
        accumulator.addMasks(survivors.flatMap((i) => gone.map((j) => undone(pair(i, j)))));
        const plain = slowSum(
          survivors.map((i) => big(members[i]!.vector)),
          ring,
        );
        expect(big(accumulator.sum())).toEqual(plain);
        // Nothing wrapped: R is wide enough for everyone at once.
        const exact = Array.from({ length: words }, (_, w) =>
          survivors.reduce((s, i) => s + members[i]!.vector[w]!, 0),
        );
        expect([...accumulator.sum()]).toEqual(exact);
      }),
      { numRuns: 100 },
    );
  });

  it('hide the vector while one of them is on', () => {
    const { members, seedsOf, self } = groupOf(4, 4096, 16, 1);
    const sum = new Accumulator(4096, 18);
    members.forEach(({ vector }, i) => sum.add(mask(vector, 18, seedsOf(i))));
    sum.addMasks([0, 1, 2].map((i) => undone(self(i))));
    // Still under member 3's self mask, every bit of a word is set half of the time: five standard deviations.
    for (let bit = 0; bit < 18; bit++) {
      const set = sum.sum().reduce((count, word) => count + ((word >>> bit) & 1), 0);
      expect(Math.abs(set - 2048)).toBeLessThan((5 * Math.sqrt(4096)) / 2);
    }
  });
});
