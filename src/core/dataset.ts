/** Examples as the engine trains on them, and where they come from. */
import type { DataSplit } from './plan.ts';

/**
 * `count` rows; row i is inputs[i·width … (i+1)·width − 1] · inputScale, with the targets
 * labels[i·labelWidth … (i+1)·labelWidth − 1]: classes, or the values themselves for losses that have them.
 */
export interface Examples {
  readonly count: number;
  readonly width: number;
  readonly inputs: Uint8Array | Int32Array | Float32Array;
  readonly inputScale: number;
  readonly labels: Uint8Array | Int32Array | Float32Array;
  /** Targets of one row; 1 without it. */
  readonly labelWidth?: number;
}

/** One participant's data; `test` is held out and measured only. */
export interface TrainingData {
  readonly training: Examples;
  readonly validation: Examples;
  readonly test: Examples;
}

/** Which part of a public data set a participant that lends compute works on. */
export interface ShardAssignment {
  readonly index: number;
  readonly count: number;
  readonly split: DataSplit;
  readonly seed: number;
}

/** The port of everything that yields training data: a shard of a public set, or a person's own files. */
export interface DataSource {
  /** @throws HushError `data/…`, saying what is wrong with which file. */
  load(): Promise<TrainingData>;
}
