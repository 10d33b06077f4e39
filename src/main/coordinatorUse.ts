/** A training worker for a tab that has none: opened when the coordinator tries its model, and closed after. */
import type { Hash } from '../core/ids.ts';
import type { Trainer } from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import type { ModelUse } from '../core/tryOut.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { createTrainerHost } from '../platform/trainerHost.ts';
import { withEngineMemory } from './engineMemory.ts';
import type { Services } from './services.ts';

interface Newest {
  readonly hash: Hash;
  readonly load: () => Promise<ModelParameters>;
}

export class CoordinatorUse {
  readonly #host: Trainer & ModelUse;
  readonly #plan: Plan;
  readonly #newest: () => Newest;
  #opened: Promise<void> | undefined;
  #loaded: Hash | undefined;

  /** `newest`: the model that the run stands at. */
  constructor(plan: Plan, services: Services, newest: () => Newest) {
    this.#plan = plan;
    this.#host = withEngineMemory(createTrainerHost(), services);
    this.#newest = newest;
    // What it held is gone; the next question opens another.
    this.#host.onFailure(() => {
      this.#opened = undefined;
      this.#loaded = undefined;
    });
  }

  /** With the newest model in it. @throws HushError `engine/…`, `data/…`, `run/model`. */
  async ready(): Promise<ModelUse> {
    this.#opened ??= this.#open();
    await this.#opened.catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    const { hash, load } = this.#newest();
    if (this.#loaded !== hash) this.#loaded = await this.#host.load(await load());
    return this.#host;
  }

  /** Public data for the examples that are held out; of people's own files there are none here. */
  async #open(): Promise<void> {
    const { data, seed } = this.#plan;
    const isPublic = data.kind === 'public';
    const shard = isPublic ? { index: 0, count: data.shards, split: data.split, seed } : undefined;
    await this.#host.open({ plan: this.#plan, shard, dataless: !isPublic });
    await this.#host.chooseEngine();
  }

  close(): void {
    this.#host.close();
  }
}
