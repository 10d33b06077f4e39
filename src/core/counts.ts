/** What a part of the data is counted by beside loss and hits: a confusion matrix, or sums over errors and targets. */
import type { Plan } from './plan.ts';
import type { PartFigures } from './figures.ts';

/** With more classes no cells are counted: they grow with the square, and nobody reads such a table. */
export const MAX_COUNTED_CLASSES = 32;

/** Samples of one participant in one cell at the most: 16,777,215. */
const CELL_BITS = 24;

/** Sums over values travel as fixed point with this unit, in that of the target as it is trained on. */
const VALUE_UNIT = 1 / 1024;

/** An error, and a target, counts at most this much either way. */
export const MAX_VALUE = 2 ** 20;

/** The squares of 16,384 samples at that bound. */
const VALUE_BITS = 64;

/** Cells are row-major, [actual class, predicted class]. */
export interface Confusion {
  readonly kind: 'classes';
  readonly cells: readonly number[];
}

/** Of values as they are trained on: where the plan normalises its target, deviations from the plan's mean. */
export interface Errors {
  readonly kind: 'values';
  readonly absoluteErrorSum: number;
  readonly squaredErrorSum: number;
  /** Of the targets above 0, and without their sign of those below. */
  readonly targetAboveSum: number;
  readonly targetBelowSum: number;
  readonly squaredTargetSum: number;
}

export type Counts = Confusion | Errors;

/** How counts travel: so many integers of `bits` bits, each so many of `unit`. */
export interface CountsSpec {
  readonly kind: Counts['kind'];
  readonly integers: number;
  readonly bits: number;
  readonly unit: number;
}

/** Undefined where only loss and hits are summed: with too many classes, and for tokens. */
export function countsSpecOf({ task }: Pick<Plan, 'task'>): CountsSpec | undefined {
  switch (task.kind) {
    case 'classification': {
      const classes = task.classes.length;
      if (classes > MAX_COUNTED_CLASSES) return undefined;
      return { kind: 'classes', integers: classes * classes, bits: CELL_BITS, unit: 1 };
    }
    case 'regression':
      return { kind: 'values', integers: 5, bits: VALUE_BITS, unit: VALUE_UNIT };
    case 'next-token':
      return undefined;
    default:
      return task satisfies never;
  }
}

/** In the order in which they travel; none of them is negative. */
export function amountsOf(counts: Counts): readonly number[] {
  if (counts.kind === 'classes') return counts.cells;
  const { absoluteErrorSum, squaredErrorSum, targetAboveSum, targetBelowSum, squaredTargetSum } = counts;
  return [absoluteErrorSum, squaredErrorSum, targetAboveSum, targetBelowSum, squaredTargetSum];
}

/** What of a part's counts cannot be, as a phrase; undefined where all of it can. */
export function countsProblem({ counts, samples, correct }: PartFigures): string | undefined {
  if (counts?.kind === 'classes') {
    const { cells } = counts;
    const classes = Math.round(Math.sqrt(cells.length));
    const all = cells.reduce((sum, cell) => sum + cell, 0);
    const hits = cells.reduce((sum, cell, i) => (i % (classes + 1) === 0 ? sum + cell : sum), 0);
    if (all !== samples) return `cells of ${all} samples, expected ${samples}`;
    return hits === correct ? undefined : `a diagonal of ${hits}, expected the hits, ${correct}`;
  }
  if (counts?.kind === 'values') {
    const { absoluteErrorSum, squaredErrorSum, targetAboveSum, targetBelowSum, squaredTargetSum } = counts;
    const most = samples * MAX_VALUE;
    const sums = Math.max(absoluteErrorSum, targetAboveSum, targetBelowSum);
    if (!(sums <= most)) return `a sum of ${sums}, expected at most ${most} for ${samples} samples`;
    const squares = Math.max(squaredErrorSum, squaredTargetSum);
    if (!(squares <= most * MAX_VALUE)) return `squares of ${squares}, expected at most ${most * MAX_VALUE}`;
  }
  return undefined;
}

/** From `amountsOf`, or from sums of such. */
export function countsOf(kind: Counts['kind'], amounts: readonly number[]): Counts {
  if (kind === 'classes') return { kind, cells: amounts };
  const [absoluteErrorSum = 0, squaredErrorSum = 0, targetAboveSum = 0, targetBelowSum = 0, squaredTargetSum = 0] =
    amounts;
  return { kind, absoluteErrorSum, squaredErrorSum, targetAboveSum, targetBelowSum, squaredTargetSum };
}
