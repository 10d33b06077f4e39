/** Windows that slide over images: their geometry, and copies of images with a border around, so that no window ends early. */
import { code, fillMemory } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import { slide } from '../../core/layerShapes.ts';
import type { PlacedLayer } from '../../core/layerShapes.ts';
import type { Extent, Padding } from '../../core/network.ts';
import { advance, int, times, vec } from './expressions.ts';
import { overFloats } from './lanes.ts';
import type { Machine, Phase, Tensor } from './machine.ts';

/** Of images [height, width, channels]; numbers of values, not of bytes. */
export interface Sliding {
  readonly window: Extent;
  readonly strides: Extent;
  /** Of the layer's input. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Of its output. */
  readonly outHeight: number;
  readonly outWidth: number;
  /** Padding before the first row and column. */
  readonly above: number;
  readonly leftOf: number;
  /** Of the image that all windows lie in. */
  readonly paddedHeight: number;
  readonly paddedWidth: number;
}

export function slidingOver(placed: PlacedLayer, window: Extent, strides: Extent, padding: Padding): Sliding {
  const [height = 1, width = 1, channels = 1] = placed.input;
  const rows = slide(height, window[0], strides[0], padding);
  const columns = slide(width, window[1], strides[1], padding);
  const needed = [(rows.size - 1) * strides[0] + window[0], (columns.size - 1) * strides[1] + window[1]] as const;
  const isPadded = rows.before > 0 || columns.before > 0 || needed[0] > height || needed[1] > width;
  return {
    window,
    strides,
    height,
    width,
    channels,
    outHeight: rows.size,
    outWidth: columns.size,
    above: rows.before,
    leftOf: columns.before,
    paddedHeight: isPadded ? needed[0] : height,
    paddedWidth: isPadded ? needed[1] : width,
  };
}

/** A copy of each image of a batch, or the images themselves. */
export interface Bordered {
  readonly value: number;
  readonly gradient: number;
  /** Floats of one image. */
  readonly size: number;
  /** Floats of one row. */
  readonly pitch: number;
  /** The images themselves: nothing to copy. */
  readonly isSource: boolean;
}

export function hasBorder(s: Sliding): boolean {
  return s.paddedHeight !== s.height || s.paddedWidth !== s.width;
}

/** The first placement of image rows in bordered ones, and how many rows and columns of an image are in it. */
function inside(s: Sliding): { readonly rows: number; readonly columns: number } {
  return {
    rows: Math.min(s.height, s.paddedHeight - s.above),
    columns: Math.min(s.width, s.paddedWidth - s.leftOf),
  };
}

/** Adds the kernel that copies. The border has `border`'s value, the gradient is for the kernels that need one. */
export function bordered(
  machine: Machine,
  s: Sliding,
  source: Tensor,
  phases: readonly Phase[],
  needs: { readonly border: number; readonly gradient: boolean },
): Bordered {
  if (!hasBorder(s)) {
    const pitch = s.width * s.channels;
    return { value: source.value, gradient: source.gradient, size: source.size, pitch, isSource: true };
  }
  const pitch = s.paddedWidth * s.channels;
  const size = s.paddedHeight * pitch;
  const value = machine.perExample(size);
  const gradient = needs.gradient ? machine.perExample(size) : 0;
  if (needs.border !== 0) machine.preset(value, new Float32Array(size * machine.capacity).fill(needs.border));
  const { rows, columns } = inside(s);
  machine.kernel(phases, (f) => {
    const start = value + 4 * (s.above * pitch + s.leftOf * s.channels);
    const at = { source: source.value, sourceImage: source.size, sourceRow: s.width * s.channels };
    overRows(machine, f, { ...at, target: start, targetImage: size, targetRow: pitch, rows }, (from, to) =>
      overFloats(f, columns * s.channels, [from, to], (lanes) => lanes.store(to.get, lanes.load(from.get))),
    );
  });
  return { value, gradient, size, pitch, isSource: false };
}

