/** What is found out about a model on one part of the data, added up over samples and people. */
import type { Counts } from './counts.ts';

/** The parts of the data on which figures are taken. */
export const PARTS = ['training', 'validation', 'test'] as const;
export type Part = (typeof PARTS)[number];

/**
 * Sums over the samples of one part; a mean is had by dividing by `samples`. A sample is one prediction: with softmax
 * cross-entropy each class that is predicted (a text of 64 characters has 64), otherwise one row, whose loss is the mean
 * over its targets. Correct is the largest logit's class being the right one; with binary cross-entropy all logits of the
 * row being on the right side of 0; with mean squared error nothing.
 */
export interface PartFigures {
  readonly lossSum: number;
  readonly correct: number;
  readonly samples: number;
  /** Of the validation and the test part, where the plan's task has any, see counts.ts; engines leave them out. */
  readonly counts?: Counts | undefined;
}

export type Figures = Readonly<Record<Part, PartFigures>>;

/** The parts that are counted: what is kept from training, which the model is judged by. */
export const COUNTED_PARTS: readonly Part[] = ['validation', 'test'];

export const NO_FIGURES: PartFigures = { lossSum: 0, correct: 0, samples: 0 };

/** A sample's loss counts at most this much, so that one bad sample cannot overflow the limbs. */
export const MAX_SAMPLE_LOSS = 64;
