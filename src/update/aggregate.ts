/** The one step from a sum to the next model, which coordinator and participants take alike. */
import type { ApplyOrder, ApplyReport } from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import { planLayout } from '../core/planLayout.ts';
import { withStatistics } from '../core/normalisation.ts';
import { NO_FIGURES } from '../core/figures.ts';
import { ringBits, sumBits, wordCount } from '../core/sumSpec.ts';
import type { AggregateSum, ModelParameters } from '../core/updateStages.ts';
import { hashOf } from '../crypto/hash.ts';
import { applyUpdate } from './applyUpdate.ts';
import { modelHashOf } from './modelHash.ts';
import { addPacked } from './pack.ts';
import { readSum } from './readSum.ts';
import { rotationSeed } from './rotation.ts';
import { segmentViews } from './segmentView.ts';
import { readStatistics } from './statisticsSum.ts';
import { checkWrap } from './wrap.ts';

/**
 * Checks the sum and gives the next model; `model`, the one that the round began with, is not changed.
 * @throws HushError `sum/…` as `readSum`, `readStatistics`, `checkWrap` and `applyUpdate` do, and `sum/length`, `sum/padding` of the packed words.
 */
export function applySum(model: ModelParameters, order: ApplyOrder, plan: Plan): ApplyReport {
  const { round, sumSpec, members, survivors, packedSum } = order;
  const sum = new Uint32Array(wordCount(sumSpec));
  addPacked(sum, packedSum, sumBits(sumSpec, members), 'sum');
  // With groups only who unmasked them has their sums; without, everyone looks at the one that there is.
  if (plan.aggregation.groupSize === undefined) {
    for (const view of segmentViews(sumSpec, sum)) checkWrap(view, ringBits(sumSpec, members), survivors);
  }
  if (sumSpec.kind === 'statistics') {
    const statistics = readStatistics({ sum: sum as AggregateSum, sumSpec, plan, survivors });
    const parameters = withStatistics(plan, model, statistics);
    const figures = { training: NO_FIGURES, validation: NO_FIGURES, test: NO_FIGURES };
    const modelHashAfter = modelHashOf(parameters);
    return { sumHash: hashOf(packedSum), modelHashAfter, figures, totalWeight: 0, statistics, parameters };
  }
  const rotated = sumSpec.segments.some(({ block }) => block > 1);
  const { figures, totalWeight, update } = readSum({
    sum: sum as AggregateSum,
    sumSpec,
    plan,
    survivors,
    ...(rotated ? { rotationSeed: rotationSeed(modelHashOf(model), round) } : {}),
  });
  const parameters = update ? applyUpdate(model, update, plan.aggregation.serverLearningRate, planLayout(plan)) : model;
  return {
    sumHash: hashOf(packedSum),
    modelHashAfter: modelHashOf(parameters),
    figures,
    totalWeight,
    parameters,
  };
}
