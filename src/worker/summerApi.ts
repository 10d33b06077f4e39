/** What the summing worker answers to, through comlink. Types only: the page imports them without the worker's code. */
import type { Bytes } from '../core/bytes.ts';
import type { Hash, RoundNumber } from '../core/ids.ts';
import type { ApplyReport, MaskSeed, SumOrder, SummerTask } from '../core/localWork.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import type { Outcome } from './outcome.ts';

export interface SummerApi {
  open(task: SummerTask): Promise<Outcome<void>>;
  load(parameters: ModelParameters): Promise<Outcome<Hash>>;
  initialModel(): Promise<Outcome<ModelParameters>>;
  begin(order: SumOrder): Promise<Outcome<void>>;
  add(round: RoundNumber, group: number, masked: Bytes): Promise<Outcome<Hash>>;
  unmask(round: RoundNumber, group: number, survivors: number, seeds: readonly MaskSeed[]): Promise<Outcome<void>>;
  finish(
    round: RoundNumber,
    members: number,
    survivors: number,
  ): Promise<Outcome<ApplyReport & { readonly packedSum: Bytes }>>;
}
