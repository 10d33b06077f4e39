import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan.ts';
import { LOSS_UNIT, evaluationSumSpec, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import type { AggregateSum } from '../../src/core/updateStages.ts';
import { readSum } from '../../src/update/readSum.ts';
import { integerView, segmentViews, writeLimbs } from '../../src/update/segmentView.ts';
import { samplePlan } from '../reference/samplePlan.ts';

const plan = samplePlan();
const sumSpec = trainingSumSpec(plan, 2);
const survivors = 3;

/** A sum of three honest participants, with `changes` written over single words. */
function sumWith(changes: readonly [segment: string, word: number, value: number][] = []): AggregateSum {
  const sum = new Uint32Array(sumSpec.segments.reduce((words, { length }) => words + length, 0));
  const scalars: Record<string, number> = {
    weight: 3000,
    count: survivors,
    'training/loss': 300 / LOSS_UNIT,
    'training/correct': 200,
    'training/samples': 300,
    'validation/correct': 1,
    'validation/samples': 3,
  };
  for (const view of segmentViews(sumSpec, sum)) {
    const { name } = view.segment;
    if (name === 'update') view.words.set([3 * 65_535, 98_302]);
    else if (name === 'validation/counts') [1, 2].forEach((cell, i) => writeLimbs(integerView(view, i, 9), cell));
    else writeLimbs(view, scalars[name] ?? 0);
    for (const [segment, word, value] of changes) if (segment === name) view.words[word] = value;
  }
  return sum as AggregateSum;
}

describe('reading a sum', () => {
  it('gives the mean weighted update, the weight and the figures', () => {
    const { figures, totalWeight, update } = readSum({ sum: sumWith(), sumSpec, plan, survivors });
    expect(totalWeight).toBe(3000);
    expect(figures.training).toEqual({ lossSum: 300, correct: 200, samples: 300 });
    const counts = { kind: 'classes', cells: [1, 2, 0, 0, 0, 0, 0, 0, 0] };
    expect(figures.validation).toEqual({ lossSum: 0, correct: 1, samples: 3, counts });
    // At the top of the range all three had +clipRange; near its middle they had almost nothing.
    expect(update![0]).toBeCloseTo(0.5, 12);
    expect(Math.abs(update![1]!)).toBeLessThan(1e-5);
  });

  it.each([
    ['sum/range', 'update', 0, 3 * 65_535 + 1],
    ['sum/range', 'training/samples', 2, 3 * 256 + 1],
    ['sum/range', 'zeros', 0, 2 ** 18],
    ['sum/count', 'count', 0, 2],
    ['sum/count', 'count', 0, 4],
    ['sum/zeros', 'zeros', 3, 1],
    ['sum/weight', 'weight', 0, 0],
    ['sum/weight', 'weight', 0, 3001],
    ['sum/figures', 'training/correct', 0, 301],
    ['sum/figures', 'validation/correct', 0, 4],
    ['sum/figures', 'validation/counts', 0, 2],
    ['sum/figures', 'validation/counts', 17, 1],
    ['sum/figures', 'validation/samples', 0, 2],
    ['sum/figures', 'test/correct', 0, 1],
    ['sum/figures', 'test/counts', 0, 1],
    ['sum/figures', 'test/loss', 0, 1],
  ])('refuses with %s when %s[%i] is %i', (code, segment, word, value) => {
    const sum = sumWith([[segment, word, value]]);
    expect(() => readSum({ sum, sumSpec, plan, survivors })).toThrow(expect.objectContaining({ code }));
  });

  it('refuses a sum of another length, and a spec without what every sum carries', () => {
    const wrong = expect.objectContaining({ code: 'sum/length' });
    const sum = sumWith();
    expect(() => readSum({ sum: sum.slice(1) as AggregateSum, sumSpec, plan, survivors })).toThrow(wrong);
    expect(() => readSum({ sum, sumSpec: evaluationSumSpec(plan), plan, survivors })).toThrow(wrong);
    const bare = { kind: 'train', segments: sumSpec.segments.slice(0, 1) } as const;
    expect(() => readSum({ sum: sum.slice(0, 2) as AggregateSum, sumSpec: bare, plan, survivors })).toThrow(wrong);
  });
});

describe('reading a sum over values', () => {
  const learnt: Plan = { ...plan, task: { kind: 'regression' } };
  const spec = evaluationSumSpec(learnt);

  /** Three participants with 4 samples together; amounts in the order of counts.ts, in units of 1/1024. */
  function reading(amounts: readonly number[]) {
    const sum = new Uint32Array(wordCount(spec));
    for (const view of segmentViews(spec, sum)) {
      const { name } = view.segment;
      if (name === 'count') view.words[0] = survivors;
      if (name === 'test/samples') writeLimbs(view, 4);
      if (name === 'test/counts') amounts.forEach((amount, i) => writeLimbs(integerView(view, i, 5), amount * 1024));
    }
    return readSum({ sum: sum as AggregateSum, sumSpec: spec, plan: learnt, survivors }).figures.test;
  }

  it('gives them in their unit', () => {
    const targets = { targetAboveSum: 1, targetBelowSum: 5, squaredTargetSum: 30 };
    const counts = { kind: 'values', absoluteErrorSum: 6, squaredErrorSum: 10, ...targets };
    expect(reading([6, 10, 1, 5, 30])).toEqual({ lossSum: 0, correct: 0, samples: 4, counts });
  });

  it.each([
    ['errors', [2 ** 22 + 1, 0, 0, 0, 0]],
    ['squared errors', [0, 2 ** 42 + 1, 0, 0, 0]],
    ['targets', [0, 0, 2 ** 22 + 1, 0, 0]],
    ['targets below 0', [0, 0, 0, 2 ** 22 + 1, 0]],
    ['squared targets', [0, 0, 0, 0, 2 ** 42 + 1]],
  ])('refuses more of %s than four samples can have', (_, amounts) => {
    expect(() => reading(amounts)).toThrow(expect.objectContaining({ code: 'sum/figures' }));
  });
});
