/** Batch and layer normalisation, forwards and back. */
import type { Tensor } from './arena.ts';
import type { Build } from './build.ts';
import { vectorAt } from './operands.ts';
import { reduction } from './reduction.ts';
import type { Unit } from './units.ts';
import { gradientTail, gradientTensors, literal } from './values.ts';
import type { Reader } from './values.ts';

/** Mean and 1/σ of each channel or each row, beside each other; kept from the forward pass. */
function momentsOf(build: Build, unit: Unit, count: number): Tensor {
  return build.kept(`moments of ${unit.index}`, 2 * count);
}

/** The value of `channel` in vector `r`, and the vectors that the batch has. */
function vectors(
  build: Build,
  unit: Unit,
): { at: (reader: Reader, r: string, channel: string) => string; count: number } {
  const { channels } = unit;
  const places = unit.size / channels;
  return {
    count: build.rows * places,
    at: (reader, r, channel) => reader.one(`${vectorAt(reader, r, places, channels)} + ${channel}`),
  };
}

export function batchNormForward(build: Build, unit: Unit): void {
  const { layer, blocks } = unit.layer;
  if (layer.kind !== 'batchNorm') return;
  const { channels } = unit;
  const [gamma = 0, beta = 0, movingMean = 0, movingVariance = 0] = blocks.map(({ offset }) => offset);
  const reader = build.reader(unit.input);
  const { at, count } = vectors(build, unit);
  const epsilon = literal(layer.epsilon);
  const kept = build.training && !layer.frozen ? [momentsOf(build, unit, channels)] : [];
  const [own] = kept;
  if (own) {
    const move = (offset: number, value: string): string =>
      `params[${offset}u + o] = ${literal(layer.momentum)} * params[${offset}u + o] + ${literal(1 - layer.momentum)} * ${value};`;
    build.add(
      reduction({
        label: `batchNorm ${unit.index} moments`,
        outputs: channels,
        length: count,
        sums: 2,
        tensors: [...reader.tensors, own],
        code: () => ({
          // Around one of the values, so that a mean far from 0 takes no digits from the variance.
          before: `let middle = ${at(reader, '0u', 'o')};`,
          add: `let v = ${at(reader, 'r', 'o')} - middle; s0 += v; s1 += v * v;`,
          finish: `let shift = s0 / ${count}.0;
let mean = ${at(reader, '0u', 'o')} + shift;
let variance = max(s1 / ${count}.0 - shift * shift, 0.0);
arena[${own.offset}u + o] = mean;
arena[${own.offset + channels}u + o] = inverseSqrt(variance + ${epsilon});
${move(movingMean, 'mean')} ${move(movingVariance, 'variance')}`,
        }),
      }),
    );
  }
  build.add(
    build.elementwise(
      `batchNorm ${unit.index}`,
      build.rows * unit.size,
      [...reader.tensors, ...kept, ...build.tailTensors(unit)],
      () => ({
        declarations: build.tail(1, unit),
        body: `let o = i % ${channels}u;
let mean = ${own ? `arena[${own.offset}u + o]` : `params[${movingMean}u + o]`};
let scale = ${own ? `arena[${own.offset + channels}u + o]` : `inverseSqrt(params[${movingVariance}u + o] + ${epsilon})`};
finish(i, (${at(reader, `i / ${channels}u`, 'o')} - mean) * scale * params[${gamma}u + o] + params[${beta}u + o]);`,
      }),
    ),
  );
}

