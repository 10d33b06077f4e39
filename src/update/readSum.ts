/** Step 6 of the protocol: what an unmasked sum says, after every check that it has to pass. */
import type { Bytes } from '../core/bytes.ts';
import { countsOf, countsProblem, countsSpecOf } from '../core/counts.ts';
import { HushError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import { COUNTED_PARTS, MAX_SAMPLE_LOSS } from '../core/figures.ts';
import { wordCount } from '../core/sumSpec.ts';
import type { Figures, Part, PartFigures } from '../core/figures.ts';
import type { Segment, SumSpec } from '../core/sumSpec.ts';
import type { AggregateSum } from '../core/updateStages.ts';
import { unrotate } from './rotation.ts';
import { aroundMiddle, integerView, MAX_WIDE_INTEGER, readLimbs, segmentViews } from './segmentView.ts';
import type { SegmentView } from './segmentView.ts';

export interface SumReading {
  /** Added over the survivors. */
  readonly figures: Figures;
  /** Of a round that only measures, 0. */
  readonly totalWeight: number;
  /** The weighted mean of the survivors' updates, float64, shape [parameters]; undefined without an update segment. */
  readonly update: Float64Array | undefined;
}

/**
 * `survivors` is |U2|. A rotated sum is rotated back in exact integers, and scaled after that.
 * @throws HushError `sum/length`, `sum/rotation`, `sum/range` (a word above survivors · (2^b − 1)), `sum/count`, `sum/zeros`, `sum/weight`,
 * `sum/figures`: masks that did not cancel, or a participant outside its rules. The round is then abandoned.
 */
export function readSum(input: {
  readonly sum: AggregateSum;
  readonly sumSpec: SumSpec;
  readonly plan: Plan;
  readonly survivors: number;
  /** Of the round and the model that it began with; needed where the spec says that the updates are rotated. */
  readonly rotationSeed?: Bytes;
}): SumReading {
  const { sum, sumSpec, plan, survivors, rotationSeed } = input;
  const views = checkedViews(sum, sumSpec, survivors);
  const integer = (name: string): number => wideInteger(name, views, survivors);

  const part = (name: Part): PartFigures => {
    const samples = integer(`${name}/samples`);
    const correct = integer(`${name}/correct`);
    if (correct > samples) throw wrongSum('sum/figures', `${name}/correct`, correct, `at most the samples, ${samples}`);
    const lossSum = integer(`${name}/loss`) * (views.get(`${name}/loss`)?.segment.scale ?? 0);
    const most = samples * MAX_SAMPLE_LOSS;
    if (lossSum > most)
      throw wrongSum('sum/figures', `${name}/loss`, lossSum, `at most ${most} for ${samples} samples`);
    const part = { lossSum, correct, samples };
    return COUNTED_PARTS.includes(name) ? withCounts(name, part, plan, views) : part;
  };
  const figures = { training: part('training'), validation: part('validation'), test: part('test') };

  const update = views.get('update');
  if (!update) return { figures, totalWeight: 0, update: undefined };
  const totalWeight = integer('weight');
  const mostWeight = survivors * plan.aggregation.weightCap;
  if (totalWeight <= 0 || totalWeight > mostWeight) {
    throw wrongSum('sum/weight', 'weight', totalWeight, `from 1 to ${mostWeight}`);
  }
  const mean = aroundMiddle(update, survivors);
  if (update.segment.block > 1) {
    if (!rotationSeed) throw new HushError('sum/rotation', 'The sum is of rotated updates but no seed was given.');
    unrotate(mean, update.segment, rotationSeed);
  }
  scaleToMean(mean, update.segment, plan, totalWeight);
  return { figures, totalWeight, update: mean };
}

/** By name, once words, count and zeros are what they must be in a sum of any kind. @throws HushError `sum/…` as above. */
export function checkedViews(sum: AggregateSum, sumSpec: SumSpec, survivors: number): ReadonlyMap<string, SegmentView> {
  const words = wordCount(sumSpec);
  if (sum.length !== words) throw wrongSum('sum/length', 'number of words', sum.length, `${words}`);
  const views = new Map<string, SegmentView>();
  for (const view of segmentViews(sumSpec, sum)) {
    checkRange(view, survivors);
    views.set(view.segment.name, view);
  }
  const count = wideInteger('count', views, survivors);
  if (count !== survivors) throw wrongSum('sum/count', 'count', count, `${survivors}, the number of survivors`);
  if (views.get('zeros')?.words.some((word) => word !== 0)) throw wrongSum('sum/zeros', 'check word', 'not 0', '0');
  return views;
}

function withCounts(name: Part, part: PartFigures, plan: Plan, views: ReadonlyMap<string, SegmentView>): PartFigures {
  const spec = countsSpecOf(plan);
  if (!spec) return part;
  const view = viewOf(`${name}/counts`, views);
  const amounts = Array.from(
    { length: spec.integers },
    (_, i) => readLimbs(integerView(view, i, spec.integers)) * spec.unit,
  );
  const figures = { ...part, counts: countsOf(spec.kind, amounts) };
  const problem = countsProblem(figures);
  if (problem === undefined) return figures;
  throw wrongSum('sum/figures', `${name}/counts`, problem, 'counts that add up');
}

/** (integer · scale / 2) · weightCap / totalWeight, in this order: everyone gets the same bits. */
function scaleToMean(doubled: Float64Array, segment: Segment, plan: Plan, totalWeight: number): void {
  const { weightCap } = plan.aggregation;
  const halfScale = segment.scale / 2;
  for (let i = 0; i < doubled.length; i++) doubled[i] = ((doubled[i] ?? 0) * halfScale * weightCap) / totalWeight;
}

function checkRange({ segment, words }: SegmentView, survivors: number): void {
  const largest = survivors * (2 ** segment.bits - 1);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    if (word > largest) throw wrongSum('sum/range', `${segment.name}[${i}]`, word, `at most ${largest}`);
  }
}

/** @throws HushError `sum/range` when it is more than the survivors could have had together, `sum/length` when not there. */
function wideInteger(name: string, views: ReadonlyMap<string, SegmentView>, survivors: number): number {
  const value = readLimbs(viewOf(name, views));
  const largest = survivors * MAX_WIDE_INTEGER;
  if (value > largest) throw wrongSum('sum/range', name, value, `at most ${largest}`);
  return value;
}

function viewOf(name: string, views: ReadonlyMap<string, SegmentView>): SegmentView {
  const view = views.get(name);
  if (!view) throw new HushError('sum/length', `The sum has no segment "${name}".`);
  return view;
}

export function wrongSum(code: ErrorCode, field: string, value: number | string, expected: string): HushError {
  return new HushError(code, `The sum's ${field} is ${value}, expected ${expected}.`, {
    advice: 'The round is abandoned; nothing of it enters the model.',
  });
}
