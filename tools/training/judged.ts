/** The metric that a plan is judged by: on the held-out test data, where there are none on what everyone keeps aside. */
import { metricOf } from '../../src/core/metrics.ts';
import type { Metric } from '../../src/core/metrics.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { Figures } from '../../src/core/sumSpec.ts';

const DIGITS = 6;

/** Null where nothing was measured. */
export function judged(plan: Plan, { test, validation }: Pick<Figures, 'test' | 'validation'>): Metric | null {
  const metric = metricOf(plan, test.samples > 0 ? test : validation);
  return metric === undefined ? null : { ...metric, value: Number(metric.value.toFixed(DIGITS)) };
}

/** Higher is better, or lower. */
export function isBetter(a: Metric, b: Metric): boolean {
  return LOWER_IS_BETTER.has(a.name) ? a.value < b.value : a.value > b.value;
}

const LOWER_IS_BETTER: ReadonlySet<Metric['name']> = new Set(['loss', 'mae', 'perplexity'] as const);
