/** The training engine as the worker sees it: one model and one participant's data on one backend. */
import type { Bytes } from './bytes.ts';
import type { Examples } from './dataset.ts';
import type { Network } from './network.ts';
import type { LocalTraining } from './plan.ts';
import type { PartFigures } from './figures.ts';
import type { ModelParameters } from './updateStages.ts';

/** Our own engines first; the others are tfjs on the backend of that name. */
export const ENGINE_NAMES = ['compiled-webgpu', 'compiled-wasm', 'webgpu', 'wasm', 'webgl', 'cpu'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

export interface TrainingProgress {
  /** Of the whole local training, 0 to 1. */
  readonly fraction: number;
  readonly epoch: number;
  readonly epochs: number;
  /** While it works: pauses, and the rests that a share of less than all makes, are left out. */
  readonly samplesPerSecond: number;
}

export interface TrainingControl {
  /**
   * Awaited between steps: resolves at once, later while paused or when a rest is due, and rejects with `engine/stopped`
   * after a stop. An engine whose device works ahead gives `settle`, which resolves when all that was begun is done: what
   * a rest follows is measured, and then rests.
   */
  proceed(settle?: () => Promise<void>): Promise<void> | void;
  onProgress(progress: TrainingProgress): void;
}

/** Failures are HushErrors `engine/…`: unavailable, unsupported, lost, out-of-memory, not-finite, stopped. */
export interface TrainingEngine {
  readonly name: EngineName;
  /** What the adapter calls itself, or the backend's own description. */
  readonly adapter: string;
  /**
   * Starts a session; compiles what can be compiled ahead.
   * @throws HushError `engine/unsupported`, naming the layer, when the engine cannot train it.
   */
  open(network: Network): Promise<EngineSession>;
  /** Gives back everything that the engine holds. */
  close(): void;
}

export interface EngineSession {
  /**
   * Compiles what training on such examples by this rule will need, so that the first step costs what the others do. Not
   * there where nothing can be compiled ahead.
   */
  prepare?(training: LocalTraining, examples: Examples): Promise<void>;
  /** @throws HushError `engine/shape` when the length is not the layout's. */
  setParameters(parameters: ModelParameters): void;
  /** In the order of the ParameterLayout. */
  parameters(): Promise<ModelParameters>;
  /**
   * Minimises the network's loss over `examples`. Batch order comes from `seed` alone; a partial last batch is left out
   * unless it is the only one. A step: mean gradient of the batch, plus the proximal term, then clipped, then the
   * optimizer's; followed statistics are left out of all four. Gives the sums over the predictions of the last epoch.
   */
  train(examples: Examples, training: LocalTraining, seed: Bytes, control: TrainingControl): Promise<PartFigures>;
  /** With a control, it proceeds between batches as a training does between steps. */
  evaluate(examples: Examples, control?: TrainingControl): Promise<PartFigures>;
  /**
   * What the last layer gives, before any softmax or sigmoid: shape [count, values of one example's output], row-major.
   * As in an evaluation nothing is dropped and statistics are the moving ones; labels are not looked at.
   */
  predict(examples: Examples, control?: TrainingControl): Promise<Float32Array>;
  /** Live tensors, for leak tests: the same after every round. */
  liveTensors(): number;
  close(): void;
}

/** What was found out about one engine at join. */
export interface EngineCandidate {
  readonly name: EngineName;
  readonly adapter: string;
  readonly usable: boolean;
  /** Of the plan's model and batch size, after warm-up; 0 when not usable. */
  readonly samplesPerSecond: number;
  readonly firstStepMs: number;
  /** Largest difference of an updated parameter from the cpu engine's, relative to the largest update. */
  readonly disagreement: number;
  /** Why not usable, or what was measured; a sentence for people. */
  readonly reason: string;
}

export interface EngineChoice {
  readonly engine: EngineName;
  readonly adapter: string;
  readonly samplesPerSecond: number;
  /** Why this one; a sentence for people. */
  readonly reason: string;
  readonly candidates: readonly EngineCandidate[];
  /** Absent where nothing was measured. */
  readonly measured?: {
    /** Milliseconds since 1970. */
    readonly atMs: number;
    /** Browser, cores and adapters, as far as speed depends on them: elsewhere the choice says nothing. */
    readonly machine: string;
    /** What plain JavaScript took for the steps that all are checked by. */
    readonly referenceMs: number;
  };
}
