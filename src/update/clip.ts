/** From two models to an update whose influence is bounded. */
import { HushError } from '../core/errors.ts';
import type { Range } from '../core/planLayout.ts';
import type { ClippedUpdate, ModelParameters, RawUpdate } from '../core/updateStages.ts';

/** Rounding a coordinate to float32 lengthens it by at most 2^−24 of itself: with this much slack the bound holds exactly. */
const ROUNDING_SLACK = 1 - 2 ** -23;

/** One after the other of what is `sent`, everything without it. @throws HushError `update/length` when the models differ in length. */
export function differenceOf(after: ModelParameters, before: ModelParameters, sent?: readonly Range[]): RawUpdate {
  if (after.length !== before.length) {
    throw new HushError(
      'update/length',
      `The trained model has ${after.length} parameters, expected ${before.length}.`,
    );
  }
  const ranges = sent ?? [{ offset: 0, length: after.length }];
  const update = new Float32Array(ranges.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const { offset, length } of ranges) {
    for (let i = offset; i < offset + length; i++) update[at++] = (after[i] ?? 0) - (before[i] ?? 0);
  }
  return update as RawUpdate;
}

/**
 * Scales the update down to an L2 norm of `clipNorm` where it is longer (McMahan et al. 2018, "Learning Differentially
 * Private Recurrent Language Models", flat clipping); gives a new array. `norm` is the norm before.
 * @throws HushError `update/not-finite` when a value is infinite or not a number.
 */
export function clip(raw: RawUpdate, clipNorm: number): { readonly clipped: ClippedUpdate; readonly norm: number } {
  let squares = 0;
  for (const value of raw) squares += value * value;
  const norm = Math.sqrt(squares);
  // Squares of finite float32 values cannot overflow float64, so the sum alone tells.
  if (!Number.isFinite(norm)) {
    const index = raw.findIndex((value) => !Number.isFinite(value));
    throw new HushError('update/not-finite', `Parameter ${index} of the update is ${raw[index]}, expected a number.`, {
      advice: 'Training diverged: lower the learning rate in the plan.',
    });
  }
  const factor = norm > clipNorm ? (clipNorm / norm) * ROUNDING_SLACK : 1;
  return { clipped: raw.map((value) => value * factor) as ClippedUpdate, norm };
}
