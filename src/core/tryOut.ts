/** Trying a model out: what a screen can ask of it, and what it answers. Everything is computed in this tab. */
import type { ExpectedData } from './dataSchema.ts';
import type { Examples } from './dataset.ts';
import type { Plan } from './plan.ts';

/** Using the model, in the training worker. A port of its own: the protocol has no business with it. */
export interface ModelUse {
  /**
   * What the current model gives, before any softmax or sigmoid: shape [count, values of one example's output]. The
   * labels are not looked at. @throws HushError `worker/training`: while it trains nothing else is computed.
   */
  predict(examples: Examples): Promise<Float32Array>;
  /** Of the data that was held out, or else kept aside for validation. @throws HushError `data/nothing`. */
  heldOut(index: number): Promise<HeldOutExample>;
}

export interface HeldOutExample {
  readonly example: Examples;
  /** How many there are. */
  readonly of: number;
}

export type Answer =
  /** The most probable first. */
  | { readonly kind: 'classes'; readonly classes: readonly { readonly name: string; readonly probability: number }[] }
  /** In the unit of the target. */
  | { readonly kind: 'value'; readonly value: number };

/** What the model saw of an image: one value a channel and pixel, 0 to 1. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: ArrayLike<number>;
}

export interface Answered {
  readonly answer: Answer;
  /** Of images alone. */
  readonly picture?: Picture;
  /** What it should be, of a held-out example. */
  readonly truth?: string;
}

/** How much ink is where, 0 to 255, on a square of `side` pixels. */
export interface Drawing {
  readonly side: number;
  readonly ink: Uint8Array;
}

export interface Continuation {
  readonly prompt: string;
  /** 0 takes the most probable token; 1 draws as the model has it. */
  readonly temperature: number;
  /** Tokens at the most. */
  readonly tokens: number;
  readonly signal: AbortSignal;
  /** All that was written so far. */
  readonly onText: (text: string) => void;
}

export interface TryOut {
  drawing(drawing: Drawing): Promise<Answered>;
  image(file: Blob): Promise<Answered>;
  /** Text of each column, by its name; what is not there is missing. */
  row(cells: ReadonlyMap<string, string>): Promise<Answered>;
  heldOut(index: number): Promise<Answered & { readonly of: number }>;
  continueText(continuation: Continuation): Promise<void>;
  close(): void;
}

/** What is given to a model of this plan: handwriting is drawn, the rest comes as the plan's data does. */
export type TryInput =
  | { readonly kind: 'drawing'; readonly side: number }
  | { readonly kind: 'data'; readonly expected: ExpectedData };

/** Undefined where nothing says what the values of an example mean. */
export function tryInputOf({ data, model, task }: Plan): TryInput | undefined {
  const expected = 'schema' in data ? data.schema : undefined;
  if (expected) return { kind: 'data', expected };
  // Public data without a description are grey square images in IDX files.
  const grey = 'height' in model && model.channels === 1 ? model.height * model.width : 0;
  const side = Math.sqrt('inputs' in model ? model.inputs : grey);
  return task.kind === 'classification' && side >= 4 && Number.isInteger(side) ? { kind: 'drawing', side } : undefined;
}