/** The bordered images' gradient back to the images. */
export function backFromBorder(machine: Machine, s: Sliding, source: Tensor, copy: Bordered): void {
  if (copy.isSource) return;
  const adds = machine.addsTo(source);
  const { rows, columns } = inside(s);
  machine.kernel(['backward'], (f) => {
    const start = copy.gradient + 4 * (s.above * copy.pitch + s.leftOf * s.channels);
    const target = { target: source.gradient, targetImage: source.size, targetRow: s.width * s.channels };
    if (!adds && (rows < s.height || columns < s.width)) zeroShare(machine, f, source.gradient, source.size);
    overRows(
      machine,
      f,
      { source: start, sourceImage: copy.size, sourceRow: copy.pitch, ...target, rows },
      (from, to) =>
        overFloats(f, columns * s.channels, [from, to], (lanes) => {
          const value = lanes.load(from.get);
          return lanes.store(to.get, adds ? vec.add(lanes.load(to.get), value) : value);
        }),
    );
  });
}

/** Zeros in the floats of this thread's examples. */
export function zeroShare(machine: Machine, f: FunctionBuilder, address: number, size: number): void {
  const { from, to } = machine.share(f, machine.rows);
  f.append(
    int.plus(int.times(from.get, 4 * size), address),
    int.of(0),
    int.times(int.subtract(to.get, from.get), 4 * size),
    fillMemory,
  );
}

interface RowCopy {
  readonly source: number;
  readonly sourceImage: number;
  readonly sourceRow: number;
  readonly target: number;
  readonly targetImage: number;
  readonly targetRow: number;
  readonly rows: number;
}

/** Each row of each of this thread's images; the body may move its pointers. */
function overRows(machine: Machine, f: FunctionBuilder, c: RowCopy, body: (from: Local, to: Local) => Code): void {
  const { from: first, to: end } = machine.share(f, machine.rows);
  const [source, target, from, to] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
  const [rowFrom, rowTo, images, rows] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
  const row = code(
    code(from.set(rowFrom.get), to.set(rowTo.get), body(from, to)),
    code(advance(rowFrom, 4 * c.sourceRow), advance(rowTo, 4 * c.targetRow)),
  );
  f.append(
    source.set(int.plus(int.times(first.get, 4 * c.sourceImage), c.source)),
    target.set(int.plus(int.times(first.get, 4 * c.targetImage), c.target)),
    times(
      images,
      int.subtract(end.get, first.get),
      code(rowFrom.set(source.get), rowTo.set(target.get), times(rows, int.of(c.rows), row)),
      code(advance(source, 4 * c.sourceImage), advance(target, 4 * c.targetImage)),
    ),
  );
}

/**
 * The output's gradient with a border and, for strides, with zeros between its values, so that the gradient by the input
 * is a plain convolution of it (Dumoulin and Visin 2016, "A guide to convolution arithmetic", section 4).
 */
export function spreadGradient(machine: Machine, s: Sliding, output: Tensor, channels: number): Bordered {
  const [height, width] = s.window;
  const paddedWidth = s.width + width - 1;
  const pitch = paddedWidth * channels;
  const size = (s.height + height - 1) * pitch;
  const isSource = height === 1 && width === 1 && s.strides[0] === 1 && s.strides[1] === 1;
  if (isSource) return { value: output.gradient, gradient: 0, size: output.size, pitch, isSource };
  const value = machine.perExample(size);
  const start = value + 4 * ((height - 1 - s.above) * pitch + (width - 1 - s.leftOf) * channels);
  machine.kernel(['backward'], (f) => {
    const pixels = f.local('i32');
    const rows = { sourceRow: s.outWidth * channels, targetRow: s.strides[0] * pitch, rows: s.outHeight };
    const copy = { source: output.gradient, sourceImage: output.size, target: start, targetImage: size, ...rows };
    overRows(machine, f, copy, (from, to) => {
      const some = (floats: number): Code =>
        overFloats(f, floats, [from, to], (lanes) => lanes.store(to.get, lanes.load(from.get)));
      if (s.strides[1] === 1) return some(s.outWidth * channels);
      return times(pixels, int.of(s.outWidth), some(channels), advance(to, 4 * (s.strides[1] - 1) * channels));
    });
  });
  return { value, gradient: 0, size, pitch, isSource };
}