export function batchNormBackward(build: Build, unit: Unit, gradient: Tensor): void {
  const { layer } = unit.layer;
  if (layer.kind !== 'batchNorm') return;
  const { channels } = unit;
  const [gamma = 0, beta = 0, , movingVariance = 0] = unit.layer.blocks.map(({ offset }) => offset);
  if (layer.frozen) {
    // Only a factor for each channel, which does not change.
    const scale = `params[${gamma}u + o] * inverseSqrt(params[${movingVariance}u + o] + ${literal(layer.epsilon)})`;
    build.flow(unit.input, (tail) =>
      build.elementwise(
        `batchNorm ${unit.index} input`,
        build.rows * unit.size,
        [gradient, ...gradientTensors(tail)],
        () => ({
          declarations: gradientTail(1, tail),
          body: `let o = i % ${channels}u; finish(i, ${scale} * arena[${gradient.offset}u + i]);`,
        }),
      ),
    );
    return;
  }
  const reader = build.reader(unit.input);
  const { at, count } = vectors(build, unit);
  const own = momentsOf(build, unit, channels);
  /** For each channel what of its values' gradients the batch's mean and variance take, and γ/σ from before the step. */
  const sums = build.tensor(`sums of ${unit.index}`, 3 * channels);
  build.add(
    reduction({
      label: `batchNorm ${unit.index} weights`,
      outputs: channels,
      length: count,
      sums: 2,
      tensors: [...reader.tensors, own, gradient, sums],
      code: () => ({
        declarations: build.learn(1),
        before: `let mean = arena[${own.offset}u + o]; let scale = arena[${own.offset + channels}u + o];`,
        add: `let g = arena[${gradient.offset}u + r * ${channels}u + o]; s0 += g; s1 += g * (${at(reader, 'r', 'o')} - mean) * scale;`,
        finish: `arena[${sums.offset}u + o] = s0 / ${count}.0;
arena[${sums.offset + channels}u + o] = s1 / ${count}.0;
arena[${sums.offset + 2 * channels}u + o] = params[${gamma}u + o] * arena[${own.offset + channels}u + o];
learn(${beta}u + o, s0);
learn(${gamma}u + o, s1);`,
      }),
    }),
  );
  build.flow(unit.input, (tail) =>
    build.elementwise(
      `batchNorm ${unit.index} input`,
      build.rows * unit.size,
      [...reader.tensors, own, gradient, sums, ...gradientTensors(tail)],
      () => ({
        declarations: gradientTail(1, tail),
        body: `let o = i % ${channels}u;
let v = (${at(reader, `i / ${channels}u`, 'o')} - arena[${own.offset}u + o]) * arena[${own.offset + channels}u + o];
finish(i, arena[${sums.offset + 2 * channels}u + o] * (arena[${gradient.offset}u + i] - arena[${sums.offset}u + o] - v * arena[${sums.offset + channels}u + o]));`,
      }),
    ),
  );
}

export function layerNormForward(build: Build, unit: Unit): void {
  const { layer, blocks } = unit.layer;
  if (layer.kind !== 'layerNorm') return;
  const { channels } = unit;
  const [gamma = 0, beta = 0] = blocks.map(({ offset }) => offset);
  const reader = build.reader(unit.input);
  const { at, count } = vectors(build, unit);
  const kept = build.training ? [momentsOf(build, unit, count)] : [];
  const [own] = kept;
  build.add(
    build.elementwise(
      `layerNorm ${unit.index}`,
      count,
      [...reader.tensors, ...kept, ...build.tailTensors(unit)],
      () => ({
        declarations: build.tail(1, unit),
        body: `var mean = 0.0;
for (var c = 0u; c < ${channels}u; c++) { mean += ${at(reader, 'i', 'c')}; }
mean /= ${channels}.0;
var variance = 0.0;
for (var c = 0u; c < ${channels}u; c++) { let v = ${at(reader, 'i', 'c')} - mean; variance += v * v; }
let scale = inverseSqrt(variance / ${channels}.0 + ${literal(layer.epsilon)});
${own ? `arena[${own.offset}u + i] = mean; arena[${own.offset + count}u + i] = scale;` : ''}
for (var c = 0u; c < ${channels}u; c++) {
  finish(i * ${channels}u + c, (${at(reader, 'i', 'c')} - mean) * scale * params[${gamma}u + c] + params[${beta}u + c]);
}`,
      }),
    ),
  );
}

export function layerNormBackward(build: Build, unit: Unit, gradient: Tensor): void {
  const { channels } = unit;
  const [gamma = 0, beta = 0] = unit.layer.blocks.map(({ offset }) => offset);
  const reader = build.reader(unit.input);
  const { at, count } = vectors(build, unit);
  const own = momentsOf(build, unit, count);
  const g = `arena[row + c] * params[${gamma}u + c]`;
  build.flow(unit.input, (tail) =>
    build.elementwise(
      `layerNorm ${unit.index} input`,
      count,
      [...reader.tensors, own, gradient, ...gradientTensors(tail)],
      () => ({
        declarations: gradientTail(1, tail),
        body: `let row = ${gradient.offset}u + i * ${channels}u;
let mean = arena[${own.offset}u + i];
let scale = arena[${own.offset + count}u + i];
var first = 0.0;
var second = 0.0;
for (var c = 0u; c < ${channels}u; c++) { let g = ${g}; first += g; second += g * (${at(reader, 'i', 'c')} - mean) * scale; }
first /= ${channels}.0;
second /= ${channels}.0;
for (var c = 0u; c < ${channels}u; c++) {
  finish(i * ${channels}u + c, scale * (${g} - first - (${at(reader, 'i', 'c')} - mean) * scale * second));
}`,
      }),
    ),
  );
  build.add(
    reduction({
      label: `layerNorm ${unit.index} weights`,
      outputs: channels,
      length: count,
      sums: 2,
      tensors: [...reader.tensors, own, gradient],
      code: () => ({
        declarations: build.learn(1),
        add: `let g = arena[${gradient.offset}u + r * ${channels}u + o]; s0 += g; s1 += g * (${at(reader, 'r', 'o')} - arena[${own.offset}u + r]) * arena[${own.offset + count}u + r];`,
        finish: `learn(${beta}u + o, s0); learn(${gamma}u + o, s1);`,
      }),
    }),
  );
}
