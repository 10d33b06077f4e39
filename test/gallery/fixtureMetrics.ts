/** Runs that are judged by something else than accuracy, and one of many classes; figures made up. */
import type { Counts } from '../../src/core/counts.ts';
import type { MetricName } from '../../src/core/metrics.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { MeasuredPoint, RunView } from '../../src/core/runView.ts';
import { confusion, coordinating, curve, running } from './fixtures.ts';
import { plan } from './fixturePlans.ts';

const normalise = { mean: 4200, deviation: 800 };
const gramsPlan: Plan = {
  ...plan,
  name: 'Weight of penguins',
  description: 'The weight of a penguin in grams from the lengths of its bill and flipper.',
  task: { kind: 'regression' },
  data: {
    kind: 'private',
    schema: { kind: 'table', columns: [], target: { name: 'grams', kind: 'value', normalise } },
  },
};

const textPlan: Plan = {
  ...plan,
  name: 'Speeches',
  description: 'The next character of a speech.',
  task: { kind: 'next-token' },
};

/** Some of them long. */
const BIRDS = Array.from({ length: 32 }, (_, i) => (i % 7 === 3 ? `greater spotted bird ${i}` : `bird ${i}`));
const birdsPlan: Plan = {
  ...plan,
  name: 'Birds of the garden',
  description: 'Thirty-two kinds of birds; one of them is rare, and sought.',
  task: { kind: 'classification', classes: BIRDS },
  evaluation: { validationFraction: 0.1, metric: 'f1', positiveClass: 'greater spotted bird 3' },
};

/** Measured on what everyone keeps aside, `value` falling or rising to its end. */
function points(
  metric: MetricName,
  from: number,
  to: number,
  counts?: Counts,
  samples = 800,
): readonly MeasuredPoint[] {
  return curve(11).map((point) => {
    const value = to + (from - to) * Math.exp(-point.round / 3.2);
    const { validationLoss, trainingLoss, round, people } = point;
    return {
      round,
      metric,
      testMetric: undefined,
      testAccuracy: undefined,
      testLoss: undefined,
      testCounts: undefined,
      validationMetric: value,
      validationAccuracy: undefined,
      validationLoss,
      validationCounts: counts,
      trainingLoss,
      people,
      samples: 0,
      validationSamples: samples,
    };
  });
}

const own = (name: MetricName, value: number): RunView['own'] => {
  return { round: 11, part: 'validation', metric: { name, value }, loss: 0.2134, samples: 100 };
};

const errors: Counts = {
  kind: 'values',
  absoluteErrorSum: 280,
  squaredErrorSum: 130,
  targetAboveSum: 322,
  targetBelowSum: 310,
  squaredTargetSum: 805,
};

/** As a participant sees them. */
export const metricStates: Readonly<Record<string, RunView>> = {
  values: { ...running, plan: gramsPlan, curve: points('mae', 842, 280, errors), own: own('mae', 301.4) },
  text: { ...running, plan: textPlan, curve: points('perplexity', 96, 7.4), own: own('perplexity', 8.12) },
  classes: {
    ...running,
    plan: birdsPlan,
    curve: points('f1', 0.05, 0.871, confusion(BIRDS.length, 1200, 0.9), BIRDS.length * 1200),
    own: own('f1', 0.8),
  },
};

const round = running.round && {
  ...running.round,
  number: 13,
  completed: 12,
  step: 'confirm' as const,
  unmasked: true,
};

export const stoppedEarly: RunView = {
  ...coordinating,
  phase: 'finished',
  sentence: 'Stopped early, after 12 of 30 rounds: the model no longer got better.',
  waiting: undefined,
  round: round && { ...round, stepFraction: 1, masked: 8 },
  curve: curve(12),
};
