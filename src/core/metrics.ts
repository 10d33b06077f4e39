/**
 * What a model is judged by, from the summed figures of one part of the data. Float64 with + − × ÷ in fixed order, so that
 * everyone who reads a record comes to the same bits.
 */
import type { Confusion } from './counts.ts';
import type { Plan } from './plan.ts';
import type { PartFigures } from './figures.ts';

export const METRIC_NAMES = ['accuracy', 'f1', 'mae', 'r2', 'perplexity', 'loss'] as const;
export type MetricName = (typeof METRIC_NAMES)[number];

export interface Metric {
  readonly name: MetricName;
  readonly value: number;
}

const DEFAULTS: Readonly<Record<Plan['task']['kind'], MetricName>> = {
  classification: 'accuracy',
  regression: 'mae',
  'next-token': 'perplexity',
};

/** Whether more of it is better. */
export function growsWithQuality(name: MetricName): boolean {
  return name === 'accuracy' || name === 'f1' || name === 'r2';
}

/** The plan's, or that of its task. */
export function metricNameOf({ evaluation, task }: Pick<Plan, 'evaluation' | 'task'>): MetricName {
  return evaluation.metric ?? DEFAULTS[task.kind];
}

/** Undefined where the figures do not tell: no samples, no counts, a class that does not occur. */
export function metricOf(plan: Plan, figures: PartFigures): Metric | undefined {
  const name = metricNameOf(plan);
  const value = valueOf(name, plan, figures);
  return value === undefined ? undefined : { name, value };
}

function valueOf(name: MetricName, plan: Plan, figures: PartFigures): number | undefined {
  switch (name) {
    case 'accuracy':
      return accuracy(figures);
    case 'f1':
      return f1(plan, figures);
    case 'mae':
      return meanAbsoluteError(plan, figures);
    case 'r2':
      return rSquared(figures);
    case 'perplexity':
      return perplexity(figures);
    case 'loss':
      return meanLoss(figures);
    default:
      return name satisfies never;
  }
}

function mean(sum: number, { samples }: PartFigures): number | undefined {
  return samples > 0 ? sum / samples : undefined;
}

/** Hits among the predictions. */
export function accuracy(figures: PartFigures): number | undefined {
  return mean(figures.correct, figures);
}

export function meanLoss(figures: PartFigures): number | undefined {
  return mean(figures.lossSum, figures);
}

/** exp of the mean loss: among how many equally likely tokens the model is left in doubt. */
export function perplexity(figures: PartFigures): number | undefined {
  const loss = meanLoss(figures);
  return loss === undefined ? undefined : exponential(loss);
}

/** How one class is told; undefined where there is nothing to divide by. */
export interface ClassScores {
  readonly precision: number | undefined;
  readonly recall: number | undefined;
  readonly f1: number | undefined;
  /** Samples of the class. */
  readonly actual: number;
  /** Samples that were taken for it. */
  readonly predicted: number;
}

/** One a class, in the order of the plan. */
export function classScores({ cells }: Confusion): readonly ClassScores[] {
  const classes = Math.round(Math.sqrt(cells.length));
  const cell = (actual: number, predicted: number): number => cells[actual * classes + predicted] ?? 0;
  return Array.from({ length: classes }, (_, own) => {
    let [actual, predicted] = [0, 0];
    for (let other = 0; other < classes; other++) {
      actual += cell(own, other);
      predicted += cell(other, own);
    }
    const hits = cell(own, own);
    const share = (hits: number, of: number): number | undefined => (of > 0 ? hits / of : undefined);
    return {
      precision: share(hits, predicted),
      recall: share(hits, actual),
      // 2 · precision · recall / (precision + recall), where both are defined.
      f1: share(2 * hits, actual + predicted),
      actual,
      predicted,
    };
  });
}

/** Of the plan's positive class, else the mean over the classes that occur, as labels or as predictions. */
function f1({ evaluation, task }: Plan, { counts }: PartFigures): number | undefined {
  if (counts?.kind !== 'classes' || task.kind !== 'classification') return undefined;
  const scores = classScores(counts);
  const { positiveClass } = evaluation;
  if (positiveClass !== undefined) return scores[task.classes.indexOf(positiveClass)]?.f1;
  const occurring = scores.flatMap(({ f1 }) => (f1 === undefined ? [] : [f1]));
  return occurring.length === 0 ? undefined : occurring.reduce((sum, value) => sum + value, 0) / occurring.length;
}

/** In the target's own unit. */
export function meanAbsoluteError(plan: Plan, figures: PartFigures): number | undefined {
  const { counts } = figures;
  return counts?.kind === 'values' ? mean(counts.absoluteErrorSum * targetDeviation(plan), figures) : undefined;
}

/** 1 − squared errors / squared deviations from the mean target: 0 is what the mean itself reaches. */
export function rSquared({ counts, samples }: PartFigures): number | undefined {
  if (counts?.kind !== 'values' || samples === 0) return undefined;
  const { squaredErrorSum, targetAboveSum, targetBelowSum, squaredTargetSum } = counts;
  const targetSum = targetAboveSum - targetBelowSum;
  const spread = squaredTargetSum - (targetSum * targetSum) / samples;
  return spread > 0 ? 1 - squaredErrorSum / spread : undefined;
}

/** How many of the target's unit one unit of what is trained on is. */
function targetDeviation({ data }: Plan): number {
  if (data.kind === 'public' || data.schema.kind !== 'table') return 1;
  const { target } = data.schema;
  return target.kind === 'value' ? (target.normalise?.deviation ?? 1) : 1;
}

const LN2_HIGH = 0x162e42fee / 2 ** 33;
const LN2_LOW = 1.908_214_929_270_587_7e-10;
const TERMS = 18;

/** e^x for x ≥ 0. `Math.exp` may differ in the last bit from browser to browser. */
function exponential(x: number): number {
  const doublings = Math.round(x / Math.LN2);
  const rest = x - doublings * LN2_HIGH - doublings * LN2_LOW;
  let value = 1;
  // Horner's scheme of the series, |rest| ≤ ln(2) / 2.
  for (let term = TERMS; term > 0; term--) value = 1 + (rest / term) * value;
  for (let i = 0; i < doublings; i++) value *= 2;
  return value;
}
