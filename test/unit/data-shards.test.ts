import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SeededRandom } from '../../src/core/seededRandom.ts';
import { drawDirichlet } from '../../src/data/dirichlet.ts';
import { cutEvenly, cutIntoShards, setAside } from '../../src/data/shards.ts';
import type { DrawnSplit } from '../../src/data/shards.ts';

const CLASSES = 10;

/** Balanced and shuffled, like the digits. */
const BALANCED = SeededRandom.of(9)
  .permutation(4000)
  .reduce((labels, place, i) => labels.fill(place % CLASSES, i, i + 1), new Uint8Array(4000));

const splits = fc.oneof(
  fc.constant<DrawnSplit>({ kind: 'iid' }),
  fc.record({ kind: fc.constant('label' as const), labelsPerShard: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant('dirichlet' as const),
    alpha: fc.double({ min: 0.001, max: 1000, noNaN: true }),
  }),
);

const cases = fc
  .record({
    labels: fc.uint8Array({ min: 0, max: 12, minLength: 1, maxLength: 300 }),
    split: splits,
    count: fc.integer({ min: 1, max: 300 }),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  })
  .filter(({ labels, split, count }) => count * (split.kind === 'label' ? split.labelsPerShard : 1) <= labels.length);

describe('shards', () => {
  it('hold every example exactly once, and none is empty', () => {
    fc.assert(
      fc.property(cases, ({ labels, split, count, seed }) => {
        const shards = cutIntoShards(labels, split, count, seed);
        expect(shards).toHaveLength(count);
        expect(shards.every((shard) => shard.length > 0)).toBe(true);
        const all = shards.flatMap((shard) => [...shard]).sort((a, b) => a - b);
        expect(all).toEqual([...labels.keys()]);
      }),
    );
  });

  it('are the same for the same seed, and others for another', () => {
    fc.assert(
      fc.property(cases, ({ labels, split, count, seed }) => {
        expect(cutIntoShards(labels, split, count, seed)).toEqual(cutIntoShards(labels, split, count, seed));
      }),
    );
    for (const split of [{ kind: 'iid' }, { kind: 'dirichlet', alpha: 1 }] as const) {
      expect(cutIntoShards(BALANCED, split, 5, 1)).not.toEqual(cutIntoShards(BALANCED, split, 5, 2));
    }
  });

  it('have few labels each when cut by label', () => {
    for (const shard of cutIntoShards(BALANCED, { kind: 'label', labelsPerShard: 2 }, 20, 3)) {
      expect(shard).toHaveLength(200);
      // 40 runs of 100 from 400 of each label: no run straddles two labels.
      expect(new Set(Array.from(shard, (i) => BALANCED[i])).size).toBeLessThanOrEqual(2);
    }
  });

  it('are the more skewed the smaller alpha is', () => {
    const skews = [100, 1, 0.1, 0.01].map((alpha) =>
      skew(cutIntoShards(BALANCED, { kind: 'dirichlet', alpha }, 20, 4)),
    );
    expect(skews).toEqual([...skews].sort((a, b) => a - b));
    expect(skew(cutIntoShards(BALANCED, { kind: 'iid' }, 20, 4))).toBeLessThan(0.2);
    expect(skews.at(-1)).toBeGreaterThan(0.7);
  });

  it('refuses more pieces than examples, naming the field', () => {
    const labels = new Uint8Array(5);
    expect(() => cutIntoShards(labels, { kind: 'iid' }, 6, 0)).toThrow(
      expect.objectContaining({ code: 'data/shards', message: expect.stringContaining('"data.shards"') }),
    );
    expect(() => cutIntoShards(labels, { kind: 'label', labelsPerShard: 2 }, 3, 0)).toThrow(/6 pieces/);
  });

  it('leave validation and training apart, and at least one example to train on', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.integer({ min: 0, max: 100 }),
        (size, fraction, index) => {
          const shard = Uint32Array.from({ length: size }, (_, i) => 1000 + i);
          const { kept, aside } = setAside(shard, fraction, index, 5);
          expect([...kept, ...aside].sort((a, b) => a - b)).toEqual([...shard]);
          expect(aside).toHaveLength(Math.min(Math.floor(fraction * size), size - 1));
          expect(setAside(shard, fraction, index, 5)).toEqual({ kept, aside });
        },
      ),
    );
  });

  it('cut the test part evenly', () => {
    const parts = cutEvenly(2003, 20, 6);
    expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual([...new Uint32Array(2003).keys()]);
    expect(new Set(parts.map((part) => part.length))).toEqual(new Set([100, 101]));
  });
});

describe('Dirichlet proportions', () => {
  it('sum to 1 and are finite for every alpha that a plan may give', () => {
    const random = SeededRandom.of(7);
    for (const alpha of [0.001, 0.01, 0.5, 1, 10, 1000]) {
      for (let i = 0; i < 200; i++) {
        const drawn = drawDirichlet(alpha, CLASSES, random);
        expect(drawn.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
        expect(drawn.every((value) => value >= 0)).toBe(true);
      }
    }
  });

  it('have the mean and the variance of the distribution', () => {
    const random = SeededRandom.of(8);
    for (const alpha of [0.3, 2]) {
      const drawn = Array.from({ length: 20_000 }, () => drawDirichlet(alpha, 4, random)[0] ?? NaN);
      const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
      const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
      expect(mean).toBeCloseTo(1 / 4, 2);
      // Var = p (1 − p) / (classes · alpha + 1).
      expect(variance / (0.1875 / (4 * alpha + 1))).toBeCloseTo(1, 1);
    }
  });
});

/** Mean over the shards of the total variation distance from even label proportions: 0 even, 0.9 one label only. */
function skew(shards: readonly Uint32Array[]): number {
  const distances = shards.map((shard) => {
    const counts = new Float64Array(CLASSES);
    for (const i of shard) counts[BALANCED[i] ?? 0]! += 1 / shard.length;
    return counts.reduce((sum, share) => sum + Math.abs(share - 1 / CLASSES), 0) / 2;
  });
  return distances.reduce((sum, distance) => sum + distance, 0) / shards.length;
}
