/** The Summer port over the worker's own service, in this process; every group's sum is compared with what it must be. */
import { availableParallelism } from 'node:os';
import { HushError } from '../../src/core/errors.ts';
import type { Hash } from '../../src/core/ids.ts';
import type { ApplyReport, MaskSeed, Summer, SumOrder, SummerTask } from '../../src/core/localWork.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { Unsubscribe } from '../../src/core/ports.ts';
import { wordCount } from '../../src/core/sumSpec.ts';
import type { MaskedUpdate, ModelParameters } from '../../src/core/updateStages.ts';
import { Spreading } from '../../src/worker/spreading.ts';
import { SumService } from '../../src/worker/sumService.ts';
import { startThread } from '../threads/threadHelper.ts';
import type { Exactness } from './exactness.ts';
import type { ModelPool } from './models.ts';

export interface SummerHooks {
  readonly exactness: Exactness;
  readonly models: ModelPool;
  /** Told before and after a masked update is added, with its bytes. */
  adding(deltaBytes: number): void;
  /** Awaits what other threads do. */
  hold<T>(work: Promise<T>): Promise<T>;
  /** Runs the comparison, which is no part of the coordinator's own time. */
  apart<T>(work: () => T): T;
  /** A sum is changed before it is compared: to show that a wrong one is found. */
  readonly spoil?: (words: Uint32Array) => void;
}

export class SimulatedSummer implements Summer {
  readonly #hooks: SummerHooks;
  readonly #service: SumService;
  /** As in the application: on threads where that is worth while. */
  readonly #spreading = new Spreading(startThread, availableParallelism());
  #plan: Plan | undefined;
  #order: SumOrder | undefined;
  /** Roots of the updates that are in each group's sum. */
  #added = new Map<number, Hash[]>();
  #survivors = 0;

  constructor(hooks: SummerHooks) {
    this.#hooks = hooks;
    this.#service = new SumService((_round, group, words) => hooks.apart(() => this.#compare(group, words)));
  }

  /** Of the sums that are running and the model. */
  get heldBytes(): number {
    if (this.#order === undefined) return 0;
    // One for each group that is being added up, and the total.
    return 4 * wordCount(this.#order.sumSpec) * (this.#added.size + 1);
  }

  async open(task: SummerTask): Promise<void> {
    this.#plan = task.plan;
    this.#service.open(task);
  }

  async load(parameters: ModelParameters): Promise<Hash> {
    return this.#service.load(parameters);
  }

  async initialModel(): Promise<ModelParameters> {
    if (this.#plan === undefined) throw new HushError('worker/order', 'The simulated worker was not opened.');
    return this.#hooks.models.initial(this.#plan).parameters;
  }

  async begin(order: SumOrder): Promise<void> {
    this.#order = order;
    this.#added = new Map();
    this.#service.begin(order);
    this.#spreading.prepare(this.#service.wordsIn(order.round), Math.max(...order.groupSizes));
  }

  async add(round: number, group: number, masked: MaskedUpdate): Promise<Hash> {
    this.#hooks.adding(masked.length);
    try {
      const root = await this.#service.add(round, group, masked);
      const roots = this.#added.get(group) ?? [];
      roots.push(root);
      this.#added.set(group, roots);
      return root;
    } finally {
      this.#hooks.adding(-masked.length);
    }
  }

  async unmask(round: number, group: number, survivors: number, seeds: readonly MaskSeed[]): Promise<void> {
    try {
      const masks = await this.#hooks.hold(this.#spreading.expand(this.#service.wordsIn(round), seeds));
      // Looked at by `#compare` within the next call; other groups are unmasked side by side.
      this.#survivors = survivors;
      this.#service.unmask(round, group, survivors, masks);
    } finally {
      this.#added.delete(group);
    }
  }

  async finish(
    round: number,
    members: number,
    survivors: number,
  ): Promise<ApplyReport & { readonly packedSum: Bytes }> {
    const report = this.#service.finish(round, members, survivors);
    this.#order = undefined;
    return report;
  }

  #compare(group: number, words: Uint32Array): void {
    const { exactness, spoil } = this.#hooks;
    if (this.#order === undefined || this.#plan === undefined) return;
    const { round, sumSpec } = this.#order;
    spoil?.(words);
    const what = `round ${round}, group ${group}`;
    exactness.compare(what, this.#added.get(group) ?? [], this.#survivors, words, sumSpec, this.#plan);
  }

  onFailure(): Unsubscribe {
    return () => undefined;
  }

  close(): void {}
}
