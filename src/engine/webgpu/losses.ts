/** What a batch costs, how much of it is right, and the gradient of the network's output. */
import { MAX_SAMPLE_LOSS } from '../../core/figures.ts';
import type { Tensor } from './arena.ts';
import type { Build } from './build.ts';
import type { Unit } from './units.ts';
import { isPlain } from './units.ts';
import { gradientTail, gradientTensors, literal } from './values.ts';
import type { GradientTail, Reader } from './values.ts';
import { CONTROL } from './wgsl.ts';
import type { Kernel } from './wgsl.ts';

/** With at most so many classes the last dense layer and its softmax are one dispatch. */
const MAX_FUSED_CLASSES = 32;
const FUSED_SIZE = 32;

interface Shape {
  /** Predictions of an example, and values of one. */
  readonly predictions: number;
  readonly values: number;
  /** Predictions of a batch. */
  readonly count: number;
  /** 1 / (rows · targets): what one target's share of the mean loss is. */
  readonly share: string;
}

function shapeOf(build: Build): Shape {
  const { predictions, targets, output } = build.units.placed;
  const size = output.reduce((product, length) => product * length, 1);
  return {
    predictions,
    values: size / predictions,
    count: build.rows * predictions,
    share: literal(1 / (build.rows * targets)),
  };
}

/**
 * WGSL `fn tally(slot, loss, output, hit)`: adds a prediction of the batch to the figures. What is no number is looked for in
 * the output's own bits, since comparisons and maxima may have made a number of it on the way to the loss.
 */
function tally(build: Build, { predictions, count }: Shape): string {
  const { figures, countFrom, broken } = CONTROL;
  const counts = build.training
    ? `stepNumber() >= control[${countFrom}]`
    : `batchAt + slot / ${predictions}u < control[${CONTROL.count}]`;
  return `fn tally(slot: u32, loss: f32, output: f32, hit: bool) {
  if (((bitcast<u32>(loss) & 0x7f800000u) == 0x7f800000u) || ((bitcast<u32>(output) & 0x7f800000u) == 0x7f800000u)) { control[${broken}] = 1u; }
  if (!(${counts})) { return; }
  control[${figures}u + slot] = bitcast<u32>(setting(${figures}u + slot) + clamp(loss, 0.0, ${literal(MAX_SAMPLE_LOSS)}));
  control[${figures + count}u + slot] += select(0u, 1u, hit);
}`;
}

export function figureWords(build: Build): number {
  return 2 * shapeOf(build).count;
}

/** Whether the network's last layer can be computed together with the loss. */
export function isFusedWithLoss(build: Build, unit: Unit): boolean {
  const { layer } = unit.layer;
  const { units, output, readers, placed } = build.units;
  return (
    unit.index === output &&
    units.length > 1 &&
    // The first dispatch of a step must not be its last.
    unit.input >= 0 &&
    layer.kind === 'dense' &&
    layer.units <= MAX_FUSED_CLASSES &&
    readers[unit.index] === 1 &&
    isPlain(unit) &&
    unit.plus === undefined &&
    placed.network.loss === 'softmax-cross-entropy'
  );
}

export function loss(build: Build): void {
  const { units, output } = build.units;
  const unit = units[output];
  const kernel = (tail: GradientTail | undefined): Kernel =>
    unit && isFusedWithLoss(build, unit) ? fusedLoss(build, unit, tail) : plainLoss(build, tail);
  if (build.wantsGradient(output)) build.flow(output, kernel);
  else build.add(kernel(undefined));
}

/** One invocation for each prediction. */
function plainLoss(build: Build, tail: GradientTail | undefined): Kernel {
  const shape = shapeOf(build);
  const reader = build.reader(build.units.output);
  const { loss } = build.units.placed.network;
  const tensors = [...reader.tensors, ...(tail ? gradientTensors(tail) : [])];
  return build.elementwise(`loss, ${loss}`, shape.count, tensors, () => ({
    declarations: `${tally(build, shape)}\n${tail ? gradientTail(1, tail) : ''}`,
    body: `let at = ${reader.base(`i / ${shape.predictions}u`)} + i % ${shape.predictions}u * ${shape.values}u;
${loss === 'softmax-cross-entropy' ? softmaxBody(shape, reader, tail) : valuesBody(shape, reader, tail, loss)}`,
  }));
}

