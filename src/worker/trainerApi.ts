/** What the training worker answers to, through comlink. Types only: the page imports them without the worker's code. */
import type { DataReport, ReadProgress } from '../core/dataReport.ts';
import type { Examples } from '../core/dataset.ts';
import type { EngineChoice, TrainingProgress } from '../core/engine.ts';
import type { Hash } from '../core/ids.ts';
import type {
  ApplyOrder,
  ApplyReport,
  DataOrder,
  EngineWish,
  HashedModel,
  MaskOrder,
  MaskReport,
  TrainerInfo,
  TrainerTask,
  TrainOrder,
  TrainReport,
} from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import type { HeldOutExample } from '../core/tryOut.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import type { Outcome } from './outcome.ts';
import type { ControlCommand } from './trainControl.ts';

export interface TrainerApi {
  /**
   * One port for the worker's whole life: ToTrainer comes in, FromTrainer goes out. Callbacks would leak a port each
   * (comlink issue 63).
   */
  attach(port: MessagePort): void;
  /** Files cross without being copied. */
  readData(order: DataOrder): Promise<Outcome<DataReport>>;
  open(task: TrainerTask): Promise<Outcome<TrainerInfo>>;
  chooseEngine(wish: EngineWish): Promise<Outcome<EngineChoice>>;
  initialModel(plan: Plan): Promise<Outcome<HashedModel>>;
  load(parameters: ModelParameters): Promise<Outcome<Hash>>;
  train(order: TrainOrder): Promise<Outcome<TrainReport>>;
  predict(examples: Examples): Promise<Outcome<Float32Array>>;
  heldOut(index: number): Promise<Outcome<HeldOutExample>>;
  mask(order: MaskOrder): Promise<Outcome<MaskReport>>;
  apply(order: ApplyOrder): Promise<Outcome<ApplyReport>>;
}

export type ToTrainer = ControlCommand | 'stop reading';
export type FromTrainer = { readonly training: TrainingProgress } | { readonly reading: ReadProgress };
