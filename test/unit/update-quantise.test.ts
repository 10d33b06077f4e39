import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan.ts';
import { NO_FIGURES } from '../../src/core/figures.ts';
import { evaluationSumSpec, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import type { Figures, PartFigures } from '../../src/core/figures.ts';
import type { SumSpec } from '../../src/core/sumSpec.ts';
import type { AggregateSum, ClippedUpdate } from '../../src/core/updateStages.ts';
import { quantise, saturation } from '../../src/update/quantise.ts';
import { readSum } from '../../src/update/readSum.ts';
import { segmentViews } from '../../src/update/segmentView.ts';
import { samplePlan } from '../reference/samplePlan.ts';
import { seededPort } from '../reference/seededPort.ts';

const figuresWith = (training: PartFigures): Figures => ({ training, validation: NO_FIGURES, test: NO_FIGURES });
const NOTHING = figuresWith(NO_FIGURES);
/** Learns a value. */
const regressionPlan = (bits: number): Plan => ({ ...samplePlan({ bits }), task: { kind: 'regression' } });
const updateOf = (values: readonly number[]): ClippedUpdate => Float32Array.from(values) as ClippedUpdate;

function words(sumSpec: SumSpec, vector: Uint32Array, name: string): number[] {
  return [...segmentViews(sumSpec, vector).find(({ segment }) => segment.name === name)!.words];
}

describe('quantising', () => {
  const plan = samplePlan();
  const sumSpec = trainingSumSpec(plan, 3);

  it('is unbiased: the mean over many draws is the value', () => {
    const wide = samplePlan({ bits: 4 });
    const spec = trainingSumSpec(wide, 5);
    const { scale } = spec.segments[0]!;
    const update = updateOf([0.123, -0.4, 0, 0.4999, -0.0001]);
    const random = seededPort(1);
    const repeats = 20_000;
    const sums = new Float64Array(5);
    for (let i = 0; i < repeats; i++) {
      const { vector } = quantise({ sumSpec: spec, plan: wide, update, weight: 1000, figures: NOTHING }, random);
      words(spec, vector, 'update').forEach((word, k) => {
        sums[k]! += word;
      });
    }
    update.forEach((value, k) => {
      const mean = (sums[k]! / repeats) * scale - 0.5;
      // One rounding has at most half a scale of standard deviation; five standard errors.
      expect(Math.abs(mean - value)).toBeLessThan((5 * scale) / 2 / Math.sqrt(repeats));
    });
  });

  it('stays within [0, 2^b − 1] at both ends of the range, for every number of bits', () => {
    for (let bits = 2; bits <= 24; bits++) {
      for (const clipRange of [0.1, 0.3, 1 / 3, 7, 1e-6, 1e6]) {
        const edge = samplePlan({ bits, clipRange });
        const spec = trainingSumSpec(edge, 4);
        const update = updateOf([clipRange, -clipRange, 1e30, -1e30]);
        const input = { sumSpec: spec, plan: edge, update, weight: 1000, figures: NOTHING };
        // Draws of zero round up wherever there is anything to round.
        for (const random of [seededPort(bits), { bytes: (length: number) => new Uint8Array(length) }]) {
          const { vector, saturated } = quantise(input, random);
          const [top, bottom, above, below] = words(spec, vector, 'update');
          expect(Math.max(...vector)).toBeLessThan(2 ** bits);
          expect(top).toBeGreaterThanOrEqual(2 ** bits - 2);
          expect(bottom).toBeLessThanOrEqual(1);
          expect(above).toBeGreaterThanOrEqual(2 ** bits - 2);
          expect(below).toBe(0);
          expect(saturated).toBeGreaterThanOrEqual(0.5);
        }
      }
    }
  });

  it('weighs by w / weightCap, and counts no weight above the cap', () => {
    const one = updateOf([0.4, 0.4, -0.4]);
    const at = (weight: number) =>
      quantise({ sumSpec, plan, update: one, weight, figures: NOTHING }, seededPort(2)).vector;
    const value = (vector: Uint32Array) => words(sumSpec, vector, 'update')[0]! * sumSpec.segments[0]!.scale - 0.5;
    expect(value(at(500))).toBeCloseTo(0.2, 4);
    expect(value(at(1000))).toBeCloseTo(0.4, 4);
    expect([...at(5000)]).toEqual([...at(1000)]);
    expect(words(sumSpec, at(5000), 'weight')).toEqual([1000, 0, 0]);
  });

  it('reports the fraction of coordinates that were cut off', () => {
    const update = updateOf([0.6, 0.1, -0.6]);
    const input = { sumSpec, plan, update, figures: NOTHING };
    for (const [weight, fraction] of [
      [1000, 2 / 3],
      [500, 0],
    ] as const) {
      expect(quantise({ ...input, weight }, seededPort(3)).saturated).toBe(fraction);
      expect(saturation({ ...input, weight })).toBe(fraction);
    }
    const measuring = { sumSpec: evaluationSumSpec(plan), plan, update: undefined, weight: 1, figures: NOTHING };
    expect(saturation(measuring)).toBe(0);
  });

  it('rotates before it cuts off: a range far below the largest coordinate holds them all', () => {
    const d = 1024;
    const one = new Float32Array(d) as ClippedUpdate;
    one[5] = 4;
    for (const [rotation, saturated] of [
      [true, 0],
      [false, 1 / d],
    ] as const) {
      const narrow = samplePlan({ bits: 4, clipRange: 0.13, rotation });
      const spec = trainingSumSpec(narrow, d);
      const rotationSeed = seededPort(5).bytes(32);
      const input = { sumSpec: spec, plan: narrow, update: one, weight: 1000, figures: NOTHING, rotationSeed };
      const quantised = quantise(input, seededPort(3));
      expect(quantised.saturated).toBe(saturated);
      expect(saturation(input)).toBe(saturated);
      const sum = quantised.vector as unknown as AggregateSum;
      const reading = readSum({ sum, sumSpec: spec, plan: narrow, survivors: 1, rotationSeed });
      // Rotated, the whole update of 4 comes back, but for rounding; cut off, little of it.
      expect(Math.abs(reading.update![5]! - (rotation ? 4 : 0.13))).toBeLessThan(0.1);
    }
  });

  it('draws fresh randomness for every coordinate, also past one chunk of 16,384', () => {
    const d = 40_000;
    const spec = trainingSumSpec(plan, d);
    const asked: number[] = [];
    const source = seededPort(4);
    const random = {
      bytes: (length: number) => {
        asked.push(length);
        return source.bytes(length);
      },
    };
    const half = updateOf(Array.from({ length: d }, () => spec.segments[0]!.scale * 0.25));
    const { vector } = quantise({ sumSpec: spec, plan, update: half, weight: 1000, figures: NOTHING }, random);
    expect(Math.max(...asked)).toBeLessThanOrEqual(65_536);
    expect(asked.reduce((sum, length) => sum + length, 0)).toBe(4 * d);
    const bits = words(spec, vector, 'update');
    const low = Math.min(...bits);
    const chunk = (start: number) => bits.slice(start, start + 16_384).map((word) => word - low);
    expect(chunk(0)).not.toEqual(chunk(16_384));
    for (const start of [0, 16_384]) {
      const up = chunk(start).reduce((sum, bit) => sum + bit, 0) / 16_384;
      expect(Math.abs(up - 0.75)).toBeLessThan(0.02);
    }
  });

  it('carries figures exactly through limbs of every width', () => {
    const training = { lossSum: 123_456.75, correct: 987_654, samples: 1_234_567 };
    for (const bits of [2, 3, 4, 7, 16, 20, 24]) {
      const narrow = samplePlan({ bits, weightCap: 1_000_000_000 });
      const spec = trainingSumSpec(narrow, 2);
      const input = { sumSpec: spec, plan: narrow, update: updateOf([0, 0]), weight: 999_999_999 };
      const { vector } = quantise({ ...input, figures: figuresWith(training) }, seededPort(5));
      const sum = vector as unknown as AggregateSum;
      const reading = readSum({ sum, sumSpec: spec, plan: narrow, survivors: 1 });
      expect(reading.figures.training).toEqual(training);
      expect(reading.totalWeight).toBe(999_999_999);
    }
  });

  it.each([
    ['a matrix', { kind: 'classes', cells: [7, 0, 1, 2, 2 ** 23, 0, 3, 4, 5] }],
    [
      'errors of values',
      {
        kind: 'values',
        absoluteErrorSum: 0.5,
        squaredErrorSum: 2 ** 53,
        targetAboveSum: 1.5,
        targetBelowSum: 2.25,
        squaredTargetSum: 9,
      },
    ],
  ] as const)('carries %s exactly through limbs of every width', (_, counts) => {
    for (const bits of [2, 3, 4, 7, 16, 20, 24]) {
      const narrow = counts.kind === 'classes' ? samplePlan({ bits }) : regressionPlan(bits);
      const spec = evaluationSumSpec(narrow);
      const [correct, samples] = counts.kind === 'classes' ? [2 ** 23 + 12, 2 ** 23 + 22] : [0, 20_000];
      const figures = { ...NOTHING, validation: { lossSum: 1, correct, samples, counts } };
      const input = { sumSpec: spec, plan: narrow, update: undefined, weight: 1, figures };
      const sum = quantise(input, seededPort(5)).vector as unknown as AggregateSum;
      expect(readSum({ sum, sumSpec: spec, plan: narrow, survivors: 1 }).figures.validation).toEqual(
        figures.validation,
      );
    }
  });

  it.each([
    ['no counts', undefined],
    [
      'counts of another kind',
      {
        kind: 'values',
        absoluteErrorSum: 0,
        squaredErrorSum: 0,
        targetAboveSum: 0,
        targetBelowSum: 0,
        squaredTargetSum: 0,
      },
    ],
    ['another number of cells', { kind: 'classes', cells: [2, 1, 0, 0] }],
    ['cells of other samples', { kind: 'classes', cells: [2, 1, 1, 0, 0, 0, 0, 0, 0] }],
    ['another diagonal', { kind: 'classes', cells: [1, 1, 1, 0, 0, 0, 0, 0, 0] }],
    ['half a sample', { kind: 'classes', cells: [2, 0.5, 0.5, 0, 0, 0, 0, 0, 0] }],
    ['a negative cell', { kind: 'classes', cells: [2, 2, -1, 0, 0, 0, 0, 0, 0] }],
  ] as const)('refuses %s', (_, counts) => {
    const test = { lossSum: 1, correct: 2, samples: 3, counts };
    const input = { sumSpec, plan, update: updateOf([0, 0, 0]), weight: 1, figures: { ...NOTHING, test } };
    expect(() => quantise(input, seededPort(5))).toThrow(expect.objectContaining({ code: 'update/figures' }));
  });

  it('refuses more samples of one cell than its bits hold', () => {
    const counts = { kind: 'classes', cells: [2 ** 24, 0, 0, 0, 0, 0, 0, 0, 0] } as const;
    const test = { lossSum: 1, correct: 2 ** 24, samples: 2 ** 24, counts };
    const input = { sumSpec, plan, update: updateOf([0, 0, 0]), weight: 1, figures: { ...NOTHING, test } };
    expect(() => quantise(input, seededPort(5))).toThrow(expect.objectContaining({ code: 'update/figures' }));
  });

  it('bounds the loss of bad samples, and refuses a loss that is no number', () => {
    const lossOf = (lossSum: number, samples: number) => {
      const input = { sumSpec, plan, update: updateOf([0, 0, 0]), weight: 1 };
      const figures = figuresWith({ lossSum, correct: 0, samples });
      const sum = quantise({ ...input, figures }, seededPort(6)).vector as unknown as AggregateSum;
      return readSum({ sum, sumSpec, plan, survivors: 1 }).figures.training.lossSum;
    };
    expect(lossOf(1e9, 10)).toBe(640);
    expect(lossOf(-3, 10)).toBe(0);
    expect(lossOf(1e300, 1e9)).toBe((2 ** 40 - 1) / 1024);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => lossOf(bad, 10)).toThrow(expect.objectContaining({ code: 'update/not-finite' }));
    }
  });

  it('fills a spec that only measures, without weight or update', () => {
    const spec = evaluationSumSpec(plan);
    const figures = figuresWith({ lossSum: 2, correct: 3, samples: 4 });
    const { vector } = quantise({ sumSpec: spec, plan, update: undefined, weight: 9, figures }, seededPort(7));
    expect(vector).toHaveLength(wordCount(spec));
    const sum = vector as unknown as AggregateSum;
    const reading = readSum({ sum, sumSpec: spec, plan, survivors: 1 });
    const counts = { kind: 'classes', cells: Array(9).fill(0) };
    const uncounted = { ...NO_FIGURES, counts };
    expect(reading).toEqual({
      figures: { ...figures, validation: uncounted, test: uncounted },
      totalWeight: 0,
      update: undefined,
    });
  });

  it('names what does not fit the spec', () => {
    const input = { sumSpec, plan, update: updateOf([0, 0, 0]), weight: 1, figures: NOTHING };
    const code = (text: string) => expect.objectContaining({ code: text });
    const random = seededPort(8);
    expect(() => quantise({ ...input, update: undefined }, random)).toThrow(code('update/missing'));
    expect(() => quantise({ ...input, update: updateOf([0]) }, random)).toThrow(code('update/length'));
    for (const weight of [-1, 0.5, Number.NaN, 2 ** 41]) {
      expect(() => quantise({ ...input, weight }, random)).toThrow(code('update/weight'));
    }
    const turned = trainingSumSpec(samplePlan({ rotation: true }), 4);
    const four = { ...input, sumSpec: turned, update: updateOf([0, 0, 0, 0]) };
    expect(() => quantise(four, random)).toThrow(code('update/rotation'));
    const correct = figuresWith({ lossSum: 0, correct: -1, samples: 1 });
    expect(() => quantise({ ...input, figures: correct }, random)).toThrow(code('update/figures'));
    const mean = { name: 'mean', length: 1, bits: 16, scale: 1, block: 1, centred: false };
    const other = { kind: 'statistics', segments: [mean] } as const;
    expect(() => quantise({ ...input, sumSpec: other }, random)).toThrow(code('update/segment'));
  });
});
