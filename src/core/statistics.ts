/** What a federation found out about its data, added up over all who were in the round. */
import type { Plan } from './plan.ts';
import { statisticsLayout } from './statisticsLayout.ts';
import type { MeasuredFeature } from './statisticsLayout.ts';

export interface Moments {
  readonly count: number;
  readonly mean: number;
  /** Biased: the mean of the squares of the distances from the mean. */
  readonly variance: number;
}

/** As a record has them: what each number belongs to is told by the plan's `statisticsLayout`. */
export interface FederatedStatistics {
  /** Whose data is in it. */
  readonly people: number;
  /** That were trained on. */
  readonly examples: number;
  /** One for each feature, in the units of the examples. */
  readonly features: readonly Moments[];
  /** Of all tallies, one after the other. */
  readonly counts: readonly number[];
}

/** For people: with names, and in the units of the data itself. */
export interface StatisticsView {
  readonly people: number;
  readonly examples: number;
  readonly features: readonly ({ readonly name: string } & Moments)[];
  readonly tallies: readonly {
    readonly name: string;
    /** Undefined where the counts are of numbered buckets or tokens. */
    readonly names: readonly string[] | undefined;
    readonly counts: readonly number[];
    /** Each person's counts below this were left out; 0 where none were. */
    readonly minimumSupport: number;
  }[];
}

/** Of statistics that do not change: made once. */
const views = new WeakMap<FederatedStatistics, StatisticsView>();

/** `plan` is the one that the statistics are of. */
export function statisticsView(plan: Plan, statistics: FederatedStatistics): StatisticsView {
  const view = views.get(statistics) ?? viewOf(plan, statistics);
  views.set(statistics, view);
  return view;
}

function viewOf(plan: Plan, { people, examples, features, counts }: FederatedStatistics): StatisticsView {
  const layout = statisticsLayout(plan);
  let at = 0;
  return {
    people,
    examples,
    features: features.flatMap((moments, i) => {
      const feature = layout.features[i];
      return feature ? [{ name: feature.name, ...unscaled(moments, feature) }] : [];
    }),
    tallies: layout.tallies.map(({ name, names, length, supported }) => {
      const own = counts.slice(at, (at += length));
      return { name, names, counts: own, minimumSupport: supported ? (plan.statistics?.minimumSupport ?? 0) : 0 };
    }),
  };
}

function unscaled({ count, mean, variance }: Moments, { scale }: MeasuredFeature): Moments {
  if (!scale) return { count, mean, variance };
  const { mean: middle, deviation } = scale;
  return { count, mean: middle + deviation * mean, variance: deviation * deviation * variance };
}
