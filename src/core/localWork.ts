/** What the page asks of its workers. Both are ports: the simulation and the tests have their own. */
import type { Bytes } from './bytes.ts';
import type { DataReport, ReadProgress } from './dataReport.ts';
import type { ShardAssignment } from './dataset.ts';
import type { EngineChoice, EngineName, TrainingProgress } from './engine.ts';
import type { Hash, RoundNumber } from './ids.ts';
import type { Plan } from './plan.ts';
import type { FailureHandler, Unsubscribe } from './ports.ts';
import type { SourceFile } from './sourceFile.ts';
import type { FederatedStatistics } from './statistics.ts';
import type { Figures, Part } from './figures.ts';
import type { RoundKind, SumSpec } from './sumSpec.ts';
import type { MaskedUpdate, ModelParameters } from './updateStages.ts';

/**
 * An engine that is used and no other, instead of choosing by measurement. Stock is tfjs as its users train with it, on
 * the fastest of its backends: what our engines are compared with.
 */
export type AskedEngine = EngineName | 'stock';

export interface TrainerTask {
  readonly plan: Plan;
  /** Undefined where people train on their own files. */
  readonly shard: ShardAssignment | undefined;
  /** Nothing is loaded: the model is only used. */
  readonly dataless?: boolean;
  readonly forceEngine?: AskedEngine;
}

export interface EngineWish {
  /** What was chosen before for the same network and batch size. It is checked, and where it still holds, taken. */
  readonly remembered?: EngineChoice;
  /** Measures, whatever is remembered. */
  readonly anew?: boolean;
}

export interface DataOrder {
  /** Says what is expected of the files. */
  readonly plan: Plan;
  readonly files: readonly SourceFile[];
  /** Forgets what was read before. */
  readonly anew: boolean;
}

export interface TrainerInfo {
  readonly samples: Readonly<Record<Part, number>>;
}

export interface HashedModel {
  readonly parameters: ModelParameters;
  readonly hash: Hash;
}

export interface TrainOrder {
  readonly round: RoundNumber;
  readonly kind: RoundKind;
  /** 32 bytes; batch order comes from it alone. */
  readonly seed: Bytes;
}

export interface TrainReport {
  readonly round: RoundNumber;
  readonly durationMs: number;
  /** This participant's own; shown to it alone. */
  readonly figures: Figures;
  /** Before clipping; 0 when nothing was trained. */
  readonly updateNorm: number;
  /** Coordinates that the quantiser's range cut off, as a fraction. */
  readonly saturated: number;
}

/** Expands to one word for each ring word; added (+1) or subtracted (−1) modulo 2^R. */
export interface MaskSeed {
  /** 32 bytes. */
  readonly seed: Bytes;
  readonly sign: 1 | -1;
}

export interface MaskOrder {
  readonly round: RoundNumber;
  readonly sumSpec: SumSpec;
  /** n of the roster, which fixes the ring. */
  readonly groupSize: number;
  readonly seeds: readonly MaskSeed[];
}

export interface MaskReport {
  readonly masked: MaskedUpdate;
  /** Merkle root over the masked update's 64 KiB pieces. */
  readonly piecesRoot: Hash;
  /** The first few values before and after, to show in this tab what leaves it. */
  readonly glimpse: { readonly stays: readonly number[]; readonly sent: readonly string[] };
}

export interface ApplyOrder {
  readonly round: RoundNumber;
  readonly sumSpec: SumSpec;
  /** n of all groups that are in the sum. */
  readonly members: number;
  /** |U2| of all groups that are in the sum. */
  readonly survivors: number;
  /** The integer sum, packed to R bits a word. */
  readonly packedSum: Bytes;
}

/** A sum that failed one of step 6's checks is a HushError `sum/…`: count, zeros, weight, range, length, not-finite. */
export interface ApplyReport {
  readonly sumHash: Hash;
  readonly modelHashAfter: Hash;
  /** Added over the survivors. */
  readonly figures: Figures;
  readonly totalWeight: number;
  /** Of a round of statistics alone. */
  readonly statistics?: FederatedStatistics | undefined;
  /** The next model; for a round that only evaluates, the same as before. */
  readonly parameters: ModelParameters;
}

/** Reading a person's own files, in the training worker. A port of its own: the protocol has no business with data. */
export interface DataReading {
  /**
   * Reads files beside those that were read before; what is wrong with them is in the report. Goes before the trainer's
   * `open`, which trains on what was kept. @throws HushError `data/aborted` after `stopReading`: what was read before must
   * then be read anew.
   */
  readData(order: DataOrder, onProgress: (progress: ReadProgress) => void): Promise<DataReport>;
  stopReading(): void;
}

/** Training, masking and applying, in the training worker. A call fails with `worker/crashed` when the worker dies. */
export interface Trainer {
  open(task: TrainerTask): Promise<TrainerInfo>;
  chooseEngine(wish?: EngineWish): Promise<EngineChoice>;
  /** The model that the plan's seed gives; needs no `open`. */
  initialModel(plan: Plan): Promise<HashedModel>;
  /** Takes `parameters` as the current model; gives its hash. */
  load(parameters: ModelParameters): Promise<Hash>;
  /** Does what the round is for, from the current model. What came of it stays in the worker until `mask` or the next `train`. */
  train(order: TrainOrder): Promise<TrainReport>;
  mask(order: MaskOrder): Promise<MaskReport>;
  /** Checks the sum and moves the current model on. */
  apply(order: ApplyOrder): Promise<ApplyReport>;
  pause(): void;
  resume(): void;
  /** Works for so many percent of the time, see core/share.ts; from the running step on, for the worker's whole life. */
  share(percent: number): void;
  /** Ends a running `train` with `engine/stopped`. */
  stop(): void;
  onProgress(handler: (progress: TrainingProgress) => void): Unsubscribe;
  onFailure(handler: FailureHandler): Unsubscribe;
  close(): void;
}

export interface SummerTask {
  readonly plan: Plan;
}

export interface SumOrder {
  readonly round: RoundNumber;
  readonly sumSpec: SumSpec;
  /** n of each group, by the group's number; fixes the ring in which its masked updates are. */
  readonly groupSizes: readonly number[];
}

/** Adding up masked updates and taking the masks off, in the coordinator's worker. */
export interface Summer {
  open(task: SummerTask): Promise<void>;
  load(parameters: ModelParameters): Promise<Hash>;
  /** The model that the plan's seed gives. */
  initialModel(): Promise<ModelParameters>;
  /** Starts an empty sum for each group and an empty total; forgets the round before. */
  begin(order: SumOrder): Promise<void>;
  /** Adds one complete masked update to its group's sum; gives the Merkle root over its pieces. @throws HushError `sum/length`. */
  add(round: RoundNumber, group: number, masked: MaskedUpdate): Promise<Hash>;
  /**
   * Adds the given masks (signs as they undo) to a group's sum, checks it, adds it to the total. Once, whether the checks
   * hold or not. @throws HushError `sum/…`: nothing of the group is in the total then.
   */
  unmask(round: RoundNumber, group: number, survivors: number, seeds: readonly MaskSeed[]): Promise<void>;
  /**
   * Checks the total over the unmasked groups and applies it. `members` and `survivors` are those of these groups together.
   * Ends the round.
   */
  finish(round: RoundNumber, members: number, survivors: number): Promise<ApplyReport & { readonly packedSum: Bytes }>;
  onFailure(handler: FailureHandler): Unsubscribe;
  close(): void;
}