function softmaxBody({ predictions, values, share }: Shape, reader: Reader, tail: GradientTail | undefined): string {
  const each = (body: string): string =>
    `for (var n = 0u; n < ${values}u; n++) { let z = ${reader.one('at + n')}; ${body} }`;
  return `let label = labels[example(i / ${predictions}u) * ${predictions}u + i % ${predictions}u];
var top = -3.4e38; var best = 0u; var total = 0.0;
${each('if (z > top) { top = z; best = n; }')}
${each('total += exp(z - top);')}
let ofLabel = ${reader.one('at + label')};
tally(i, log(total) + top - ofLabel, ofLabel, best == label);
${tail ? each(`finish(i * ${values}u + n, (exp(z - top) / total - select(0.0, 1.0, n == label)) * ${share});`) : ''}`;
}

function valuesBody(
  { values, share }: Shape,
  reader: Reader,
  tail: GradientTail | undefined,
  loss: 'binary-cross-entropy' | 'mean-squared-error',
): string {
  const binary = loss === 'binary-cross-entropy';
  const cost = binary
    ? 'cost += max(z, 0.0) - z * y + log(1.0 + exp(-abs(z))); hit = hit && ((z > 0.0) == (y > 0.5));'
    : 'cost += (z - y) * (z - y);';
  const slope = binary ? '1.0 / (1.0 + exp(-z)) - y' : '2.0 * (z - y)';
  return `let wanted = example(i) * ${values}u;
var cost = 0.0;
var hit = ${binary};
for (var n = 0u; n < ${values}u; n++) {
  let z = ${reader.one('at + n')};
  let y = bitcast<f32>(labels[wanted + n]);
  ${cost}
  ${tail ? `finish(i * ${values}u + n, (${slope}) * ${share});` : ''}
}
tally(i, cost / ${values}.0, ${reader.one('at')}, hit);`;
}

/** A workgroup for each prediction: few products, so the sums are cut among its invocations. */
function fusedLoss(build: Build, unit: Unit, tail: GradientTail | undefined): Kernel {
  const shape = shapeOf(build);
  const { values, predictions } = shape;
  const inputs = unit.layer.input.at(-1) ?? 1;
  const [kernel, bias] = unit.layer.blocks;
  const reader = build.reader(unit.input);
  const slices = Math.floor(FUSED_SIZE / values);
  const tensors: Tensor[] = [...reader.tensors, ...(tail ? gradientTensors(tail) : [])];
  return {
    label: `dense ${unit.index} and loss`,
    workgroups: shape.count,
    workgroupSize: FUSED_SIZE,
    tensors,
    code: () => ({
      declarations: `var<workgroup> shares: array<f32, ${FUSED_SIZE}>;
var<workgroup> logits: array<f32, ${values}>;
${tally(build, shape)}
${tail ? gradientTail(1, tail) : ''}`,
      body: `let n = local % ${values}u;
let slice = local / ${values}u;
let at = ${reader.base('0u')} + group * ${inputs}u;
var sum = 0.0;
if (slice < ${slices}u) {
  for (var k = slice; k < ${inputs}u; k += ${slices}u) { sum += arena[at + k] * params[${kernel?.offset ?? 0}u + k * ${values}u + n]; }
}
shares[local] = sum;
workgroupBarrier();
if (local < ${values}u) {
  ${bias ? `sum += params[${bias.offset}u + n];` : ''}
  for (var s = 1u; s < ${slices}u; s++) { sum += shares[s * ${values}u + n]; }
  logits[n] = sum;
}
workgroupBarrier();
if (local >= ${values}u) { return; }
let label = labels[example(group / ${predictions}u) * ${predictions}u + group % ${predictions}u];
var top = -3.4e38; var best = 0u; var total = 0.0;
for (var j = 0u; j < ${values}u; j++) { if (logits[j] > top) { top = logits[j]; best = j; } }
for (var j = 0u; j < ${values}u; j++) { total += exp(logits[j] - top); }
if (local == 0u) { tally(group, log(total) + top - logits[label], logits[label], best == label); }
${tail ? `finish(group * ${values}u + n, (exp(sum - top) / total - select(0.0, 1.0, n == label)) * ${shape.share});` : ''}`,
    }),
  };
}
