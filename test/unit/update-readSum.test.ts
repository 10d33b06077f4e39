import { describe, expect, it } from 'vitest';
import { LOSS_UNIT, evaluationSumSpec, trainingSumSpec } from '../../src/core/sumSpec.ts';
import type { AggregateSum } from '../../src/core/updateStages.ts';
import { readSum } from '../../src/update/readSum.ts';
import { segmentViews, writeLimbs } from '../../src/update/segmentView.ts';
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
  };
  for (const view of segmentViews(sumSpec, sum)) {
    const { name } = view.segment;
    if (name === 'update') view.words.set([3 * 65_535, 98_302]);
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
    expect(figures.test).toEqual({ lossSum: 0, correct: 0, samples: 0 });
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
    ['sum/figures', 'validation/correct', 0, 1],
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
