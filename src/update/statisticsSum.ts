/** Statistics as integers that a secure sum can add, and what such a sum says after every check that it has to pass. */
import { HushError } from '../core/errors.ts';
import { inputsOf } from '../core/modelSpec.ts';
import type { Plan } from '../core/plan.ts';
import type { FederatedStatistics, Moments } from '../core/statistics.ts';
import { statisticsLayout } from '../core/statisticsLayout.ts';
import type { StatisticsLayout } from '../core/statisticsLayout.ts';
import { LARGEST_STATISTIC, MOMENT_LIMBS, STATISTICS_UNIT, TALLY_LIMBS, wordCount } from '../core/sumSpec.ts';
import type { SumSpec } from '../core/sumSpec.ts';
import type { AggregateSum, FieldVector } from '../core/updateStages.ts';
import type { ExactMoments, ExactStatistics } from './localStatistics.ts';
import { checkedViews, wrongSum } from './readSum.ts';
import { segmentViews } from './segmentView.ts';
import type { SegmentView } from './segmentView.ts';

/** Added to each value, so that no sum is below 0. */
const LIFT = BigInt(LARGEST_STATISTIC / STATISTICS_UNIT);

/** Fills every segment of a spec of the kind `statistics`. @throws HushError `update/segment`, `update/statistics`. */
export function writeStatistics(sumSpec: SumSpec, { examples, features, counts }: ExactStatistics): FieldVector {
  const moments = features.flatMap(({ count, sum, squares }) => [
    [count, MOMENT_LIMBS.count] as const,
    [sum + count * LIFT, MOMENT_LIMBS.sum] as const,
    [squares, MOMENT_LIMBS.squares] as const,
  ]);
  const tallies = counts.map((count) => [BigInt(count), TALLY_LIMBS] as const);
  const vector = new Uint32Array(wordCount(sumSpec));
  for (const view of segmentViews(sumSpec, vector)) {
    const { name, length } = view.segment;
    switch (name) {
      case 'moments':
        writeAll(view, moments);
        break;
      case 'tallies':
        writeAll(view, tallies);
        break;
      case 'examples':
        writeAll(view, [[BigInt(examples), length]]);
        break;
      case 'count':
        view.words[0] = 1;
        break;
      case 'zeros':
        break;
      default:
        throw new HushError('update/segment', `The sum has an unknown segment "${name}".`);
    }
  }
  return vector as FieldVector;
}

function writeAll({ segment, words }: SegmentView, values: readonly (readonly [value: bigint, limbs: number])[]): void {
  const bits = BigInt(segment.bits);
  const mask = (1n << bits) - 1n;
  let at = 0;
  for (const [value, limbs] of values) {
    let rest = value;
    for (let i = 0; i < limbs; i++) {
      words[at++] = Number(rest & mask);
      rest >>= bits;
    }
    if (rest === 0n) continue;
    const message = `A statistic is ${value}, expected at most ${limbs * segment.bits} bits.`;
    throw new HushError('update/statistics', message, { advice: 'There are too many examples for the statistics.' });
  }
  if (at !== words.length) {
    throw new HushError('update/segment', `"${segment.name}" has ${words.length} words, expected ${at} for this plan.`);
  }
}

/**
 * @throws HushError `sum/length`, `sum/range`, `sum/count`, `sum/zeros` as `readSum` does, and `sum/statistics` for figures
 * that no examples have: counts that do not fit, values out of range, squares that are too small for their sum.
 */
export function readStatistics(input: {
  readonly sum: AggregateSum;
  readonly sumSpec: SumSpec;
  readonly plan: Plan;
  readonly survivors: number;
}): FederatedStatistics {
  const { sum, sumSpec, plan, survivors } = input;
  const views = checkedViews(sum, sumSpec, survivors);
  const [examples = 0n] = readAll(views.get('examples'), [views.get('examples')?.words.length ?? 0]);
  const layout = statisticsLayout(plan);
  const { count, sum: sums, squares } = MOMENT_LIMBS;
  const read = readAll(
    views.get('moments'),
    layout.features.flatMap(() => [count, sums, squares]),
  );
  const features = layout.features.map(({ name }, i) => {
    const [own = 0n, lifted = 0n, squared = 0n] = read.slice(3 * i, 3 * i + 3);
    const exact = { count: own, sum: lifted - own * LIFT, squares: squared };
    checkMoments(name, exact);
    return momentsOf(exact);
  });
  const tallied = layout.tallies.reduce((total, { length }) => total + length, 0);
  const counts = readAll(views.get('tallies'), Array<number>(tallied).fill(TALLY_LIMBS));
  const statistics = {
    people: survivors,
    examples: safe('examples', examples),
    features,
    counts: counts.map((each) => safe('counts', each)),
  };
  checkCounts(plan, layout, statistics);
  return statistics;
}

function readAll(view: SegmentView | undefined, limbs: readonly number[]): bigint[] {
  if (!view) return [];
  const bits = BigInt(view.segment.bits);
  let at = 0;
  return limbs.map((length) => {
    let value = 0n;
    for (let i = at + length - 1; i >= at; i--) value = (value << bits) + BigInt(view.words[i] ?? 0);
    at += length;
    return value;
  });
}

function checkMoments(name: string, { count, sum, squares }: ExactMoments): void {
  const magnitude = sum < 0n ? -sum : sum;
  const wrong = (what: string, value: bigint, expected: string): HushError =>
    wrongSum('sum/statistics', `${what} of "${name}"`, `${value}`, expected);
  if (magnitude > count * LIFT) throw wrong('sum', sum, `within ${count} values`);
  if (squares > count * LIFT * LIFT) throw wrong('sum of squares', squares, `within ${count} values`);
  // Cauchy and Schwarz, in exact integers; where there are values, their variance is not below 0.
  if (sum * sum > count * squares) throw wrong('sum of squares', squares, `at least that of the mean, ${count} times`);
}

/** The exact quotients, each rounded once or twice: everyone gets the same bits. */
function momentsOf({ count, sum, squares }: ExactMoments): Moments {
  if (count === 0n) return { count: 0, mean: 0, variance: 0 };
  const spread = Number(count * squares - sum * sum) / Number(count * count);
  return {
    count: safe('count', count),
    mean: (Number(sum) / Number(count)) * STATISTICS_UNIT,
    variance: spread * STATISTICS_UNIT * STATISTICS_UNIT,
  };
}

/** Each example has one value, or one for each pixel, one class, at most one category, and so many tokens. */
function checkCounts(
  plan: Plan,
  { features, tallies }: StatisticsLayout,
  { examples, features: moments, counts }: FederatedStatistics,
): void {
  const width = inputsOf(plan.model).size;
  const wrong = (name: string, got: number, expected: string): HushError =>
    wrongSum('sum/statistics', `count of "${name}"`, got, expected);
  features.forEach(({ name, of, step }, i) => {
    const { count } = moments[i] ?? { count: 0 };
    const most = examples * (of === 'inputs' ? width / step : 1);
    if (count > most) throw wrong(name, count, `at most ${most} for ${examples} examples`);
  });
  let at = 0;
  for (const { name, of, length } of tallies) {
    const count = counts.slice(at, (at += length)).reduce((sum, each) => sum + each, 0);
    const most = of === 'tokens' ? examples * width : examples;
    if (of === 'classes' && count !== most) throw wrong(name, count, `${most}, one for each example`);
    if (count > most) throw wrong(name, count, `at most ${most} for ${examples} examples`);
  }
}

function safe(what: string, value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw wrongSum('sum/statistics', what, `${value}`, `at most ${Number.MAX_SAFE_INTEGER}`);
}
