/** What the curves can show: the metric that the plan is judged by, and the loss; how each is written and drawn. */
import { meanAbsoluteError, metricNameOf, rSquared } from '../core/metrics.ts';
import type { MetricName } from '../core/metrics.ts';
import type { Plan } from '../core/plan.ts';
import type { MeasuredPoint } from '../core/runView.ts';
import type { PartFigures } from '../core/figures.ts';
import { loss, percent, quantity, UNKNOWN } from './format.ts';

export interface Line {
  /** Names the style, and a column of the table. */
  readonly part: 'test' | 'validation' | 'training';
  readonly of: (point: MeasuredPoint) => number | undefined;
}

export interface Measure {
  readonly name: string;
  readonly metric: MetricName;
  /** What stands over the axis. */
  readonly axis: string;
  readonly lines: readonly Line[];
}

const NAMES: Readonly<Record<MetricName, string>> = {
  accuracy: 'accuracy',
  f1: 'F1',
  mae: 'mean absolute error',
  r2: 'R²',
  perplexity: 'perplexity',
  loss: 'loss',
};

const METRIC_LINES: readonly Line[] = [
  { part: 'validation', of: (point) => point.validationMetric },
  { part: 'test', of: (point) => point.testMetric },
];

/** Of the training data only the loss is in a measured point. */
const LOSS: Measure = {
  name: NAMES.loss,
  metric: 'loss',
  axis: 'loss, nats a sample',
  lines: [
    { part: 'training', of: (point) => point.trainingLoss },
    { part: 'validation', of: (point) => point.validationLoss },
    { part: 'test', of: (point) => point.testLoss },
  ],
};

/** The plan's metric first. */
export function measuresOf(plan: Plan | undefined): readonly Measure[] {
  const metric = plan ? metricNameOf(plan) : 'accuracy';
  const lossOfTask = plan?.task.kind === 'regression' ? { ...LOSS, axis: 'loss, mean squared error' } : LOSS;
  if (metric === 'loss') return [lossOfTask];
  const name = metricText(plan, metric);
  const axis = metric === 'accuracy' ? `${name}, %` : name;
  return [{ name, metric, axis, lines: METRIC_LINES }, lossOfTask];
}

function metricText(plan: Plan | undefined, metric: MetricName): string {
  const of = metric === 'f1' ? plan?.evaluation.positiveClass : metric === 'mae' ? plan && targetOf(plan) : undefined;
  return of === undefined ? NAMES[metric] : `${NAMES[metric]} of “${of}”`;
}

/** The column whose unit an error is in. */
function targetOf({ data }: Plan): string | undefined {
  return data.kind === 'private' && data.schema.kind === 'table' ? data.schema.target.name : undefined;
}

export function linesWithFigures({ lines }: Measure, curve: readonly MeasuredPoint[]): readonly Line[] {
  return lines.filter(({ of }) => curve.some((point) => of(point) !== undefined));
}

export function figure(metric: MetricName, value: number | undefined): string {
  if (metric === 'accuracy') return percent(value);
  if (metric !== 'mae') return loss(value);
  return value === undefined
    ? UNKNOWN
    : Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 20 });
}

/** Where people train on their own files, nothing is held out but what each keeps aside. */
function partOf(point: MeasuredPoint | undefined): 'test' | 'validation' {
  return point?.testLoss === undefined && point?.validationLoss !== undefined ? 'validation' : 'test';
}

/** Of the part that the latest figures are shown of. */
export interface LatestFigures {
  readonly part: 'test' | 'validation';
  readonly metric: number | undefined;
  readonly loss: number | undefined;
  readonly counts: PartFigures['counts'];
  readonly samples: number;
}

export function latestOf(point: MeasuredPoint | undefined): LatestFigures {
  return partOf(point) === 'test'
    ? {
        part: 'test',
        metric: point?.testMetric,
        loss: point?.testLoss,
        counts: point?.testCounts,
        samples: point?.samples ?? 0,
      }
    : {
        part: 'validation',
        metric: point?.validationMetric,
        loss: point?.validationLoss,
        counts: point?.validationCounts,
        samples: point?.validationSamples ?? 0,
      };
}

/** "8 people’s data, 1,000 samples". */
export function basis(people: number, samples: number): string {
  return `${quantity(people, 'person’s', 'people’s')} data, ${quantity(samples, 'sample', 'samples')}`;
}

/** What is shown beside the metric: of values the other way to judge them, else the loss. */
export function secondFigure(plan: Plan | undefined, of: LatestFigures): readonly [value: string, name: string] {
  const { part, counts, samples } = of;
  if (plan && counts?.kind === 'values') {
    const figures = { lossSum: 0, correct: 0, samples, counts };
    return metricNameOf(plan) === 'r2'
      ? [figure('mae', meanAbsoluteError(plan, figures)), `${part} ${NAMES.mae}`]
      : [figure('r2', rSquared(figures)), `${part} ${NAMES.r2}`];
  }
  return [loss(of.loss), `${part} loss`];
}
