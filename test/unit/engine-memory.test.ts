/** The engine that was chosen is kept in the browser's store, and tried first on the next visit. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { EngineChoice } from '../../src/core/engine.ts';
import { HushError } from '../../src/core/errors.ts';
import type { EngineWish, TrainerTask } from '../../src/core/localWork.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { FailureHandler, Locks } from '../../src/core/ports.ts';
import { withEngineMemory } from '../../src/main/engineMemory.ts';
import { digitsPlan } from '../reference/digitsPlan.ts';
import { MemoryStore } from '../support/memoryStore.ts';

const CHOICE: EngineChoice = {
  engine: 'wasm',
  adapter: 'SIMD',
  samplesPerSecond: 1000,
  reason: 'The fastest.',
  candidates: [],
  measured: { atMs: 1, machine: 'here', referenceMs: 9 },
};
const PLAN = digitsPlan({ hidden: [8] });
const INFO = { samples: { training: 1, validation: 1, test: 1 } };

function task(plan: Plan = PLAN): TrainerTask {
  return { plan, shard: { index: 0, count: 4, split: { kind: 'iid' }, seed: 1 } };
}

function rememberingTrainer(store: MemoryStore) {
  const wishes: EngineWish[] = [];
  const names: string[] = [];
  const failures: FailureHandler[] = [];
  const locks: Locks = {
    tryHold: () => Promise.resolve(() => undefined),
    exclusive: (name, action) => {
      names.push(name);
      return action();
    },
  };
  const chosen = { choice: CHOICE };
  const trainer = withEngineMemory(
    {
      open: (_task: TrainerTask) => Promise.resolve(INFO),
      chooseEngine: (wish: EngineWish = {}) => {
        wishes.push(wish);
        return Promise.resolve(chosen.choice);
      },
      onFailure: (handler: FailureHandler) => {
        failures.push(handler);
        return () => undefined;
      },
    },
    { store, locks },
  );
  const choose = async (given = task(), wish?: EngineWish): Promise<EngineChoice> => {
    await trainer.open(given);
    return trainer.chooseEngine(wish);
  };
  return { wishes, names, failures, chosen, choose };
}

describe('the memory of engines', () => {
  let store: MemoryStore;
  beforeEach(() => {
    store = new MemoryStore();
  });

  it('gives the next tab what the last one chose, for the same network and batches alone', async () => {
    expect(await rememberingTrainer(store).choose()).toBe(CHOICE);
    const { wishes, names, choose } = rememberingTrainer(store);
    await choose();
    await choose(task(digitsPlan({ hidden: [9] })));
    await choose(task({ ...PLAN, training: { ...PLAN.training, batchSize: 8 } }));
    await choose(task(digitsPlan({ hidden: [8], epochs: 3 })));
    expect(wishes).toEqual([{ remembered: CHOICE }, {}, {}, { remembered: CHOICE }]);
    expect(new Set(names).size).toBe(3);
    expect(await store.keys('engine/')).toHaveLength(3);
  });

  it('keeps a newer choice, and is left out when somebody wants to measure', async () => {
    const { wishes, chosen, choose } = rememberingTrainer(store);
    await choose();
    chosen.choice = { ...CHOICE, engine: 'cpu', measured: { atMs: 2, machine: 'here', referenceMs: 9 } };
    await choose(task(), { anew: true });
    await choose();
    expect(wishes).toEqual([{}, { anew: true }, { remembered: chosen.choice }]);
  });

  it('forgets an engine with which the worker died', async () => {
    const { wishes, failures, choose } = rememberingTrainer(store);
    await choose();
    for (const tell of failures) tell(new HushError('worker/crashed', 'It died.'));
    await choose();
    expect(wishes).toEqual([{}, {}]);
  });

  it('has nothing to say of an engine that was asked for by name, and works without a store', async () => {
    const { wishes, choose } = rememberingTrainer(store);
    await choose({ ...task(), forceEngine: 'cpu' });
    expect(await store.keys('engine/')).toEqual([]);
    store.failing = true;
    await choose();
    await choose();
    expect(wishes).toEqual([{}, {}, {}]);
  });
});
