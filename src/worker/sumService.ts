/** What the coordinator's worker does: adds masked updates up, takes the masks off, moves the model on. */
import { HushError } from '../core/errors.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Hash, RoundNumber } from '../core/ids.ts';
import type { ApplyReport, MaskSeed, SumOrder, SummerTask } from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import { ringBits, sumBits, wordCount } from '../core/sumSpec.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { Accumulator } from '../update/accumulator.ts';
import { applySum } from '../update/aggregate.ts';
import { readGroupSum } from '../update/groupSum.ts';
import { initialModel } from '../update/initialise.ts';
import { modelHashOf } from '../update/modelHash.ts';
import { packWords } from '../update/pack.ts';
import { piecesRoot } from '../update/pieces.ts';

interface RunningSum {
  readonly order: SumOrder;
  /** By number; gone once unmasked. Made when the first masked update comes. */
  readonly groups: Map<number, Accumulator>;
  readonly unmasked: Set<number>;
  /** Over the unmasked groups, modulo 2^32. */
  readonly total: Uint32Array;
}

export class SumService {
  #plan: Plan | undefined;
  #model: ModelParameters | undefined;
  #running: RunningSum | undefined;
  readonly #onGroupSum: (round: RoundNumber, group: number, words: Uint32Array) => void;

  /** `onGroupSum` sees the checked sum of each group, for simulations that make it again. */
  constructor(onGroupSum: (round: RoundNumber, group: number, words: Uint32Array) => void = () => undefined) {
    this.#onGroupSum = onGroupSum;
  }

  open({ plan }: SummerTask): void {
    this.#plan = plan;
    this.#model = undefined;
    this.#running = undefined;
  }

  load(parameters: ModelParameters): Hash {
    this.#model = parameters;
    return modelHashOf(parameters);
  }

  initialModel(): ModelParameters {
    return initialModel(need(this.#plan, 'a plan'));
  }

  begin(order: SumOrder): void {
    const total = new Uint32Array(wordCount(order.sumSpec));
    this.#running = { order, groups: new Map(), unmasked: new Set(), total };
  }

  add(round: RoundNumber, group: number, masked: Bytes): Promise<Hash> {
    this.#accumulator(this.#current(round), group).add(masked);
    return piecesRoot(masked);
  }

  /** Of the round's vectors. @throws HushError `worker/order` when it is not the round that was begun. */
  wordsIn(round: RoundNumber): number {
    return wordCount(this.#current(round).order.sumSpec);
  }

  /**
   * Ends the group's sum, whether its checks hold or not: once unmasked it must never be unmasked again otherwise. `masks`
   * are seeds, or the words of all of them together.
   */
  unmask(round: RoundNumber, group: number, survivors: number, masks: readonly MaskSeed[] | Uint32Array): void {
    const running = this.#current(round);
    const accumulator = this.#accumulator(running, group);
    running.groups.delete(group);
    running.unmasked.add(group);
    if (masks instanceof Uint32Array) accumulator.addWords(masks);
    else accumulator.addMasks(masks);
    const { sumSpec, groupSizes } = running.order;
    const sum = readGroupSum(accumulator.sum(), sumSpec, survivors, ringBits(sumSpec, groupSizes[group] ?? 0));
    this.#onGroupSum(round, group, sum);
    running.total.forEach((word, i) => {
      running.total[i] = word + (sum[i] ?? 0);
    });
  }

  finish(round: RoundNumber, members: number, survivors: number): ApplyReport & { readonly packedSum: Bytes } {
    const { order, total } = this.#current(round);
    this.#running = undefined;
    const { sumSpec } = order;
    const packedSum = packWords(total, sumBits(sumSpec, members));
    const report = applySum(
      need(this.#model, 'a model'),
      { round, sumSpec, members, survivors, packedSum },
      need(this.#plan, 'a plan'),
    );
    this.#model = report.parameters;
    return { ...report, packedSum };
  }

  #accumulator({ order, groups, unmasked }: RunningSum, group: number): Accumulator {
    const groupSize = order.groupSizes[group];
    if (groupSize === undefined || unmasked.has(group)) {
      const state = unmasked.has(group) ? 'was unmasked' : 'is not there';
      throw new HushError('worker/order', `The sum of group ${group} in round ${order.round} ${state}.`);
    }
    const known = groups.get(group);
    if (known !== undefined) return known;
    const made = new Accumulator(wordCount(order.sumSpec), ringBits(order.sumSpec, groupSize));
    groups.set(group, made);
    return made;
  }

  #current(round: RoundNumber): RunningSum {
    const running = this.#running;
    if (running?.order.round === round) return running;
    const expected = running ? `round ${running.order.round}` : 'a round to be begun first';
    throw new HushError('worker/order', `The sum of round ${round} was asked for, expected ${expected}.`);
  }
}

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new HushError('worker/order', `The worker was given work before it had ${what}.`);
  return value;
}
