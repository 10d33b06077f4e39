/** Dense layers and convolutions as matrix products; the patches of a convolution are found on the way, never stored. */
import { slide } from '../../core/layerShapes.ts';
import type { PlacedLayer } from '../../core/layerShapes.ts';
import type { Extent, Padding } from '../../core/network.ts';
import type { Tensor } from './arena.ts';
import type { ColumnProduct, RowProduct } from './product.ts';
import type { Reader } from './values.ts';

/** Sizes of a window that slides over an image. */
export interface Slide {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly window: Extent;
  readonly strides: Extent;
  /** Rows and columns of padding before. */
  readonly before: Extent;
}

export function slideOf(placed: PlacedLayer, window: Extent, strides: Extent, padding: Padding): Slide {
  const [height = 1, width = 1, channels = 1] = placed.input;
  const rows = slide(height, window[0], strides[0], padding);
  const columns = slide(width, window[1], strides[1], padding);
  const before: Extent = [rows.before, columns.before];
  return { height, width, channels, outHeight: rows.size, outWidth: columns.size, window, strides, before };
}

/** Whether a window may lie partly outside of the image. */
export function isPadded({ height, width, outHeight, outWidth, window, strides, before }: Slide): boolean {
  const ends = [
    (outHeight - 1) * strides[0] + window[0] - before[0] > height,
    (outWidth - 1) * strides[1] + window[1] - before[1] > width,
  ];
  return before[0] > 0 || before[1] > 0 || ends.some(Boolean);
}

export interface DenseShape {
  readonly rows: number;
  /** How many vectors an example has: 1, or a sequence's length. */
  readonly places: number;
  readonly inputs: number;
  readonly units: number;
  /** Offset of the kernel in the parameters. */
  readonly kernel: number;
}

export function denseForward({ rows, places, inputs, units, kernel }: DenseShape, reader: Reader): RowProduct {
  return {
    kind: 'rows',
    m: rows * places,
    n: units,
    inner: inputs,
    taps: [1, 1],
    masked: false,
    one: (address) => reader.one(address),
    four: (address) => reader.four(address, inputs % 4 === 0),
    row: (i, m) => `let at${i} = ${vectorAt(reader, m, places, inputs)};`,
    tapRow: () => '',
    tap: () => '',
    base: kernel,
    strides: { tap: 0, inner: units, n: 1 },
  };
}

/** Address of vector `m` of a batch whose examples have `places` of them. */
export function vectorAt(reader: Reader, m: string, places: number, inputs: number): string {
  if (places === 1) return reader.base(m);
  // Those of the arena lie beside each other.
  if (reader.tensors.length > 0) return `${reader.base('0u')} + (${m}) * ${inputs}u`;
  return `${reader.base(`(${m}) / ${places}u`)} + (${m}) % ${places}u * ${inputs}u`;
}

export function denseInputGradient({ rows, places, inputs, units, kernel }: DenseShape, gradient: Tensor): RowProduct {
  return {
    kind: 'rows',
    m: rows * places,
    n: inputs,
    inner: units,
    taps: [1, 1],
    masked: false,
    one: (address) => `arena[${address}]`,
    four: (address) => `x4(${address})`,
    row: (i, m) => `let at${i} = ${gradient.offset}u + (${m}) * ${units}u;`,
    tapRow: () => '',
    tap: () => '',
    base: kernel,
    strides: { tap: 0, inner: 1, n: units },
  };
}

export function denseKernelGradient(
  { rows, places, inputs, units }: DenseShape,
  reader: Reader,
  gradient: Tensor,
  bias: boolean,
): ColumnProduct {
  const wide = inputs % 4 === 0;
  return {
    kind: 'columns',
    k: inputs,
    n: units,
    examples: rows,
    places: [1, places],
    bias,
    group: wide ? 4 : 1,
    masked: false,
    one: (address) => reader.one(address),
    four: (address) => reader.four(address, true),
    column: (i, k) => `let k${i} = ${k};`,
    example: () => `let base = ${reader.base('r')};`,
    placeRow: () => '',
    place: (i) => `let at${i} = base + ${places === 1 ? '' : `x * ${inputs}u + `}k${i};`,
    b: gradient,
  };
}

export interface ConvolutionShape {
  readonly rows: number;
  readonly slide: Slide;
  readonly filters: number;
  readonly kernel: number;
}

