/** The metric that a plan is judged by: on the held-out test data, where there are none on what everyone keeps aside. */
import { growsWithQuality } from '../../src/core/metrics.ts';
import type { Metric } from '../../src/core/metrics.ts';
import type { MeasuredPoint } from '../../src/core/runView.ts';

const DIGITS = 6;

/** Null where nothing was measured. */
export function judged(point: MeasuredPoint | undefined): Metric | null {
  const value = point?.testMetric ?? point?.validationMetric;
  return point === undefined || value === undefined
    ? null
    : { name: point.metric, value: Number(value.toFixed(DIGITS)) };
}

/** Both of one plan. */
export function isBetter(a: Metric, b: Metric): boolean {
  return growsWithQuality(a.name) ? a.value > b.value : a.value < b.value;
}
