/** Layers that slide a window over each channel by itself: pooling and depthwise convolution. */
import type { Tensor } from './arena.ts';
import type { Build } from './build.ts';
import { slideOf } from './operands.ts';
import type { Slide } from './operands.ts';
import { reduction } from './reduction.ts';
import type { Unit } from './units.ts';
import { gradientTail, gradientTensors } from './values.ts';

/** What `i`, a value of an image [height, width, channels] of the batch, stands for. */
function placeOf(height: number, width: number, channels: number): string {
  return `let channel = i % ${channels}u;
let x = i / ${channels}u % ${width}u;
let y = i / ${channels * width}u % ${height}u;
let place = i / ${channels * width * height}u;`;
}

/** Runs `body` for each pixel (py, px) of the window at (y, x) that is in the image, with its tap (th, tw). */
function overWindow({ height, width, window, strides, before }: Slide, body: string): string {
  return `for (var th = 0u; th < ${window[0]}u; th++) {
  let py = y * ${strides[0]}u + th - ${before[0]}u;
  if (py >= ${height}u) { continue; }
  for (var tw = 0u; tw < ${window[1]}u; tw++) {
    let px = x * ${strides[1]}u + tw - ${before[1]}u;
    if (px >= ${width}u) { continue; }
    ${body}
  }
}`;
}

/** Runs `body` for each window (wy, wx) over the pixel (y, x), with the pixel's tap (th, tw) in it. */
function overWindows({ outHeight, outWidth, window, strides, before }: Slide, body: string): string {
  const along = (axis: 0 | 1, at: string, tap: string, out: string, size: number): string => `
  let ${tap}From = ${at} + ${before[axis]}u;
  if (${tap}From < ${tap} || (${tap}From - ${tap}) % ${strides[axis]}u != 0u) { continue; }
  let ${out} = (${tap}From - ${tap}) / ${strides[axis]}u;
  if (${out} >= ${size}u) { continue; }`;
  return `for (var th = 0u; th < ${window[0]}u; th++) { ${along(0, 'y', 'th', 'wy', outHeight)}
  for (var tw = 0u; tw < ${window[1]}u; tw++) { ${along(1, 'x', 'tw', 'wx', outWidth)}
    ${body}
  }
}`;
}

type Kind = 'maxPool2d' | 'averagePool2d' | 'depthwiseConv2d';

interface Windowed {
  readonly kind: Kind;
  readonly slide: Slide;
  readonly channels: number;
  readonly multiplier: number;
}

function windowed({ layer: placed }: Unit): Windowed {
  const { layer } = placed;
  const channels = placed.output.at(-1) ?? 1;
  switch (layer.kind) {
    case 'maxPool2d':
    case 'averagePool2d':
      return {
        kind: layer.kind,
        slide: slideOf(placed, layer.poolSize, layer.strides, layer.padding),
        channels,
        multiplier: 1,
      };
    case 'depthwiseConv2d': {
      const slide = slideOf(placed, layer.kernelSize, layer.strides, layer.padding);
      return { kind: layer.kind, slide, channels, multiplier: layer.depthMultiplier };
    }
    default:
      throw new RangeError(`${layer.kind} has no window`);
  }
}

/** Which pixel a maximum came from, as its tap; kept from the forward pass. */
function chosenOf(build: Build, unit: Unit): Tensor {
  return build.kept(`maxima of ${unit.index}`, build.rows * unit.size);
}

export function forward(build: Build, unit: Unit): void {
  const { kind, slide, channels, multiplier } = windowed(unit);
  const reader = build.reader(unit.input);
  const count = build.rows * unit.size;
  const keeps = kind === 'maxPool2d' && build.training;
  const maxima = keeps ? [chosenOf(build, unit)] : [];
  const value = (): string =>
    reader.one(`base + (py * ${slide.width}u + px) * ${slide.channels}u + channel / ${multiplier}u`);
  build.add(
    build.elementwise(
      `${kind} ${unit.index}`,
      count,
      [...reader.tensors, ...build.tailTensors(unit), ...maxima],
      () => ({
        declarations: build.tail(1, unit),
        body: `${placeOf(slide.outHeight, slide.outWidth, channels)}
let base = ${reader.base('place')};
${forwardSum(unit, kind, slide, value(), maxima[0])}`,
      }),
    ),
  );
}

