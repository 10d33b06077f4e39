/** Statistics of a federation are those of everyone's data in one place; what is no sum of statistics is refused. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Examples } from '../../src/core/dataset.ts';
import type { Plan } from '../../src/core/plan.ts';
import { statisticsLayout } from '../../src/core/statisticsLayout.ts';
import { MOMENT_LIMBS, sumSpecFor, TALLY_LIMBS } from '../../src/core/sumSpec.ts';
import type { AggregateSum } from '../../src/core/updateStages.ts';
import { localStatistics } from '../../src/update/localStatistics.ts';
import { segmentViews } from '../../src/update/segmentView.ts';
import { writeStatistics } from '../../src/update/statisticsSum.ts';
import { samplePlan } from '../reference/samplePlan.ts';
import { pooled, readOf, someRows, statisticsPlan, sumOf } from '../support/statisticsPlan.ts';

const plan = statisticsPlan();

const people = fc.array(
  fc.record({ count: fc.integer({ min: 0, max: 40 }), seed: fc.nat(1e6), scale: fc.constantFrom(1e-3, 1, 1e6, 1e12) }),
  { minLength: 1, maxLength: 6 },
);

describe('statistics of a federation', () => {
  it('are those of the pooled data, and where support is needed those of what has it', () => {
    fc.assert(
      fc.property(people, (of) => {
        const parts = of.map(({ count, seed, scale }) => someRows(plan, count, seed, scale));
        const federated = readOf(plan, sumOf(plan, parts), parts.length);
        const whole = pooled(parts);
        const alone = readOf(plan, sumOf(plan, [whole]), 1);
        expect(federated.examples).toBe(whole.count);
        expect(federated.features).toEqual(alone.features);
        let at = 0;
        for (const { length, supported } of statisticsLayout(plan).tallies) {
          const own = [federated, alone].map(({ counts }) => counts.slice(at, at + length));
          if (!supported) expect(own[0]).toEqual(own[1]);
          else expect(own[0]).toEqual(supportedCounts(parts, length));
          at += length;
        }
      }),
      { numRuns: 100 },
    );
  });

  /** By definition: of hashed towns, which stand from the fourth value on. */
  function supportedCounts(parts: readonly Examples[], buckets: number): readonly number[] {
    const least = plan.statistics!.minimumSupport;
    return Array.from({ length: buckets }, (_, bucket) =>
      parts.reduce((sum, { inputs, width, count }) => {
        const own = Array.from({ length: count }, (_, row) => inputs[row * width + 4 + bucket]!);
        const found = own.filter((flag) => flag === 1).length;
        return sum + (found < least ? 0 : found);
      }, 0),
    );
  }

  it('are mean and variance by definition, within the quantisation', () => {
    const unit = 2 ** -32;
    for (const scale of [1e-2, 30, 1e5]) {
      const parts = [1, 2, 3].map((seed) => someRows(plan, 50, seed, scale));
      const { features } = readOf(plan, sumOf(plan, parts), 3);
      const whole = pooled(parts);
      statisticsLayout(plan).features.forEach(({ first, step }, i) => {
        const values = [...whole.inputs].filter((value, k) => k % step === first && !Number.isNaN(value));
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
        expect(features[i]!.count).toBe(values.length);
        expect(Math.abs(features[i]!.mean - mean)).toBeLessThan(unit + 1e-12 * Math.abs(mean));
        expect(Math.abs(features[i]!.variance - variance)).toBeLessThan(1e-9 * variance + unit * Math.sqrt(variance));
      });
    }
  });

  it('take every pixel of public images as one feature, and count the classes', () => {
    const images: Plan = { ...samplePlan(), statistics: { normalise: true, minimumSupport: 1 } };
    const part = {
      count: 2,
      width: 5,
      inputs: Uint8Array.of(0, 255, 0, 255, 0, 255, 0, 255, 0, 0),
      inputScale: 1 / 255,
    };
    const { features, counts } = readOf(images, sumOf(images, [{ ...part, labels: Uint8Array.of(2, 0) }]), 1);
    expect(features).toEqual([{ count: 10, mean: 0.4, variance: expect.closeTo(0.24, 9) }]);
    expect(counts).toEqual([1, 0, 1]);
  });

  it('hold what does not vary, and what is not there', () => {
    const images: Plan = { ...samplePlan(), statistics: { normalise: true, minimumSupport: 1 } };
    const flat = {
      count: 1,
      width: 5,
      inputs: new Float32Array(5).fill(1e30),
      inputScale: 1,
      labels: Uint8Array.of(1),
    };
    expect(readOf(images, sumOf(images, [flat]), 1).features).toEqual([{ count: 5, mean: 2 ** 32, variance: 0 }]);
    const none = { ...flat, count: 0, inputs: new Float32Array(), labels: new Uint8Array() };
    expect(readOf(images, sumOf(images, [none]), 1).features).toEqual([{ count: 0, mean: 0, variance: 0 }]);
  });
});

