/** The same model trained on everybody's data in one place, with as many passes: what a federation is compared with. */
import type { HashedModel } from '../../src/core/localWork.ts';
import type { Metric } from '../../src/core/metrics.ts';
import type { Plan } from '../../src/core/plan.ts';
import { planLayout, planNetwork, withNetwork } from '../../src/core/planLayout.ts';
import { sumSpecFor } from '../../src/core/sumSpec.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { HushError } from '../../src/core/errors.ts';
import type { TrainingData } from '../../src/core/dataset.ts';
import { pointOf } from '../../src/federation/measured.ts';
import { initialModel } from '../../src/update/initialise.ts';
import { SumService } from '../../src/worker/sumService.ts';
import { TrainService } from '../../src/worker/trainService.ts';
import { seededPort, seedFor } from '../simulate/seeds.ts';
import { judged } from './judged.ts';
import { openNodeEngine } from './nodeEngine.ts';
import { pooled } from './shards.ts';

export interface CentralTraining {
  readonly plan: Plan;
  /** How many the federation trained. */
  readonly rounds: number;
  /** Of everyone who takes part. */
  readonly shards: readonly TrainingData[];
  /** Where the plan begins with a saved model. */
  readonly start?: HashedModel | undefined;
  readonly onProgress?: (fraction: number) => void;
}

/** Null where there is nothing to measure on. @throws HushError `engine/…`. */
export async function trainCentrally({
  plan,
  rounds,
  shards,
  start,
  onProgress,
}: CentralTraining): Promise<Metric | null> {
  const { training, seed } = plan;
  const engine = await openNodeEngine(planNetwork(plan));
  try {
    const data = pooled(shards);
    const service = new TrainService({
      random: seededPort(seedFor(seed, 'central')),
      fetchFile: () => Promise.reject(new HushError('data/unreachable', 'What is pooled is there already.')),
      ownData: { load: () => data },
      report: ({ fraction }) => onProgress?.(fraction),
      engine: engine.chosen,
    });
    // Nobody's model is to be stayed near to: there is one alone.
    const alone = { ...training, epochs: rounds * training.epochs, fedProxMu: 0 };
    await service.open({ plan: { ...plan, training: alone }, shard: undefined });
    const order = { round: 1, seed: seedFor(seed, 'central batches') };
    const first = await afterStatistics(plan, service, start?.parameters ?? initialModel(plan));
    service.load(first);
    await service.train({ ...order, kind: 'train' });
    // As it was trained: neither clipped nor rounded.
    service.load(withNetwork(planLayout(plan), first, await engine.session.parameters()));
    const { figures } = await service.train({ ...order, kind: 'evaluate' });
    return judged(pointOf({ kind: 'evaluate', completed: rounds, survivors: shards.length, figures }, plan));
  } finally {
    engine.close();
  }
}

/** The model that a plan with statistics begins to train with: those of all data, as a sum of one. */
async function afterStatistics(plan: Plan, service: TrainService, model: ModelParameters): Promise<ModelParameters> {
  if (plan.statistics === undefined) return model;
  const round = 1;
  const sumSpec = sumSpecFor('statistics', plan);
  const summer = new SumService();
  summer.open({ plan });
  summer.load(model);
  summer.begin({ round, sumSpec, groupSizes: [1] });
  service.load(model);
  await service.train({ round, kind: 'statistics', seed: seedFor(plan.seed, 'central statistics') });
  const { masked } = await service.mask({ round, sumSpec, groupSize: 1, seeds: [] });
  await summer.add(round, 0, masked);
  summer.unmask(round, 0, 1, []);
  return summer.finish(round, 1, 1).parameters;
}
