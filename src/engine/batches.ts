/** Rows of examples, in the order of a seed or one after the other, gathered into batches for the device. */
import type { Examples } from '../core/dataset.ts';
import type { TrainingControl } from '../core/engine.ts';
import { HushError } from '../core/errors.ts';
import { sizeOf } from '../core/layerShapes.ts';
import type { PlacedNetwork } from '../core/layerShapes.ts';
import { turn } from './turn.ts';

/** After so long a thread that does not wait for a device lets messages in. */
export const TURN_EVERY_MS = 50;

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
  const { count, labels, labelWidth = 1 } = examples;
  checkInputs(examples, placed);
  if (labelWidth !== placed.targets) wrong('number of targets', labelWidth, `the model's ${placed.targets}`);
  if (labels.length !== count * labelWidth) wrong('number of labels', labels.length, `${count} times ${labelWidth}`);
  const [fits, expected] = labelRule(placed.network.loss, placed.output.at(-1) ?? 1);
  const label = labels.find((label) => !fits(label));
  if (label !== undefined) wrong('label', label, expected);
}

/** As `checkExamples`, whatever the labels are. */
export function checkInputs({ count, width, inputs, inputScale }: Examples, placed: PlacedNetwork): void {
  const size = sizeOf(placed.input);
  if (width !== size) wrong('width', width, `the model's ${size} inputs`);
  if (inputs.length !== count * width) wrong('number of values', inputs.length, `${count} times ${width}`);
  const { input } = placed.network;
  if (input.kind !== 'tokens') return;
  if (inputScale !== 1) wrong('scale', inputScale, '1 for tokens');
  const token = inputs.find((token) => !isIndex(token, input.vocabulary));
  if (token !== undefined) wrong('token', token, `0 to ${input.vocabulary - 1}`);
}

function wrong(what: string, got: number, expected: string): never {
  throw new HushError('engine/shape', `The examples' ${what} is ${got}, expected ${expected}.`);
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

/** The rows of all `count` examples in turn, at most `most` at once; proceeds, and lets messages in, between them. */
export async function* rowsInTurn(
  count: number,
  most: number,
  control?: TrainingControl,
  settle?: () => Promise<void>,
): AsyncGenerator<Uint32Array, void, undefined> {
  let turnAtMs = performance.now() + TURN_EVERY_MS;
  for (let from = 0; from < count; from += most) {
    const wait = control?.proceed(settle);
    if (wait) await wait;
    yield Uint32Array.from({ length: Math.min(most, count - from) }, (_, i) => from + i);
    if (performance.now() < turnAtMs) continue;
    await turn();
    turnAtMs = performance.now() + TURN_EVERY_MS;
  }
}

/**
 * Copies `rows` out of `examples`. Always into new arrays: a backend may keep them until it uploads them, several steps
 * later.
 */
export function gatherRows(examples: Examples, placed: PlacedNetwork, rows: Uint32Array): RowBatch {
  const { labels, labelWidth = 1 } = examples;
  const { loss } = placed.network;
  const targets = new (loss === 'softmax-cross-entropy' ? Int32Array : Float32Array)(rows.length * labelWidth);
  let target = 0;
  for (const row of rows) {
    const last = (row + 1) * labelWidth;
    for (let from = row * labelWidth; from < last; from++) targets[target++] = labels[from] ?? 0;
  }
  return { rows: rows.length, inputs: gatherInputs(examples, placed, rows), targets };
}

/** As `gatherRows`, of the inputs alone. */
export function gatherInputs(examples: Examples, { network }: PlacedNetwork, rows: Uint32Array): RowBatch['inputs'] {
  const { width, inputs, inputScale } = examples;
  const gathered = new (network.input.kind === 'tokens' ? Int32Array : Float32Array)(rows.length * width);
  let to = 0;
  for (const row of rows) {
    const end = (row + 1) * width;
    for (let from = row * width; from < end; from++) gathered[to++] = (inputs[from] ?? 0) * inputScale;
  }
  return gathered;
}
