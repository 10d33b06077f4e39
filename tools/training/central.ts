/** The same model trained on everybody's data in one place, with as many passes: what a federation is compared with. */
import type { HashedModel } from '../../src/core/localWork.ts';
import type { Metric } from '../../src/core/metrics.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import type { Plan } from '../../src/core/plan.ts';
import { HushError } from '../../src/core/errors.ts';
import type { TrainingData } from '../../src/core/dataset.ts';
import { pointOf } from '../../src/federation/measured.ts';
import { initialise } from '../../src/update/initialise.ts';
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
  const { training, model, seed } = plan;
  const engine = await openNodeEngine(networkOf(model));
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
    service.load(start?.parameters ?? initialise(model, seed));
    const order = { round: 1, seed: seedFor(seed, 'central batches') };
    await service.train({ ...order, kind: 'train' });
    // As it was trained: neither clipped nor rounded.
    service.load(await engine.session.parameters());
    const { figures } = await service.train({ ...order, kind: 'evaluate' });
    return judged(pointOf({ kind: 'evaluate', completed: rounds, survivors: shards.length, figures }, plan));
  } finally {
    engine.close();
  }
}