describe('a sum that lies', () => {
  const parts = [1, 2, 3].map((seed) => someRows(plan, 20, seed));
  const sumSpec = sumSpecFor('statistics', plan);
  const lie = (segment: string, word: number, change: (value: number) => number): (() => unknown) => {
    const sum = new Uint32Array(sumOf(plan, parts));
    const { words } = segmentViews(sumSpec, sum).find((view) => view.segment.name === segment)!;
    words[word] = change(words[word]!);
    return () => readOf(plan, sum as AggregateSum, parts.length);
  };
  const firstSum = MOMENT_LIMBS.count;
  /** Days are far from 0, so that their squares follow from their sum but for little. */
  const ofDay = MOMENT_LIMBS.count + MOMENT_LIMBS.sum + MOMENT_LIMBS.squares;
  const firstSquares = firstSum + MOMENT_LIMBS.sum;

  it.each([
    ['another number of people', 'count', 0, () => 4, 'sum/count'],
    ['a mask left on', 'zeros', 1, () => 7, 'sum/zeros'],
    ['a word out of range', 'moments', 2, () => 3 * (2 ** 15 - 1) + 1, 'sum/range'],
    ['more values than examples', 'moments', 0, (value: number) => value + 1000, 'sum/statistics'],
    ['a sum beyond its values', 'moments', firstSum + MOMENT_LIMBS.sum - 1, () => 90_000, 'sum/statistics'],
    ['squares too small for their sum', 'moments', ofDay + firstSquares + 6, () => 0, 'sum/statistics'],
    ['squares beyond their values', 'moments', firstSquares + MOMENT_LIMBS.squares - 1, () => 90_000, 'sum/statistics'],
    ['an example without a class', 'tallies', 0, (value: number) => value - 1, 'sum/statistics'],
    ['a category more than once in an example', 'tallies', 2 * TALLY_LIMBS, () => 1000, 'sum/statistics'],
    ['examples that have no classes', 'examples', 0, (value: number) => value + 1, 'sum/statistics'],
  ] as const)('is refused: %s', (_, segment, word, change, code) => {
    expect(lie(segment, word, change)).toThrow(expect.objectContaining({ code }));
  });

  it('is no sum of too many examples: it is never sent', () => {
    const { features, ...rest } = localStatistics(plan, parts[0]!);
    const huge = { ...rest, features: features.map((each) => ({ ...each, count: 2n ** 45n })) };
    expect(() => writeStatistics(sumSpec, huge)).toThrow(expect.objectContaining({ code: 'update/statistics' }));
  });

  it('fits no label that the plan does not have', () => {
    const wrong = { ...parts[0]!, labels: new Uint8Array(20).fill(9) };
    expect(() => localStatistics(plan, wrong)).toThrow(expect.objectContaining({ code: 'statistics/label' }));
  });
});
