import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountsOf, countsOf, countsSpecOf } from '../../src/core/counts.ts';
import { classScores, metricOf, METRIC_NAMES, perplexity } from '../../src/core/metrics.ts';
import type { MetricName } from '../../src/core/metrics.ts';
import type { Plan } from '../../src/core/plan.ts';
import { figuresOf } from '../../src/core/predictions.ts';
import type { PartFigures } from '../../src/core/figures.ts';
import { samplePlan } from '../reference/samplePlan.ts';

const NAMES = ['cat', 'dog', 'eel', 'fox', 'gnu'];

function planOf(evaluation: Partial<Plan['evaluation']>, task: Plan['task']): Plan {
  const plan = samplePlan();
  return { ...plan, task, evaluation: { ...plan.evaluation, ...evaluation } };
}

/** Grams, normalised by the plan. */
function gramsPlan(metric: MetricName): Plan {
  const normalise = { mean: 4200, deviation: 800 };
  const target = { name: 'grams', kind: 'value' as const, normalise };
  const data = { kind: 'private' as const, schema: { kind: 'table' as const, columns: [], target } };
  return { ...planOf({ metric }, { kind: 'regression' }), data };
}

/** People, each with the class or the value and what was predicted of each of its samples. */
const pairsOf = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.array(fc.tuple(value, value), { maxLength: 30 }), { minLength: 1, maxLength: 4 });

/** What the secure sum gives of parts that were measured apart. */
function summed(parts: readonly PartFigures[]): PartFigures {
  const add = (of: (part: PartFigures) => number) => parts.reduce((sum, part) => sum + of(part), 0);
  const amounts = parts.map(({ counts }) => amountsOf(counts!));
  const figures = {
    lossSum: add((part) => part.lossSum),
    correct: add((part) => part.correct),
    samples: add((part) => part.samples),
  };
  const all = amounts[0]!.map((_, i) => amounts.reduce((sum, of) => sum + of[i]!, 0));
  return { ...figures, counts: countsOf(parts[0]!.counts!.kind, all) };
}

function classFigures(classes: number, pairs: readonly (readonly [number, number])[]): PartFigures {
  const outputs = new Float32Array(pairs.flatMap(([, of]) => Array.from({ length: classes }, (_, i) => +(i === of))));
  const labels = Int32Array.from(pairs, ([actual]) => actual);
  return figuresOf('softmax-cross-entropy', outputs, classes, { labels }, 'classes');
}

