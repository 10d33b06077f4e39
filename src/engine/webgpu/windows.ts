/** Layers that slide a window over each channel by itself: pooling and depthwise convolution. */
import type { Tensor } from './arena.ts';
import type { Build } from './build.ts';
import { slideOf } from './operands.ts';
import type { Slide } from './operands.ts';
import { reduction } from './reduction.ts';
import type { Unit } from './units.ts';
import { gradientTail, gradientTensors, load, store, typeOf } from './values.ts';
import type { Reader, Width } from './values.ts';

/** What `i`, a value of an image [height, width, channels] of the batch, stands for. */
function placeOf(height: number, width: number, channels: number, lanes: Width): string {
  return `let v = i * ${lanes}u;
let channel = v % ${channels}u;
let pixel = v / ${channels}u;
let x = pixel % ${width}u;
let y = pixel / ${width}u % ${height}u;
let place = pixel / ${width * height}u;`;
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
  if (window[0] === strides[0] && window[1] === strides[1]) {
    // Windows lie beside each other, so there is one at most.
    return `let py = y + ${before[0]}u; let px = x + ${before[1]}u;
let wy = py / ${window[0]}u; let wx = px / ${window[1]}u;
let th = py - wy * ${window[0]}u; let tw = px - wx * ${window[1]}u;
if (wy < ${outHeight}u && wx < ${outWidth}u) { ${body} }`;
  }
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
  /** Channels that an invocation works on. */
  readonly lanes: Width;
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
        lanes: channels % 4 === 0 ? 4 : 1,
      };
    case 'depthwiseConv2d': {
      const slide = slideOf(placed, layer.kernelSize, layer.strides, layer.padding);
      const { depthMultiplier: multiplier } = layer;
      return { kind: layer.kind, slide, channels, multiplier, lanes: multiplier === 1 && channels % 4 === 0 ? 4 : 1 };
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
  const sizes = windowed(unit);
  const { kind, slide, channels, lanes } = sizes;
  const reader = build.reader(unit.input);
  const keeps = kind === 'maxPool2d' && build.training;
  const maxima = keeps ? [chosenOf(build, unit)] : [];
  const tensors = [...reader.tensors, ...build.tailTensors(unit), ...maxima];
  build.add(
    build.elementwise(`${kind} ${unit.index}`, (build.rows * unit.size) / lanes, tensors, () => ({
      declarations: build.tail(lanes, unit),
      body: `${placeOf(slide.outHeight, slide.outWidth, channels, lanes)}
let base = ${reader.base('place')};
${forwardSum(unit, sizes, reader, maxima[0])}`,
    })),
  );
}

function forwardSum(unit: Unit, sizes: Windowed, reader: Reader, maxima: Tensor | undefined): string {
  const { kind, slide, multiplier, lanes } = sizes;
  const type = typeOf(lanes);
  const address = `base + (py * ${slide.width}u + px) * ${slide.channels}u + channel${multiplier === 1 ? '' : ` / ${multiplier}u`}`;
  const value = lanes === 1 ? reader.one(address) : reader.four(address, true);
  const tap = `th * ${slide.window[1]}u + tw`;
  switch (kind) {
    case 'maxPool2d':
      return `var best = ${type}(-3.4e38); var taps = ${type}();
${overWindow(slide, `let value = ${value}; taps = select(taps, ${type}(f32(${tap})), value > best); best = max(best, value);`)}
${maxima ? store(lanes, 'arena', `${maxima.offset}u + v`, 'taps') : ''}
finish(v, best);`;
    case 'averagePool2d':
      return `var sum = ${type}(); var count = 0.0;
${overWindow(slide, `sum += ${value}; count += 1.0;`)}
finish(v, sum / count);`;
    case 'depthwiseConv2d': {
      const [kernel, bias] = unit.layer.blocks;
      const factor = load(lanes, 'params', `${kernel?.offset ?? 0}u + (${tap}) * ${unit.channels}u + channel`);
      return `var sum = ${bias ? load(lanes, 'params', `${bias.offset}u + channel`) : `${type}()`};
${overWindow(slide, `sum += ${value} * ${factor};`)}
finish(v, sum);`;
    }
    default:
      return kind satisfies never;
  }
}

export function backward(build: Build, unit: Unit, gradient: Tensor): void {
  const sizes = windowed(unit);
  const { kind, slide, channels, multiplier, lanes } = sizes;
  build.flow(unit.input, (tail) => {
    const maxima = kind === 'maxPool2d' ? [chosenOf(build, unit)] : [];
    const count = (build.rows * slide.height * slide.width * slide.channels) / lanes;
    const tensors = [gradient, ...maxima, ...gradientTensors(tail)];
    return build.elementwise(`${kind} ${unit.index} input`, count, tensors, () => ({
      declarations: gradientTail(lanes, tail),
      body: `${placeOf(slide.height, slide.width, slide.channels, lanes)}
let base = place * ${slide.outHeight * slide.outWidth * channels}u + channel * ${multiplier}u;
var sum = ${typeOf(lanes)}();
${overWindows(slide, `let w = base + (wy * ${slide.outWidth}u + wx) * ${channels}u; ${backwardShare(unit, sizes, gradient, maxima[0])}`)}
finish(v, sum);`,
    }));
  });
  if (kind === 'depthwiseConv2d') build.add(depthwiseKernelGradient(build, unit, slide, multiplier, gradient));
}

function backwardShare(unit: Unit, sizes: Windowed, gradient: Tensor, maxima: Tensor | undefined): string {
  const { kind, slide, multiplier, lanes } = sizes;
  const type = typeOf(lanes);
  const tap = `th * ${slide.window[1]}u + tw`;
  const share = load(lanes, 'arena', `${gradient.offset}u + w`);
  switch (kind) {
    case 'maxPool2d':
      return `let taps = ${load(lanes, 'arena', `${maxima?.offset ?? 0}u + w`)};
sum += select(${type}(), ${share}, taps == ${type}(f32(${tap})));`;
    case 'averagePool2d': {
      const covered = (axis: 0 | 1, at: string, size: number): string =>
        `f32(min(${at} * ${slide.strides[axis]}u + ${slide.window[axis]}u, ${size + slide.before[axis]}u) - max(${at} * ${slide.strides[axis]}u, ${slide.before[axis]}u))`;
      return `sum += ${share} / (${covered(0, 'wy', slide.height)} * ${covered(1, 'wx', slide.width)});`;
    }
    case 'depthwiseConv2d': {
      const kernel = `${unit.layer.blocks[0]?.offset ?? 0}u + (${tap}) * ${unit.channels}u + channel * ${multiplier}u`;
      if (multiplier === 1) return `sum += ${share} * ${load(lanes, 'params', kernel)};`;
      return `for (var q = 0u; q < ${multiplier}u; q++) { sum += arena[${gradient.offset}u + w + q] * params[${kernel} + q]; }`;
    }
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
