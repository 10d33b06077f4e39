/** Splits of a person's examples: nothing lost, nothing twice, each class in its proportion, the same by the seed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GrowingRows, GrowingValues } from '../../src/data/growing.ts';
import { randomSplit, runSplit, stratifiedSplit } from '../../src/data/split.ts';

const fractions = fc.double({ min: 0, max: 0.9, noNaN: true });
const seeds = fc.nat();

test('a stratified split takes of each class its part, give or take one, and leaves one at least', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { maxLength: 200 }), fractions, seeds, (classes, fraction, seed) => {
      const { training, validation } = stratifiedSplit(classes, fraction, seed);
      expect([...training, ...validation].toSorted((a, b) => a - b)).toEqual(classes.map((_, i) => i));
      expect(validation.length).toBeLessThanOrEqual(Math.floor(fraction * classes.length));
      for (const label of new Set(classes)) {
        const all = classes.filter((other) => other === label).length;
        const taken = [...validation].filter((i) => classes[i] === label).length;
        expect(taken).toBeLessThan(all);
        expect(taken).toBeGreaterThanOrEqual(Math.min(Math.floor(fraction * all), all - 1));
        expect(taken).toBeLessThanOrEqual(Math.ceil(fraction * all));
      }
      expect(stratifiedSplit(classes, fraction, seed)).toEqual({ training, validation });
    }),
  );
});

test('a split without classes takes floor(fraction · n), but never all', () => {
  fc.assert(
    fc.property(fc.nat(300), fractions, seeds, (count, fraction, seed) => {
      expect(randomSplit(count, fraction, seed).validation).toHaveLength(Math.floor(fraction * count));
    }),
  );
});

test('a split of windows keeps those that overlap apart', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(40), fractions, seeds, (count, overlap, fraction, seed) => {
      const { training, validation } = runSplit(count, overlap, fraction, seed);
      expect(training.length > 0).toBe(count > 0);
      expect([0, Math.floor(fraction * count)]).toContain(validation.length);
      for (const window of validation) {
        expect([...training].filter((other) => Math.abs(other - window) <= overlap)).toEqual([]);
      }
    }),
  );
});

test('what grows over several chunks is the same as a plain list', () => {
  const values = new GrowingValues((length) => new Int32Array(length));
  const count = 2_500_000;
  for (let i = 0; i < count; i++) values.push(i);
  // Across the edge of a chunk, which has 2^20 values.
  for (const start of [0, 1_048_570, 2_097_150, count - 10]) {
    expect(Array.from(values.slice(start, 10))).toEqual(Array.from({ length: 10 }, (_, i) => start + i));
  }
  expect(() => values.slice(count - 9, 10)).toThrow(RangeError);
  const rows = new GrowingRows((length) => new Float32Array(length), 3);
  for (let i = 0; i < 400_000; i++) rows.push([i, -i, 1]);
  expect(rows.count).toBe(400_000);
  expect([...rows.gather(Uint32Array.of(349_525, 2, 399_999))]).toEqual([
    349_525, -349_525, 1, 2, -2, 1, 399_999, -399_999, 1,
  ]);
  expect(() => rows.push([1, 2])).toThrow(/2 values, expected 3/);
});
