/** Keras layers over places side by side: convolutions, poolings, and what widens or narrows an image. */
import { extent, only, size, windowed } from './kerasLayers.ts';
import { activation, of } from './kerasRule.ts';
import type { Rule, Wrong } from './kerasRule.ts';
import { slide } from './layerShapes.ts';
import type { Shape } from './layerShapes.ts';
import type { Extent, Padding } from './network.ts';
import { integer, v } from './schema.ts';

/** tfjs 4.22 has no gradient of others. */
const undilated = v.nullish(
  v.pipe(
    v.union([size, v.array(size)], '1'),
    v.check((rates) => [rates].flat().every((rate) => rate === 1), '1'),
  ),
);

/** Along one axis. */
const single = v.pipe(
  v.union([size, v.tuple([size])], 'a size from 1 to 65536'),
  v.transform((given) => (typeof given === 'number' ? given : given[0])),
);

const common = { data_format: only('channels_last'), dilation_rate: undilated, groups: only(1), activation };

/** [height, width, channels], slid over by a window. */
function slid(
  given: Shape,
  window: Extent,
  strides: Extent,
  padding: Padding,
  wrong: Wrong,
): readonly [number, number] {
  const [height = 0, width = 0] = given;
  if (given.length !== 3) wrong('[height, width, channels]');
  const rows = slide(height, window[0], strides[0], padding).size;
  const columns = slide(width, window[1], strides[1], padding).size;
  if (rows < 1 || columns < 1) wrong(`at least ${window.join(' by ')} values for its window`);
  return [rows, columns];
}

function slidAlong(given: Shape, window: number, stride: number, padding: Padding, wrong: Wrong): number {
  const [length = 0] = given;
  if (given.length !== 2) wrong('[length, channels]');
  const steps = slide(length, window, stride, padding).size;
  return steps < 1 ? wrong(`at least ${window} steps for its window`) : steps;
}

function convolution(channels: 'filters' | 'multiplied'): Rule {
  const entries = {
    ...windowed,
    ...common,
    kernel_size: extent,
    strides: v.nullish(extent, 1),
    filters: channels === 'filters' ? size : v.nullish(size),
    depth_multiplier: v.nullish(size, 1),
  };
  return of(entries, ({ kernel_size, strides, padding, filters, depth_multiplier }, given, wrong) => {
    const extents = slid(given, kernel_size, strides, padding, wrong);
    return [...extents, channels === 'filters' ? (filters ?? 0) : (given[2] ?? 0) * depth_multiplier];
  });
}

const pooling: Rule = of(
  { ...windowed, pool_size: v.nullish(extent, 2), strides: v.nullish(extent) },
  ({ pool_size, strides, padding }, given, wrong) => [
    ...slid(given, pool_size, strides ?? pool_size, padding, wrong),
    given[2] ?? 0,
  ],
);

const along = { pool_size: v.nullish(single, 2), strides: v.nullish(single) };

function pooledAlong(
  config: { readonly pool_size: number; readonly strides?: number | null | undefined; readonly padding: Padding },
  given: Shape,
  wrong: Wrong,
): Shape {
  const { pool_size, strides, padding } = config;
  return [slidAlong(given, pool_size, strides ?? pool_size, padding, wrong), given[1] ?? 0];
}

function global(rank: 2 | 3): Rule {
  const expected = rank === 2 ? '[length, channels]' : '[height, width, channels]';
  return of({ data_format: only('channels_last'), keepdims: only(false) }, (_, given, wrong) =>
    given.length === rank ? given.slice(-1) : wrong(expected),
  );
}

/** Before and after each side: a number, one for each side, or one for each edge. */
const edge = integer(0, 65_536);
const edges = v.pipe(
  v.union(
    [edge, v.tuple([edge, edge]), v.tuple([v.tuple([edge, edge]), v.tuple([edge, edge])])],
    'a size, two, or two pairs',
  ),
  v.transform((given): readonly [number, number] => {
    if (typeof given === 'number') return [2 * given, 2 * given];
    const [rows, columns] = given.map((side) => (typeof side === 'number' ? 2 * side : side[0] + side[1]));
    return [rows ?? 0, columns ?? 0];
  }),
);

function framed(field: 'padding' | 'cropping', sign: 1 | -1): Rule {
  const entries = { [field]: v.nullish(edges, field === 'padding' ? 1 : 0), data_format: only('channels_last') };
  return of(entries, (config, given, wrong) => {
    const [height = 0, width = 0, channels = 0] = given;
    const [rows, columns] = config[field] as readonly [number, number];
    const next = [height + sign * rows, width + sign * columns, channels];
    return given.length === 3 && next.every((size) => size > 0) ? next : wrong('[height, width, channels] with room');
  });
}

/** By class. */
export const WINDOW_RULES: Readonly<Record<string, Rule>> = {
  // Nor does tfjs 4.22 have the padding "causal".
  Conv1D: of(
    { ...common, filters: size, kernel_size: single, strides: v.nullish(single, 1), padding: windowed.padding },
    ({ filters, kernel_size, strides, padding }, given, wrong) => [
      slidAlong(given, kernel_size, strides, padding, wrong),
      filters,
    ],
  ),
  Conv2D: convolution('filters'),
  SeparableConv2D: convolution('filters'),
  DepthwiseConv2D: convolution('multiplied'),
  Conv2DTranspose: of(
    {
      ...windowed,
      ...common,
      filters: size,
      kernel_size: extent,
      strides: v.nullish(extent, 1),
      output_padding: v.nullish(v.null()),
    },
    ({ filters, kernel_size, strides, padding }, given, wrong) => {
      if (given.length !== 3) wrong('[height, width, channels]');
      const grown = given.slice(0, 2).map((size, axis) => {
        const [stride, window] = [strides[axis] ?? 1, kernel_size[axis] ?? 1];
        return size * stride + (padding === 'valid' ? Math.max(window - stride, 0) : 0);
      });
      return [...grown, filters];
    },
  ),
  // Nor has it the gradient of bilinear interpolation.
  UpSampling2D: of(
    { size: v.nullish(extent, 2), data_format: only('channels_last'), interpolation: only('nearest') },
    ({ size: [down, across] }, given, wrong) => {
      const [height = 0, width = 0, channels = 0] = given;
      return given.length === 3 ? [height * down, width * across, channels] : wrong('[height, width, channels]');
    },
  ),
  ZeroPadding2D: framed('padding', 1),
  Cropping2D: framed('cropping', -1),
  MaxPooling1D: of({ ...along, padding: windowed.padding }, pooledAlong),
  // tfjs 4.22 takes the gradient of an average with padding as if the padding counted.
  AveragePooling1D: of({ ...along, padding: only('valid') }, pooledAlong),
  MaxPooling2D: pooling,
  AveragePooling2D: pooling,
  GlobalAveragePooling1D: global(2),
  GlobalMaxPooling1D: global(2),
  GlobalAveragePooling2D: global(3),
  GlobalMaxPooling2D: global(3),
};