function valueFigures(pairs: readonly (readonly [number, number])[]): PartFigures {
  const outputs = Float32Array.from(pairs, ([, predicted]) => predicted);
  const labels = Float32Array.from(pairs, ([actual]) => actual);
  return figuresOf('mean-squared-error', outputs, 1, { labels }, 'values');
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** By its definition over the single predictions: harmonic mean of precision and recall. */
function slowF1(pairs: readonly (readonly [number, number])[], own: number): number | undefined {
  const told = pairs.filter(([, predicted]) => predicted === own);
  const real = pairs.filter(([actual]) => actual === own);
  if (told.length + real.length === 0) return undefined;
  const hits = told.filter(([actual]) => actual === own).length;
  if (hits === 0) return 0;
  return 2 / (told.length / hits + real.length / hits);
}

describe('metrics of classes', () => {
  const cases = fc
    .integer({ min: 2, max: NAMES.length })
    .chain((classes) => fc.tuple(fc.constant(classes), pairsOf(fc.nat(classes - 1))));

  it('accuracy and F1 are those of all predictions together', () => {
    fc.assert(
      fc.property(cases, fc.nat(4), ([classes, people], pick) => {
        const task = { kind: 'classification' as const, classes: NAMES.slice(0, classes) };
        const pairs = people.flat();
        const figures = summed(people.map((of) => classFigures(classes, of)));
        const valueOf = (evaluation: Partial<Plan['evaluation']>) => metricOf(planOf(evaluation, task), figures)?.value;
        const hits = pairs.filter(([actual, predicted]) => actual === predicted).length;
        expect(valueOf({})).toBe(pairs.length === 0 ? undefined : hits / pairs.length);
        const own = pick % classes;
        const one = slowF1(pairs, own);
        if (one === undefined) expect(valueOf({ metric: 'f1', positiveClass: NAMES[own]! })).toBeUndefined();
        else expect(valueOf({ metric: 'f1', positiveClass: NAMES[own]! })).toBeCloseTo(one, 12);
        const each = task.classes.flatMap((_, i) => slowF1(pairs, i) ?? []);
        if (each.length === 0) expect(valueOf({ metric: 'f1' })).toBeUndefined();
        else expect(valueOf({ metric: 'f1' })).toBeCloseTo(meanOf(each), 12);
      }),
    );
  });

  it('precision and recall of a class are those of its predictions and of its samples', () => {
    fc.assert(
      fc.property(cases, ([classes, people]) => {
        const pairs = people.flat();
        const { counts } = summed(people.map((of) => classFigures(classes, of)));
        const scores = counts?.kind === 'classes' ? classScores(counts) : [];
        expect(scores).toHaveLength(classes);
        scores.forEach(({ precision, recall, actual, predicted }, own) => {
          const real = pairs.filter(([of]) => of === own);
          const told = pairs.filter(([, as]) => as === own);
          const hits = real.filter(([, as]) => as === own).length;
          expect([actual, predicted]).toEqual([real.length, told.length]);
          expect(precision).toBe(told.length === 0 ? undefined : hits / told.length);
          expect(recall).toBe(real.length === 0 ? undefined : hits / real.length);
        });
      }),
    );
  });
});

describe('metrics of values', () => {
  const values = fc.integer({ min: -4000, max: 4000 }).map((value) => value / 1000);

  it('MAE is in the target’s own unit, R² against the mean of all targets', () => {
    fc.assert(
      fc.property(pairsOf(values), (people) => {
        const pairs = people
          .flat()
          .map(([actual, predicted]) => [Math.fround(actual), Math.fround(predicted)] as const);
        const figures = summed(people.map(valueFigures));
        const mae = metricOf(gramsPlan('mae'), figures);
        const r2 = metricOf(gramsPlan('r2'), figures);
        if (pairs.length === 0) {
          expect([mae, r2]).toEqual([undefined, undefined]);
          return;
        }
        const grams = (value: number) => 4200 + 800 * value;
        expect(mae?.value).toBeCloseTo(meanOf(pairs.map(([a, p]) => Math.abs(grams(a) - grams(p)))), 6);
        const mean = meanOf(pairs.map(([actual]) => actual));
        const spread = pairs.reduce((sum, [actual]) => sum + (actual - mean) ** 2, 0);
        if (spread < 1e-3) return;
        const residual = pairs.reduce((sum, [actual, predicted]) => sum + (actual - predicted) ** 2, 0);
        expect(Math.abs((r2?.value ?? Number.NaN) - (1 - residual / spread))).toBeLessThan(
          1e-6 * (1 + residual / spread),
        );
      }),
    );
  });

  it('tell nothing of R² where all targets are alike', () => {
    expect(
      metricOf(
        gramsPlan('r2'),
        valueFigures([
          [2, 1],
          [2, 3],
        ]),
      ),
    ).toBeUndefined();
  });
});

describe('loss and perplexity', () => {
  it('perplexity is the exponential of the mean loss, to the last bits', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 64, noNaN: true }), fc.integer({ min: 1, max: 1e6 }), (loss, samples) => {
        const value = perplexity({ lossSum: loss * samples, correct: 0, samples }) ?? Number.NaN;
        const expected = Math.exp((loss * samples) / samples);
        expect(Math.abs(value - expected) / expected).toBeLessThan(4e-16);
      }),
    );
    expect(perplexity({ lossSum: 0, correct: 0, samples: 3 })).toBe(1);
  });

  it('is what text is judged by, and nothing is told without samples', () => {
    const text = planOf({}, { kind: 'next-token' });
    const figures = { lossSum: 2 * Math.log(7), correct: 1, samples: 2 };
    expect(metricOf(text, figures)?.name).toBe('perplexity');
    expect(metricOf(text, figures)?.value).toBeCloseTo(7, 12);
    expect(metricOf(planOf({ metric: 'loss' }, { kind: 'next-token' }), figures)?.value).toBeCloseTo(Math.log(7), 12);
    for (const metric of METRIC_NAMES) {
      const none = { lossSum: 0, correct: 0, samples: 0 };
      expect(metricOf(planOf({ metric }, { kind: 'regression' }), none)).toBeUndefined();
    }
  });
});

describe('what is counted', () => {
  it('is a matrix for up to 32 classes, sums over values, and nothing for tokens', () => {
    const of = (classes: number) => ({ kind: 'classification' as const, classes: Array(classes).fill('') });
    expect(countsSpecOf({ task: of(32) })).toMatchObject({ kind: 'classes', integers: 1024, unit: 1 });
    expect(countsSpecOf({ task: of(33) })).toBeUndefined();
    expect(countsSpecOf({ task: { kind: 'regression' } })).toMatchObject({ kind: 'values', integers: 5 });
    expect(countsSpecOf({ task: { kind: 'next-token' } })).toBeUndefined();
  });

  it('comes back from the amounts that travel', () => {
    const sums = { absoluteErrorSum: 3, squaredErrorSum: 5, targetAboveSum: 1, targetBelowSum: 4, squaredTargetSum: 9 };
    for (const counts of [{ kind: 'values', ...sums } as const, { kind: 'classes', cells: [1, 2, 3, 4] } as const]) {
      expect(countsOf(counts.kind, amountsOf(counts))).toEqual(counts);
    }
  });
});