function forwardSum(unit: Unit, kind: Kind, slide: Slide, value: string, maxima: Tensor | undefined): string {
  switch (kind) {
    case 'maxPool2d':
      return `var best = -3.4e38; var tap = 0u;
${overWindow(slide, `let v = ${value}; if (v > best) { best = v; tap = th * ${slide.window[1]}u + tw; }`)}
${maxima ? `arena[${maxima.offset}u + i] = f32(tap);` : ''}
finish(i, best);`;
    case 'averagePool2d':
      return `var sum = 0.0; var count = 0.0;
${overWindow(slide, `sum += ${value}; count += 1.0;`)}
finish(i, sum / count);`;
    case 'depthwiseConv2d': {
      const [kernel, bias] = unit.layer.blocks;
      return `var sum = ${bias ? `params[${bias.offset}u + channel]` : '0.0'};
${overWindow(slide, `sum += ${value} * params[${kernel?.offset ?? 0}u + (th * ${slide.window[1]}u + tw) * ${unit.channels}u + channel];`)}
finish(i, sum);`;
    }
    default:
      return kind satisfies never;
  }
}

export function backward(build: Build, unit: Unit, gradient: Tensor): void {
  const { kind, slide, channels, multiplier } = windowed(unit);
  build.flow(unit.input, (tail) => {
    const maxima = kind === 'maxPool2d' ? [chosenOf(build, unit)] : [];
    const count = build.rows * slide.height * slide.width * slide.channels;
    return build.elementwise(
      `${kind} ${unit.index} input`,
      count,
      [gradient, ...maxima, ...gradientTensors(tail)],
      () => ({
        declarations: gradientTail(1, tail),
        body: `${placeOf(slide.height, slide.width, slide.channels)}
let base = (place * ${slide.outHeight * slide.outWidth}u) * ${channels}u + channel * ${multiplier}u;
var sum = 0.0;
${overWindows(slide, `let w = base + (wy * ${slide.outWidth}u + wx) * ${channels}u; ${backwardShare(unit, kind, slide, multiplier, gradient, maxima[0])}`)}
finish(i, sum);`,
      }),
    );
  });
  if (kind === 'depthwiseConv2d') build.add(depthwiseKernelGradient(build, unit, slide, multiplier, gradient));
}

function backwardShare(
  unit: Unit,
  kind: Kind,
  slide: Slide,
  multiplier: number,
  gradient: Tensor,
  maxima: Tensor | undefined,
): string {
  const dz = `arena[${gradient.offset}u + w`;
  switch (kind) {
    case 'maxPool2d':
      return `if (u32(arena[${maxima?.offset ?? 0}u + w]) == th * ${slide.window[1]}u + tw) { sum += ${dz}]; }`;
    case 'averagePool2d': {
      const covered = (axis: 0 | 1, at: string, size: number): string =>
        `f32(min(${at} * ${slide.strides[axis]}u + ${slide.window[axis]}u, ${size + slide.before[axis]}u) - max(${at} * ${slide.strides[axis]}u, ${slide.before[axis]}u))`;
      return `sum += ${dz}] / (${covered(0, 'wy', slide.height)} * ${covered(1, 'wx', slide.width)});`;
    }
    case 'depthwiseConv2d':
      return `let k = ${unit.layer.blocks[0]?.offset ?? 0}u + (th * ${slide.window[1]}u + tw) * ${unit.channels}u + channel * ${multiplier}u;
for (var q = 0u; q < ${multiplier}u; q++) { sum += ${dz} + q] * params[k + q]; }`;
    default:
      return kind satisfies never;
  }
}

/** Of kernel and bias, which lie beside each other: the bias is one more tap, of an image of ones. */
function depthwiseKernelGradient(build: Build, unit: Unit, slide: Slide, multiplier: number, gradient: Tensor) {
  const [kernel, bias] = unit.layer.blocks;
  const reader = build.reader(unit.input);
  const taps = slide.window[0] * slide.window[1];
  const { channels } = unit;
  const area = slide.outHeight * slide.outWidth;
  return reduction({
    label: `${unit.layer.layer.kind} ${unit.index} kernel`,
    outputs: (bias ? taps + 1 : taps) * channels,
    length: build.rows * area,
    sums: 1,
    tensors: [...reader.tensors, gradient],
    code: () => ({
      declarations: build.learn(1),
      before: `let channel = o % ${channels}u;
let tap = o / ${channels}u;
let th = tap / ${slide.window[1]}u;
let tw = tap % ${slide.window[1]}u;`,
      add: `let y = r % ${area}u / ${slide.outWidth}u * ${slide.strides[0]}u + th - ${slide.before[0]}u;
let x = r % ${slide.outWidth}u * ${slide.strides[1]}u + tw - ${slide.before[1]}u;
let g = arena[${gradient.offset}u + r * ${channels}u + channel];
if (tap == ${taps}u) { s0 += g; }
else if (y < ${slide.height}u && x < ${slide.width}u) {
  let base = ${reader.base(`r / ${area}u`)};
  s0 += g * ${reader.one(`base + (y * ${slide.width}u + x) * ${slide.channels}u + channel / ${multiplier}u`)};
}`,
      finish: `learn(${kernel?.offset ?? 0}u + o, s0);`,
    }),
  });
}
