/** Moving the model on: plain federated averaging (McMahan et al. 2017, algorithm 1) with a server learning rate. */
import { HushError } from '../core/errors.ts';
import type { ParameterBlock } from '../core/layerShapes.ts';
import type { ModelParameters } from '../core/updateStages.ts';

/**
 * fround(model + serverLearningRate · mean), a new array; the same bits on every machine. What would fall below its block's
 * minimum becomes it: a small variance would come out negative when its rounded changes are added.
 * @throws HushError `sum/not-finite` when a parameter would leave float32, `sum/length` when the lengths differ.
 */
export function applyUpdate(
  model: ModelParameters,
  meanUpdate: Float64Array,
  serverLearningRate: number,
  blocks: readonly ParameterBlock[] = [],
): ModelParameters {
  if (meanUpdate.length !== model.length) {
    throw new HushError('sum/length', `The mean update has ${meanUpdate.length} values, expected ${model.length}.`);
  }
  const next = new Float32Array(model.length);
  for (let i = 0; i < next.length; i++) {
    const value = Math.fround((model[i] ?? 0) + serverLearningRate * (meanUpdate[i] ?? 0));
    if (!Number.isFinite(value)) {
      throw new HushError('sum/not-finite', `Parameter ${i} would become ${value}, expected a number.`, {
        advice: 'The round is abandoned; lower the learning rates or the clip in the plan.',
      });
    }
    next[i] = value;
  }
  for (const { offset, length, minimum } of blocks) {
    if (minimum === undefined) continue;
    for (let i = offset; i < offset + length; i++) next[i] = Math.max(minimum, next[i] ?? 0);
  }
  return next as ModelParameters;
}
