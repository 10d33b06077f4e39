/** Rows of examples in the order of a seed, gathered into batches for the device. */
import type { Examples } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import { sizeOf } from '../core/layerShapes.ts';
import type { PlacedNetwork } from '../core/layerShapes.ts';

/** One batch's rows, before they are a tensor. */
export interface RowBatch {
  readonly rows: number;
  /** Shape [rows, ...input]; integers where the network takes tokens. */
  readonly inputs: Float32Array | Int32Array;
  /** Shape [rows, targets]; integers where they are classes. */
  readonly targets: Float32Array | Int32Array;
}

/** @throws HushError `engine/shape` when the examples do not fit the network, or each other. */
export function checkExamples(examples: Examples, placed: PlacedNetwork): void {
  const { count, width, inputs, inputScale, labels, labelWidth = 1 } = examples;
  const wrong = (what: string, got: number, expected: string): never => {
    throw new HushError('engine/shape', `The examples' ${what} is ${got}, expected ${expected}.`);
  };
  const size = sizeOf(placed.input);
  if (width !== size) wrong('width', width, `the model's ${size} inputs`);
  if (labelWidth !== placed.targets) wrong('number of targets', labelWidth, `the model's ${placed.targets}`);
  if (inputs.length !== count * width) wrong('number of values', inputs.length, `${count} times ${width}`);
  if (labels.length !== count * labelWidth) wrong('number of labels', labels.length, `${count} times ${labelWidth}`);
  const { input, loss } = placed.network;
  if (input.kind === 'tokens') {
    if (inputScale !== 1) wrong('scale', inputScale, '1 for tokens');
    const token = inputs.find((token) => !isIndex(token, input.vocabulary));
    if (token !== undefined) wrong('token', token, `0 to ${input.vocabulary - 1}`);
  }
  const [fits, expected] = labelRule(loss, placed.output.at(-1) ?? 1);
  const label = labels.find((label) => !fits(label));
  if (label !== undefined) wrong('label', label, expected);
}

function labelRule(loss: PlacedNetwork['network']['loss'], classes: number): [(label: number) => boolean, string] {
  switch (loss) {
    case 'softmax-cross-entropy':
      return [(label) => isIndex(label, classes), `0 to ${classes - 1}`];
    case 'binary-cross-entropy':
      return [(label) => label >= 0 && label <= 1, 'a number from 0 to 1'];
    case 'mean-squared-error':
      return [Number.isFinite, 'a number'];
    default:
      return loss satisfies never;
  }
}

function isIndex(value: number, limit: number): boolean {
  return value >= 0 && value < limit && Number.isInteger(value);
}

/** How many whole batches an epoch has; one when there are fewer examples than a batch holds. */
export function batchesPerEpoch(count: number, batchSize: number): number {
  return Math.max(1, Math.floor(count / batchSize));
}

/**
 * Copies `rows` out of `examples`. Always into new arrays: a backend may keep them until it uploads them, several steps
 * later.
 */
export function gatherRows(examples: Examples, placed: PlacedNetwork, rows: Uint32Array): RowBatch {
  const { width, inputs, inputScale, labels, labelWidth = 1 } = examples;
  const { input, loss } = placed.network;
  const gathered = new (input.kind === 'tokens' ? Int32Array : Float32Array)(rows.length * width);
  const targets = new (loss === 'softmax-cross-entropy' ? Int32Array : Float32Array)(rows.length * labelWidth);
  let to = 0;
  let target = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0;
    const end = (row + 1) * width;
    for (let from = row * width; from < end; from++) gathered[to++] = (inputs[from] ?? 0) * inputScale;
    const last = (row + 1) * labelWidth;
    for (let from = row * labelWidth; from < last; from++) targets[target++] = labels[from] ?? 0;
  }
  return { rows: rows.length, inputs: gathered, targets };
}
