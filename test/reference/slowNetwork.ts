/** A network by its definition: forward and loss in float64, gradients by differences, and the optimizers' rules. */
import type { PlacedNetwork } from '../../src/core/layerShapes.ts';
import type { LocalTraining } from '../../src/core/plan.ts';
import { slowLayer, slowStatistics } from './slowLayers.ts';
import type { Rows, SlowPass, Values } from './slowLayers.ts';

export interface SlowBatch {
  /** One flat row for each example, already scaled. */
  readonly inputs: Rows;
  /** The targets of each example. */
  readonly targets: Rows;
}

/** Output of every layer. */
function outputsOf(placed: PlacedNetwork, parameters: Values, inputs: Rows, pass: SlowPass): readonly Rows[] {
  const outputs: Rows[] = [];
  const at = (index: number): Rows => (index === -1 ? inputs : outputs[index]!);
  for (const layer of placed.layers) {
    const weights = layer.blocks.map(({ offset, length }) => parameters.slice(offset, offset + length));
    const other = layer.layer.kind === 'add' ? at(layer.layer.other) : [];
    outputs.push(slowLayer(layer, at(layer.from), weights, pass, other));
  }
  return outputs;
}

/** The last layer's output, one flat row for each example. */
export function slowOutputs(placed: PlacedNetwork, parameters: Values, inputs: Rows, pass: SlowPass): Rows {
  return outputsOf(placed, parameters, inputs, pass).at(-1)!;
}

/** The loss of each prediction of the batch, and how many predictions are right. */
export function slowFigures(
  placed: PlacedNetwork,
  parameters: Values,
  batch: SlowBatch,
  pass: SlowPass,
): { losses: Values; correct: number } {
  const rows = slowOutputs(placed, parameters, batch.inputs, pass);
  const losses: number[] = [];
  let correct = 0;
  rows.forEach((row, r) => {
    const targets = batch.targets[r]!;
    if (placed.network.loss === 'softmax-cross-entropy') {
      const classes = placed.output.at(-1)!;
      targets.forEach((target, i) => {
        const logits = row.slice(i * classes, (i + 1) * classes);
        const largest = Math.max(...logits);
        const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
        losses.push(largest + Math.log(total) - logits[target]!);
        if (logits.indexOf(largest) === target) correct++;
      });
      return;
    }
    const binary = placed.network.loss === 'binary-cross-entropy';
    const each = row.map((x, i) => {
      const target = targets[i]!;
      return binary ? Math.max(x, 0) - x * target + Math.log1p(Math.exp(-Math.abs(x))) : (x - target) ** 2;
    });
    losses.push(each.reduce((sum, loss) => sum + loss, 0) / each.length);
    if (binary && row.every((x, i) => x > 0 === targets[i]! > 0.5)) correct++;
  });
  return { losses, correct };
}

/** Of the mean loss in training, by central differences; 0 for what is not learned. */
export function slowGradient(placed: PlacedNetwork, parameters: Values, batch: SlowBatch, pass: SlowPass): number[] {
  const step = 1e-5;
  const loss = (i: number, change: number): number => {
    const { losses } = slowFigures(placed, parameters.with(i, parameters[i]! + change), batch, pass);
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  };
  const gradient = parameters.map(() => 0);
  for (const { role, offset, length } of placed.layout.blocks) {
    if (role !== 'learned') continue;
    for (let i = offset; i < offset + length; i++) gradient[i] = (loss(i, step) - loss(i, -step)) / (2 * step);
  }
  return gradient;
}

/** All parameters after one step on each batch; `dropoutKeyOf` gets the step and the layer. */
export function slowTraining(
  placed: PlacedNetwork,
  start: Values,
  batches: readonly SlowBatch[],
  { optimizer, learningRate: rate, fedProxMu, maxGradientNorm }: Omit<LocalTraining, 'batchSize' | 'epochs'>,
  dropoutKeyOf: (step: number, layer: number) => number,
): Values {
  const isLearned = placed.layout.blocks.flatMap(({ role, length }) => Array<boolean>(length).fill(role === 'learned'));
  let parameters = start;
  let first: Values = start.map(() => 0);
  let second = first;
  batches.forEach((batch, step) => {
    const pass: SlowPass = { dropoutKeyOf: (layer) => dropoutKeyOf(step, layer) };
    let gradient: Values = slowGradient(placed, parameters, batch, pass).map((value, i) =>
      isLearned[i] ? value + fedProxMu * (parameters[i]! - start[i]!) : 0,
    );
    const norm = Math.hypot(...gradient);
    const bound = maxGradientNorm ?? Infinity;
    if (norm > bound) gradient = gradient.map((value) => (value * bound) / norm);
    let change: Values = gradient.map((value) => rate * value);
    if (optimizer.kind === 'momentum') {
      first = first.map((value, i) => optimizer.momentum * value + gradient[i]!);
      change = first.map((value) => rate * value);
    }
    if (optimizer.kind === 'adam' || optimizer.kind === 'adamw') {
      first = first.map((value, i) => 0.9 * value + 0.1 * gradient[i]!);
      second = second.map((value, i) => 0.999 * value + 0.001 * gradient[i]! ** 2);
      const decay = optimizer.kind === 'adamw' ? optimizer.weightDecay : 0;
      change = first.map((value, i) => {
        const direction = value / (1 - 0.9 ** (step + 1)) / (Math.sqrt(second[i]! / (1 - 0.999 ** (step + 1))) + 1e-8);
        return rate * (direction + decay * parameters[i]!);
      });
    }
    const statistics = nextStatistics(placed, parameters, batch, pass);
    parameters = parameters.map((value, i) => (isLearned[i] ? value - change[i]! : (statistics.get(i) ?? value)));
  });
  return parameters;
}

/** By index in the flat vector. */
function nextStatistics(placed: PlacedNetwork, parameters: Values, batch: SlowBatch, pass: SlowPass) {
  const next = new Map<number, number>();
  const outputs = outputsOf(placed, parameters, batch.inputs, pass);
  for (const { layer, from, input, blocks } of placed.layers) {
    if (layer.kind !== 'batchNorm' || layer.frozen) continue;
    const moving = blocks.slice(2);
    const old = moving.map(({ offset, length }) => parameters.slice(offset, offset + length));
    const rows = from === -1 ? batch.inputs : outputs[from]!;
    slowStatistics(rows, input.at(-1)!, layer.momentum, old).forEach((values, k) =>
      values.forEach((value, i) => next.set(moving[k]!.offset + i, value)),
    );
  }
  return next;
}

/** Rows of examples, one flat list each. */
export function slowRows(values: ArrayLike<number>, width: number, scale = 1): Rows {
  const all = Array.from(values, (value) => value * scale);
  return Array.from({ length: all.length / width }, (_, i) => all.slice(i * width, (i + 1) * width));
}
