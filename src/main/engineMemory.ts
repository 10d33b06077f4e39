/** Which engine was the fastest, kept in this browser for each network: the next visit checks it instead of measuring. */
import { version } from '../../package.json';
import { utf8 } from '../core/bytes.ts';
import type { EngineChoice } from '../core/engine.ts';
import type { EngineWish, Trainer, TrainerTask } from '../core/localWork.ts';
import { planNetwork } from '../core/planLayout.ts';
import type { Plan } from '../core/plan.ts';
import { hashOf } from '../crypto/hash.ts';
import type { Services } from './services.ts';

/**
 * `trainer`, remembering. One tab measures at a time: two that do it together would see half the speed, and the second has
 * only to check what the first found.
 */
export function withEngineMemory<T extends Pick<Trainer, 'open' | 'chooseEngine' | 'onFailure'>>(
  trainer: T,
  { store, locks }: Pick<Services, 'store' | 'locks'>,
): T {
  let key: string | undefined;
  trainer.onFailure(() => {
    // It may be the engine that took the worker down.
    if (key !== undefined) void store.delete(key).catch(() => undefined);
  });
  return {
    ...trainer,
    open: (task: TrainerTask) => {
      key = task.forceEngine === undefined ? engineKey(task.plan) : undefined;
      return trainer.open(task);
    },
    chooseEngine: async (wish: EngineWish = {}) => {
      if (key === undefined) return trainer.chooseEngine(wish);
      const kept = key;
      return locks.exclusive(kept, async () => {
        // Without a store everything works as on a first visit.
        const remembered = wish.anew ? undefined : await store.get<EngineChoice>(kept).catch(() => undefined);
        const choice = await trainer.chooseEngine(remembered ? { ...wish, remembered } : wish);
        if (choice.measured?.atMs !== remembered?.measured?.atMs) await store.set(kept, choice).catch(() => undefined);
        return choice;
      });
    },
  };
}

/** All that the speed and the parity of an engine depend on, but for the machine. */
function engineKey(plan: Plan): string {
  const { batchSize, optimizer } = plan.training;
  return `engine/${hashOf(utf8(JSON.stringify([version, planNetwork(plan), batchSize, optimizer])))}`;
}
