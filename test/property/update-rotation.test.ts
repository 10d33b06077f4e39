import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hash } from '../../src/core/ids.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { trainingSumSpec } from '../../src/core/sumSpec.ts';
import type { Segment } from '../../src/core/sumSpec.ts';
import { blockStarts, rotate, rotationSeed, unrotate } from '../../src/update/rotation.ts';
import { samplePlan } from '../reference/samplePlan.ts';
import { DENOMINATOR, slowBlocks, slowRotationSeed, slowUnrotate } from '../reference/slowRotation.ts';

const plan = samplePlan({ rotation: true });
const segmentOf = (length: number): Segment => trainingSumSpec(plan, length).segments[0]!;

/** The largest integers that a sum can give when it is laid around its middle: 32 bits and a sign. */
const LARGEST = 2 ** 32 - 1;

const sums = fc
  .record({
    length: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 250, max: 300 })),
    seed: fc.integer({ min: 0, max: 1e9 }),
    kind: fc.constantFrom('any', 'extreme', 'small'),
  })
  .map(({ length, seed, kind }) => {
    const random = SeededRandom.of(seed);
    const one = { any: () => random.uint32(), extreme: () => LARGEST, small: () => random.below(3) }[kind];
    const values = Float64Array.from({ length }, () => (random.below(2) === 0 ? one() : -one()));
    return { values, seed: random.bytes(32) };
  });

const squares = (values: Iterable<bigint>): bigint => [...values].reduce((sum, value) => sum + value * value, 0n);
const big = (values: Float64Array, factor = 1): bigint[] => [...values].map((value) => BigInt(value * factor));

describe('rotating back', () => {
  it('is the explicit matrix in exact fractions, and keeps the norm exactly', () => {
    fc.assert(
      fc.property(sums, ({ values, seed }) => {
        const back = values.slice();
        unrotate(back, segmentOf(values.length), seed);
        const numerators = big(back, Number(DENOMINATOR));
        expect(numerators).toEqual(slowUnrotate(big(values), seed));
        expect(squares(numerators)).toBe(squares(big(values)) * DENOMINATOR ** 2n);
      }),
      { numRuns: 150 },
    );
  });

  it('is exact in blocks of 4,096 as well, with a last one that lies over the one before', () => {
    const random = SeededRandom.of(5);
    const values = Float64Array.from({ length: 4999 }, () => (random.below(2) === 0 ? LARGEST : -LARGEST));
    const seed = random.bytes(32);
    const back = values.slice();
    unrotate(back, segmentOf(values.length), seed);
    expect(big(back, Number(DENOMINATOR))).toEqual(slowUnrotate(big(values), seed));
  });

  it('is undone by rotating, and the other way round', () => {
    fc.assert(
      fc.property(sums, ({ values, seed }) => {
        const segment = segmentOf(values.length);
        const there = values.slice();
        unrotate(there, segment, seed);
        rotate(there, segment, seed);
        expect(big(there)).toEqual(big(values));
        const other = values.map((value) => value / 4096);
        const back = other.slice();
        rotate(back, segment, seed);
        unrotate(back, segment, seed);
        back.forEach((value, i) => expect(Math.abs(value - other[i]!)).toBeLessThan(1e-6));
      }),
      { numRuns: 150 },
    );
  });
});

describe('rotating', () => {
  it.each([1, 2, 3, 4, 5, 16, 63, 64, 1000, 4096, 5000, 101_770])('covers all of %i values in blocks', (length) => {
    const segment = segmentOf(length);
    const blocks = slowBlocks(length);
    expect(blockStarts(segment)).toEqual(blocks.map(([start]) => start));
    expect(segment.block).toBe(blocks[0]![1]);
    const covered = new Uint8Array(length);
    for (const [start, size] of blocks) covered.fill(1, start, start + size);
    expect(covered.every((one) => one === 1)).toBe(true);
  });

  it('spreads one value evenly over its block', () => {
    const values = new Float64Array(4096);
    values[77] = 64;
    rotate(values, segmentOf(4096), SeededRandom.of(1).bytes(32));
    expect(new Set(values.map(Math.abs))).toEqual(new Set([1]));
    const positive = values.filter((value) => value > 0).length;
    expect(positive === 2048 || positive === 4096 || positive === 0).toBe(true);
  });

  it('has signs of its own in every round, from every model and in every block', () => {
    const models = ['00'.repeat(32), '5a'.repeat(32)] as Hash[];
    const rounds = [0, 1, 2 ** 32, 2 ** 32 + 1];
    const seeds = models.flatMap((model) => rounds.map((round) => rotationSeed(model, round)));
    const expected = models.flatMap((model) => rounds.map((round) => [...slowRotationSeed(model, BigInt(round))]));
    expect(seeds.map((seed) => [...seed])).toEqual(expected);
    expect(new Set(expected.map(String)).size).toBe(seeds.length);
    const ones = new Float64Array(3 * 256).fill(1);
    rotate(ones, { ...segmentOf(ones.length), block: 256 }, seeds[0]!);
    const blocks = [0, 256, 512].map((start) => String([...ones.subarray(start, start + 256)]));
    expect(new Set(blocks).size).toBe(3);
  });
});
