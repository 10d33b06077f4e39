/** The one step from a sum to the next model, which coordinator and participants take alike. */
import type { ApplyOrder, ApplyReport } from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import { ringBits, wordCount } from '../core/sumSpec.ts';
import type { AggregateSum, ModelParameters } from '../core/updateStages.ts';
import { hashOf } from '../crypto/hash.ts';
import { applyUpdate } from './applyUpdate.ts';
import { modelHashOf } from './modelHash.ts';
import { addPacked } from './pack.ts';
import { readSum } from './readSum.ts';

/**
 * Checks the sum and gives the next model; `model` is not changed.
 * @throws HushError `sum/…` as `readSum` and `applyUpdate` do, and `sum/length`, `sum/padding` of the packed words.
 */
export function applySum(model: ModelParameters, order: ApplyOrder, plan: Plan): ApplyReport {
  const { sumSpec, groupSize, survivors, packedSum } = order;
  const sum = new Uint32Array(wordCount(sumSpec));
  addPacked(sum, packedSum, ringBits(sumSpec, groupSize), 'sum');
  const { figures, totalWeight, update } = readSum({ sum: sum as AggregateSum, sumSpec, plan, survivors });
  const parameters = update ? applyUpdate(model, update, plan.aggregation.serverLearningRate) : model;
  return {
    sumHash: hashOf(packedSum),
    modelHashAfter: modelHashOf(parameters),
    figures,
    totalWeight,
    parameters,
  };
}