export function convolutionForward({ rows, slide, filters, kernel }: ConvolutionShape, reader: Reader): RowProduct {
  const { channels, outHeight, outWidth, window, strides } = slide;
  const area = outHeight * outWidth;
  const masked = isPadded(slide);
  return {
    kind: 'rows',
    m: rows * area,
    n: filters,
    inner: channels,
    taps: window,
    masked,
    one: (address) => reader.one(address),
    four: (address) => reader.four(address, channels % 4 === 0),
    row: (i, m) => `let m${i} = ${m};
let base${i} = ${reader.base(`m${i} / ${area}u`)};
let down${i} = m${i} % ${area}u / ${outWidth}u * ${strides[0]}u;
let across${i} = m${i} % ${outWidth}u * ${strides[1]}u;`,
    tapRow: (i) => pixelRow(slide, masked, i, `down${i} + th`, `base${i}`),
    tap: (i) => pixel(slide, masked, i, `across${i} + tw`, `base${i}`),
    base: kernel,
    strides: { tap: channels * filters, inner: filters, n: 1 },
  };
}

/** Finds the row of pixels at a padded coordinate. */
function pixelRow(
  { height, width, channels, before }: Slide,
  masked: boolean,
  i: string,
  y: string,
  base: string,
): string {
  // Unsigned, so that what is before the image is far behind it.
  const line = `let line${i} = ${base} + ((${y} - ${before[0]}u) * ${width}u - ${before[1]}u) * ${channels}u;`;
  return masked ? `${line} let isRow${i} = ${y} - ${before[0]}u < ${height}u;` : line;
}

/** Finds the pixel in that row; one that is outside becomes the one at `base`, times 0. */
function pixel({ width, channels, before }: Slide, masked: boolean, i: string, x: string, base: string): string {
  const address = `line${i} + (${x}) * ${channels}u`;
  if (!masked) return `let at${i} = ${address};`;
  return `let in${i} = isRow${i} & (${x} - ${before[1]}u < ${width}u);
let ok${i} = select(0.0, 1.0, in${i});
let at${i} = select(${base}, ${address}, in${i});`;
}

/**
 * Of the input: pixel (y, x) was under tap (th, tw) of the window at ((y + before − th) / stride, …), where that is whole.
 */
export function convolutionInputGradient(
  { rows, slide, filters, kernel }: ConvolutionShape,
  gradient: Tensor,
): RowProduct {
  const { height, width, channels, outHeight, outWidth, window, strides, before } = slide;
  const along = (name: string, tap: string, size: number, stride: number, i: string): string =>
    stride === 1
      ? `let w${name}${i} = ${name}${i} - ${tap}; let is${name}${i} = w${name}${i} < ${size}u;`
      : `let w${name}${i} = (${name}${i} - ${tap}) / ${stride}u;
let is${name}${i} = (${name}${i} >= ${tap}) & ((${name}${i} - ${tap}) % ${stride}u == 0u) & (w${name}${i} < ${size}u);`;
  return {
    kind: 'rows',
    m: rows * height * width,
    n: channels,
    inner: filters,
    taps: window,
    masked: true,
    one: (address) => `arena[${address}]`,
    four: (address) => `x4(${address})`,
    row: (i, m) => `let m${i} = ${m};
let base${i} = ${gradient.offset}u + m${i} / ${height * width}u * ${outHeight * outWidth * filters}u;
let down${i} = m${i} % ${height * width}u / ${width}u + ${before[0]}u;
let across${i} = m${i} % ${width}u + ${before[1]}u;`,
    tapRow: (i) => along('down', 'th', outHeight, strides[0], i),
    tap: (i) => `${along('across', 'tw', outWidth, strides[1], i)}
let in${i} = isdown${i} & isacross${i};
let ok${i} = select(0.0, 1.0, in${i});
let at${i} = base${i} + select(0u, (wdown${i} * ${outWidth}u + wacross${i}) * ${filters}u, in${i});`,
    base: kernel,
    strides: { tap: channels * filters, inner: 1, n: filters },
  };
}

export function convolutionKernelGradient(
  { rows, slide, filters }: ConvolutionShape,
  reader: Reader,
  gradient: Tensor,
  bias: boolean,
): ColumnProduct {
  const { channels, outHeight, outWidth, window, strides } = slide;
  const wide = channels % 4 === 0;
  const masked = isPadded(slide);
  return {
    kind: 'columns',
    k: window[0] * window[1] * channels,
    n: filters,
    examples: rows,
    places: [outHeight, outWidth],
    bias,
    group: wide ? 4 : 1,
    masked,
    one: (address) => reader.one(address),
    four: (address) => reader.four(address, true),
    column: (i, k) => `let k${i} = ${k};
let c${i} = k${i} % ${channels}u;
let h${i} = k${i} / ${channels * window[1]}u;
let w${i} = k${i} / ${channels}u % ${window[1]}u;`,
    example: () => `let base = ${reader.base('r')};`,
    placeRow: (i) => pixelRow(slide, masked, i, `y * ${strides[0]}u + h${i}`, `base + c${i}`),
    place: (i) => pixel(slide, masked, i, `x * ${strides[1]}u + w${i}`, `base + c${i}`),
    b: gradient,
  };
}
