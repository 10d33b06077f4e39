/** Rows of examples in the order of a seed, gathered into batches for the device. */
import type { Examples } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import type { ModelSpec } from '../core/modelSpec.ts';

/** One batch's rows, before they are a tensor. */
export interface RowBatch {
  readonly rows: number;
  /** Shape [rows, width]. */
  readonly inputs: Float32Array;
  /** Shape [rows]. */
  readonly labels: Int32Array;
}

/** @throws HushError `engine/shape` when the examples do not fit the model, or each other. */
export function checkExamples(examples: Examples, spec: ModelSpec): void {
  const { count, width, inputs, labels } = examples;
  const wrong = (what: string, got: number, expected: string): never => {
    throw new HushError('engine/shape', `The examples' ${what} is ${got}, expected ${expected}.`);
  };
  if (width !== spec.inputs) wrong('width', width, `the model's ${spec.inputs} inputs`);
  if (inputs.length !== count * width) wrong('number of values', inputs.length, `${count} times ${width}`);
  if (labels.length !== count) wrong('number of labels', labels.length, `${count}`);
  const label = labels.find((label) => label < 0 || label >= spec.outputs);
  if (label !== undefined) wrong('label', label, `0 to ${spec.outputs - 1}`);
}

/** How many whole batches an epoch has; one when there are fewer examples than a batch holds. */
export function batchesPerEpoch(count: number, batchSize: number): number {
  return Math.max(1, Math.floor(count / batchSize));
}

/**
 * Copies `rows` out of `examples`. Always into new arrays: a backend may keep them until it uploads them, several steps
 * later.
 */
export function gatherRows(examples: Examples, rows: Uint32Array): RowBatch {
  const { width, inputs, inputScale, labels } = examples;
  const gathered = new Float32Array(rows.length * width);
  const classes = new Int32Array(rows.length);
  let to = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0;
    classes[i] = labels[row] ?? 0;
    const end = (row + 1) * width;
    for (let from = row * width; from < end; from++) gathered[to++] = (inputs[from] ?? 0) * inputScale;
  }
  return { rows: rows.length, inputs: gathered, labels: classes };
}
