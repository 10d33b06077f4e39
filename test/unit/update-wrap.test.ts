import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { NO_FIGURES } from '../../src/core/figures.ts';
import { ringBits, sumBits, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import type { Segment, SumSpec } from '../../src/core/sumSpec.ts';
import type { Hash } from '../../src/core/ids.ts';
import type { AggregateSum, ClippedUpdate, ModelParameters } from '../../src/core/updateStages.ts';
import { applySum } from '../../src/update/aggregate.ts';
import { readGroupSum } from '../../src/update/groupSum.ts';
import { packWords } from '../../src/update/pack.ts';
import { quantise } from '../../src/update/quantise.ts';
import { readSum } from '../../src/update/readSum.ts';
import { rotate, rotationSeed } from '../../src/update/rotation.ts';
import { checkWrap, liftToMiddle } from '../../src/update/wrap.ts';
import { samplePlan, withParameters } from '../reference/samplePlan.ts';
import { seededPort } from '../reference/seededPort.ts';

/** In blocks of 1,024, the last one over the one before. */
const PARAMETERS = 1500;
const SEED = rotationSeed('5a'.repeat(32) as Hash, 1);
const figures = { training: NO_FIGURES, validation: NO_FIGURES, test: NO_FIGURES };

/** Updates of norm 1 of which a part, `alike` of the whole length, is the same for everyone. */
function updatesOf(n: number, alike: number, seed: number): ClippedUpdate[] {
  const random = SeededRandom.of(seed);
  const direction = () => {
    const values = Float64Array.from({ length: PARAMETERS }, () => random.normal());
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    return values.map((value) => value / norm);
  };
  const shared = direction();
  const rest = Math.sqrt(1 - alike * alike);
  return Array.from({ length: n }, () => {
    const own = direction();
    return Float32Array.from(own, (value, i) => rest * value + alike * shared[i]!) as ClippedUpdate;
  });
}

/** `ranges`: the clip range, in standard deviations of a rotated coordinate. */
function groupOf(n: number, alike: number, ranges: number, bits: number) {
  const clipRange = ranges / Math.sqrt(PARAMETERS);
  const plan = withParameters(samplePlan({ bits, clipRange, clipNorm: 1, rotation: true, ring: 'half' }), PARAMETERS);
  const sumSpec = trainingSumSpec(plan, PARAMETERS);
  const exact = new Float64Array(wordCount(sumSpec));
  updatesOf(n, alike, n + bits).forEach((update, i) => {
    const input = { sumSpec, plan, update, weight: 1000, figures, rotationSeed: SEED };
    quantise(input, seededPort(i)).vector.forEach((word, k) => {
      exact[k]! += word;
    });
  });
  const ring = ringBits(sumSpec, n);
  const words = Uint32Array.from(exact, (sum) => sum % 2 ** ring);
  // What a ring around the middle holds.
  const middle = (n * (2 ** bits - 1)) / 2;
  const wraps = exact.subarray(0, PARAMETERS).filter((sum) => Math.abs(sum - middle) > 2 ** (ring - 1)).length;
  return { plan, sumSpec, ring, words, exact, wraps };
}

const read = ({ words, sumSpec, ring }: { words: Uint32Array; sumSpec: SumSpec; ring: number }, n: number) =>
  readGroupSum(words.slice(), sumSpec, n, ring);

describe('a group’s sum in the smaller ring', () => {
  it.each([
    [64, 0, 5, 8],
    [64, 0.5, 16, 8],
    [200, 0, 5, 4],
    [200, 0.7, 64, 12],
    [64, 1, 32, 8],
    // So few people that the ring is the full one, and the sum may be as long as it likes.
    [4, 1, 1, 8],
  ])('of %i updates, %f alike, in a range of %f deviations and %i bits, is exact', (n, alike, ranges, bits) => {
    const group = groupOf(n, alike, ranges, bits);
    expect(group.wraps).toBe(0);
    expect([...read(group, n)]).toEqual([...group.exact]);
  });

  it.each([
    [64, 0.9, 2, 8],
    [64, 1, 4, 8],
    [64, 1, 8, 8],
    [200, 0.7, 4, 4],
    [255, 1, 1, 12],
  ])(
    'of %i updates, %f alike, in a range of %f deviations and %i bits, wraps and is refused',
    (n, alike, ranges, bits) => {
      const group = groupOf(n, alike, ranges, bits);
      expect(group.wraps).toBeGreaterThan(0);
      expect(() => read(group, n)).toThrow(
        expect.objectContaining({ code: 'sum/wrap', advice: expect.stringContaining('"aggregation.clipRange"') }),
      );
    },
  );

  it('is refused before a wrap becomes likely, and never once one has happened', () => {
    const verdicts = [8, 16, 24, 28, 40].map((ranges) => {
      const group = groupOf(64, 1, ranges, 8);
      try {
        read(group, 64);
        return { ranges, wraps: group.wraps, refused: false };
      } catch (error) {
        expect(error).toMatchObject({ code: 'sum/wrap' });
        return { ranges, wraps: group.wraps, refused: true };
      }
    });
    for (const { wraps, refused } of verdicts) if (wraps > 0) expect(refused).toBe(true);
    // Half range over deviation is ranges / 4 when 64 updates are all alike, and the bound lies at 6.7.
    expect(verdicts.filter(({ refused }) => refused).map(({ ranges }) => ranges)).toEqual([8, 16, 24]);
  });

  it('still has its limbs, count and zeros checked', () => {
    const group = groupOf(64, 0, 5, 8);
    const at = (name: string) => {
      const index = group.sumSpec.segments.findIndex((segment) => segment.name === name);
      return group.sumSpec.segments.slice(0, index).reduce((sum, { length }) => sum + length, 0);
    };
    const lie = (name: string, value: number) => {
      const words = group.words.slice();
      words[at(name)] = value;
      return () => read({ ...group, words }, 64);
    };
    expect(lie('count', 63)).toThrow(expect.objectContaining({ code: 'sum/count' }));
    expect(lie('zeros', 1)).toThrow(expect.objectContaining({ code: 'sum/zeros' }));
    expect(lie('weight', 64 * 31 + 1)).toThrow(expect.objectContaining({ code: 'sum/range' }));
  });
});

describe('the bound', () => {
  it('is on each block as it was rotated, also where the last one lies over its end', () => {
    const segment: Segment = { name: 'update', length: 1500, bits: 8, scale: 1, block: 1024, centred: true };
    const n = 64;
    const ring = 12;
    // ln(2d · 2^20) is taken as 32 bits for 1,500 values.
    const mostSquares = 2 ** (2 * ring - 2) / (2 * Math.LN2 * 32) - n / 4;
    const random = SeededRandom.of(11);
    const verdict = (part: number, place: 'first' | 'last') => {
      const values = new Float64Array(1500);
      // Only what the blocks do not share, so that all of it is in one of them.
      const own = place === 'first' ? [0, 476] : [1024, 1500];
      const size = Math.sqrt((part * mostSquares * 1024) / 476);
      values.fill(size, ...own).forEach((value, i) => (values[i] = random.below(2) === 0 ? value : -value));
      rotate(values, segment, SEED);
      const words = Uint32Array.from(values, (value) => Math.round(value + (n * 255) / 2));
      return () => checkWrap({ segment, words }, ring, n);
    };
    for (const place of ['first', 'last'] as const) {
      expect(verdict(0.97, place)).not.toThrow();
      expect(verdict(1.03, place)).toThrow(expect.objectContaining({ code: 'sum/wrap' }));
    }
  });
});

describe('lifting', () => {
  it('gives the integer nearest to the middle, as BigInt finds it, for every ring', () => {
    const random = SeededRandom.of(3);
    for (let bits = 4; bits <= 24; bits++) {
      for (let ring = bits; ring <= Math.min(32, bits + 8); ring++) {
        const survivors = 1 + random.below(2 ** (ring - bits));
        const segment: Segment = { name: 'update', length: 200, bits, scale: 1, block: 1, centred: true };
        const words = Uint32Array.from({ length: 200 }, () => random.below(2 ** ring));
        const twice = BigInt(survivors) * (2n ** BigInt(bits) - 1n);
        const modulus = 2n ** BigInt(ring);
        const expected = Array.from(words, (word) => {
          let lifted = BigInt(word);
          while (2n * lifted - twice >= modulus) lifted -= modulus;
          while (2n * lifted - twice < -modulus) lifted += modulus;
          return Number(BigInt.asUintN(32, lifted));
        });
        liftToMiddle({ segment, words }, ring, survivors);
        expect([...words]).toEqual(expected);
      }
    }
  });
});

describe('the total', () => {
  it('is looked at by everyone where there is one group, and read back by the round’s own rotation', () => {
    const n = 64;
    const model = new Float32Array(PARAMETERS) as ModelParameters;
    const order = (group: ReturnType<typeof groupOf>) => {
      const packedSum = packWords(Uint32Array.from(group.exact), sumBits(group.sumSpec, n));
      return { round: 1, sumSpec: group.sumSpec, members: n, survivors: n, packedSum };
    };
    const wrapped = groupOf(n, 1, 4, 8);
    expect(() => applySum(model, order(wrapped), wrapped.plan)).toThrow(expect.objectContaining({ code: 'sum/wrap' }));
    const grouped = { ...wrapped.plan, aggregation: { ...wrapped.plan.aggregation, groupSize: 64 } };
    expect(applySum(model, order(wrapped), grouped).totalWeight).toBe(n * 1000);

    const good = groupOf(n, 0, 5, 8);
    const sum = Uint32Array.from(good.exact) as AggregateSum;
    const input = { sum, sumSpec: good.sumSpec, plan: good.plan, survivors: n };
    expect(() => readSum(input)).toThrow(expect.objectContaining({ code: 'sum/rotation' }));
    const [first, second] = [1, 2].map((round) => applySum(model, { ...order(good), round }, good.plan).modelHashAfter);
    expect(first).not.toBe(second);
  });
});
