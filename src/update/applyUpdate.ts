/** Moving the model on: plain federated averaging (McMahan et al. 2017, algorithm 1) with a server learning rate. */
import { HushError } from '../core/errors.ts';
import type { PlanLayout } from '../core/planLayout.ts';
import type { ModelParameters } from '../core/updateStages.ts';

/**
 * fround(model + serverLearningRate · mean) where the layout sends, a new array; the same bits on every machine. What would
 * fall below its block's minimum becomes it: a small variance would come out negative when its rounded changes are added.
 * @throws HushError `sum/not-finite` when a parameter would leave float32, `sum/length` when the lengths differ.
 */
export function applyUpdate(
  model: ModelParameters,
  meanUpdate: Float64Array,
  serverLearningRate: number,
  { blocks, length, sent, sentLength }: PlanLayout,
): ModelParameters {
  if (model.length !== length || meanUpdate.length !== sentLength) {
    const got = `${meanUpdate.length} values for a model of ${model.length}`;
    throw new HushError('sum/length', `The mean update has ${got}, expected ${sentLength} and ${length}.`);
  }
  const next = model.slice();
  let at = 0;
  for (const { offset, length } of sent) {
    for (let i = offset; i < offset + length; i++) {
      const value = Math.fround((model[i] ?? 0) + serverLearningRate * (meanUpdate[at++] ?? 0));
      if (!Number.isFinite(value)) {
        throw new HushError('sum/not-finite', `Parameter ${i} would become ${value}, expected a number.`, {
          advice: 'The round is abandoned; lower the learning rates or the clip in the plan.',
        });
      }
      next[i] = value;
    }
  }
  for (const { offset, length, minimum } of blocks) {
    if (minimum === undefined) continue;
    for (let i = offset; i < offset + length; i++) next[i] = Math.max(minimum, next[i] ?? 0);
  }
  return next as ModelParameters;
}
