/** What the coordinator's worker does: adds masked updates up, takes the masks off, moves the model on. */
import { HushError } from '../core/errors.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Hash, RoundNumber } from '../core/ids.ts';
import type { ApplyReport, MaskSeed, SumOrder, SummerTask } from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import { ringBits, wordCount } from '../core/sumSpec.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { Accumulator } from '../update/accumulator.ts';
import { applySum } from '../update/aggregate.ts';
import { initialise } from '../update/initialise.ts';
import { modelHashOf } from '../update/modelHash.ts';
import { packWords } from '../update/pack.ts';
import { piecesRoot } from '../update/pieces.ts';

interface RunningSum {
  readonly order: SumOrder;
  readonly accumulator: Accumulator;
  /** Of a ring word. */
  readonly bits: number;
}

export class SumService {
  #plan: Plan | undefined;
  #model: ModelParameters | undefined;
  #running: RunningSum | undefined;

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
    const { model, seed } = need(this.#plan, 'a plan');
    return initialise(model, seed);
  }

  begin(order: SumOrder): void {
    const bits = ringBits(order.sumSpec, order.groupSize);
    this.#running = { order, bits, accumulator: new Accumulator(wordCount(order.sumSpec), bits) };
  }

  add(round: RoundNumber, masked: Bytes): Hash {
    this.#current(round).accumulator.add(masked);
    return piecesRoot(masked);
  }

  /** Ends the round's sum, whether its checks hold or not: once unmasked it must never be unmasked again otherwise. */
  unmask(
    round: RoundNumber,
    survivors: number,
    seeds: readonly MaskSeed[],
  ): ApplyReport & { readonly packedSum: Bytes } {
    const { order, accumulator, bits } = this.#current(round);
    this.#running = undefined;
    for (const seed of seeds) accumulator.addMask(seed);
    const packedSum = packWords(accumulator.sum(), bits);
    const report = applySum(
      need(this.#model, 'a model'),
      { ...order, survivors, packedSum },
      need(this.#plan, 'a plan'),
    );
    this.#model = report.parameters;
    return { ...report, packedSum };
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
