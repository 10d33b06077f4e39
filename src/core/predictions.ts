/** From what a model puts out to the figures of it: loss and hits as figures.ts defines them, and what is counted. */
import { countsOf, MAX_VALUE } from './counts.ts';
import type { Counts } from './counts.ts';
import type { Examples } from './dataset.ts';
import type { Loss } from './network.ts';
import type { PartFigures } from './figures.ts';

/**
 * `outputs`, before any softmax or sigmoid, has `width` values for each prediction: logits with softmax cross-entropy, where
 * `labels` has a class for each, otherwise one for each label. `kind` says what is counted besides. Losses are not
 * finite where outputs are not.
 */
export function figuresOf(
  loss: Loss,
  outputs: Float32Array,
  width: number,
  { labels }: Pick<Examples, 'labels'>,
  kind?: Counts['kind'],
): PartFigures {
  const samples = outputs.length / width;
  const hitsOf = loss === 'softmax-cross-entropy' ? classes : loss === 'binary-cross-entropy' ? binary : values;
  // One logit says which of two classes it is.
  const classCount = loss === 'binary-cross-entropy' ? 2 : width;
  const amounts = new Float64Array(kind === 'classes' ? classCount ** 2 : kind === 'values' ? 5 : 0);
  let [lossSum, correct] = [0, 0];
  for (let row = 0; row < samples; row++) {
    const of = hitsOf(outputs, row * width, width, labels, row);
    lossSum += of.loss;
    correct += of.hit ? 1 : 0;
    if (kind === 'classes') count(amounts, (labels[row] ?? 0) * classCount + of.predicted, 1);
    if (kind === 'values') addValue(amounts, outputs[row] ?? 0, labels[row] ?? 0);
  }
  const figures = { lossSum, correct, samples };
  return kind === undefined ? figures : { ...figures, counts: countsOf(kind, [...amounts]) };
}

interface Prediction {
  readonly loss: number;
  readonly hit: boolean;
  /** The class of the largest logit, the first of several; with binary cross-entropy whether the first is above 0. */
  readonly predicted: number;
}

type Labels = Examples['labels'];

function classes(outputs: Float32Array, from: number, width: number, labels: Labels, row: number): Prediction {
  let predicted = 0;
  for (let i = 1; i < width; i++) if ((outputs[from + i] ?? 0) > (outputs[from + predicted] ?? 0)) predicted = i;
  const largest = outputs[from + predicted] ?? 0;
  let total = 0;
  for (let i = 0; i < width; i++) total += Math.exp((outputs[from + i] ?? 0) - largest);
  const label = labels[row] ?? 0;
  return { loss: largest + Math.log(total) - (outputs[from + label] ?? 0), hit: predicted === label, predicted };
}

function binary(outputs: Float32Array, from: number, width: number, labels: Labels): Prediction {
  let [loss, hit] = [0, true];
  for (let i = from; i < from + width; i++) {
    const [logit, label] = [outputs[i] ?? 0, labels[i] ?? 0];
    loss += Math.max(logit, 0) - logit * label + Math.log1p(Math.exp(-Math.abs(logit)));
    hit &&= logit > 0 === label > 0.5;
  }
  return { loss: loss / width, hit, predicted: (outputs[from] ?? 0) > 0 ? 1 : 0 };
}

function values(outputs: Float32Array, from: number, width: number, labels: Labels): Prediction {
  let loss = 0;
  for (let i = from; i < from + width; i++) loss += ((outputs[i] ?? 0) - (labels[i] ?? 0)) ** 2;
  return { loss: loss / width, hit: false, predicted: 0 };
}

/** As `amountsOf` in counts.ts has them. */
function addValue(amounts: Float64Array, output: number, label: number): void {
  const error = bounded(Math.abs(output - label));
  const target = bounded(label);
  count(amounts, 0, error);
  count(amounts, 1, error * error);
  count(amounts, target > 0 ? 2 : 3, Math.abs(target));
  count(amounts, 4, target * target);
}

function bounded(value: number): number {
  return Math.max(-MAX_VALUE, Math.min(MAX_VALUE, value));
}

function count(amounts: Float64Array, at: number, by: number): void {
  amounts[at] = (amounts[at] ?? 0) + by;
}
