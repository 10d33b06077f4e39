/** Each layer of a network by its definition, in float64, one value at a time; the whole batch at once for the statistics. */
import { isKept } from '../../src/core/dropout.ts';
import type { PlacedLayer, Shape } from '../../src/core/layerShapes.ts';
import type { Activation, Extent, Layer, Padding } from '../../src/core/network.ts';

export type Values = readonly number[];

/** Rows of a batch, each flat. */
export type Rows = readonly Values[];

export interface SlowPass {
  /** Batch statistics and dropout, with these keys; without it as in an evaluation. */
  readonly dropoutKeyOf?: (layer: number) => number;
}

/** `weights`: one flat block for each of the layer's; `other`: the second summand of an add. */
export function slowLayer(
  { layer, index, input, output }: PlacedLayer,
  rows: Rows,
  weights: Rows,
  pass: SlowPass,
  other: Rows,
): Rows {
  const [first = [], second = [], third = [], fourth = []] = weights;
  const channels = input.at(-1)!;
  switch (layer.kind) {
    case 'dense':
      return rows.map((row) => alongLast(row, channels, (x) => dense(x, first, second, layer)));
    case 'conv2d':
    case 'depthwiseConv2d':
      return rows.map((row) => convolved(row, input, output, layer, first, second));
    case 'maxPool2d':
    case 'averagePool2d':
      return rows.map((row) => pooled(row, input, output, layer));
    case 'layerNorm':
      return rows.map((row) =>
        alongLast(row, channels, (x) => {
          const { mean, variance } = moments(x);
          return x.map((value, i) => ((value - mean) / Math.sqrt(variance + layer.epsilon)) * first[i]! + second[i]!);
        }),
      );
    case 'batchNorm': {
      const statistics = Array.from({ length: channels }, (_, c) =>
        pass.dropoutKeyOf && !layer.frozen
          ? moments(rows.flatMap((row) => row.filter((_, i) => i % channels === c)))
          : { mean: third[c]!, variance: fourth[c]! },
      );
      return rows.map((row) =>
        row.map((value, i) => {
          const { mean, variance } = statistics[i % channels]!;
          const normalised = (value - mean) / Math.sqrt(variance + layer.epsilon);
          return normalised * first[i % channels]! + second[i % channels]!;
        }),
      );
    }
    case 'dropout': {
      const key = pass.dropoutKeyOf?.(index);
      if (key === undefined) return rows;
      return rows.map((row, r) =>
        row.map((value, i) => (isKept(key, r * row.length + i, layer.rate) ? value / (1 - layer.rate) : 0)),
      );
    }
    case 'embedding':
      return rows.map((row) =>
        row.flatMap((token, place) =>
          Array.from(
            { length: layer.width },
            (_, i) => first[token * layer.width + i]! + (second[place * layer.width + i] ?? 0),
          ),
        ),
      );
    case 'attention':
      return rows.map((row) => attended(row, input, layer.heads));
    case 'lstm':
      return rows.map((row) => remembered(row, channels, layer.units, first, second, third));
    case 'activation':
      return rows.map((row) => row.map((value) => activated(value, layer.activation)));
    case 'add':
      return rows.map((row, r) => row.map((value, i) => value + other[r]![i]!));
    case 'flatten':
      return rows;
    case 'keras':
      throw new RangeError('Keras layers are what tfjs layers makes of them');
    default:
      return layer satisfies never;
  }
}

/** New moving mean and variance of a batch normalisation over `rows`. */
export function slowStatistics(rows: Rows, channels: number, momentum: number, moving: Rows): Rows {
  const [mean = [], variance = []] = moving;
  const batch = Array.from({ length: channels }, (_, c) =>
    moments(rows.flatMap((row) => row.filter((_, i) => i % channels === c))),
  );
  return [
    mean.map((value, c) => momentum * value + (1 - momentum) * batch[c]!.mean),
    variance.map((value, c) => momentum * value + (1 - momentum) * batch[c]!.variance),
  ];
}

function activated(x: number, activation: Activation): number {
  switch (activation) {
    case 'linear':
      return x;
    case 'relu':
      return Math.max(0, x);
    case 'tanh':
      return Math.tanh(x);
    case 'sigmoid':
      return 1 / (1 + Math.exp(-x));
    case 'gelu':
      return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    default:
      return activation satisfies never;
  }
}

function alongLast(row: Values, size: number, change: (part: Values) => Values): Values {
  return Array.from({ length: row.length / size }, (_, i) => change(row.slice(i * size, (i + 1) * size))).flat();
}

function moments(values: Values): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
}

function dense(x: Values, kernel: Values, bias: Values, { units, activation }: Of<'dense'>): Values {
  return Array.from({ length: units }, (_, unit) => {
    const sum = x.reduce((sum, value, i) => sum + value * kernel[i * units + unit]!, bias[unit] ?? 0);
    return activated(sum, activation);
  });
}

type Of<Kind extends Layer['kind']> = Extract<Layer, { readonly kind: Kind }>;

/** Padding before, by the definition of TensorFlow's "SAME": as little as it takes, the odd one after. */
function before(size: number, window: number, stride: number, padding: Padding): number {
  if (padding === 'valid') return 0;
  const overlap = size % stride === 0 ? window - stride : window - (size % stride);
  return Math.floor(Math.max(overlap, 0) / 2);
}

/** [row, column] in the image and [row, column] in the window, of all that the window at `place` covers. */
function covered(place: Extent, [height, width]: Shape, window: Extent, strides: Extent, padding: Padding) {
  const top = place[0] * strides[0] - before(height!, window[0], strides[0], padding);
  const left = place[1] * strides[1] - before(width!, window[1], strides[1], padding);
  const all: { row: number; column: number; down: number; across: number }[] = [];
  for (let down = 0; down < window[0]; down++) {
    for (let across = 0; across < window[1]; across++) {
      const [row, column] = [top + down, left + across];
      if (row >= 0 && row < height! && column >= 0 && column < width!) all.push({ row, column, down, across });
    }
  }
  return all;
}

function eachOutput([height, width, channels]: Shape, value: (place: Extent, channel: number) => number): Values {
  return Array.from({ length: height! * width! * channels! }, (_, i) => {
    const place = Math.floor(i / channels!);
    return value([Math.floor(place / width!), place % width!], i % channels!);
  });
}

function convolved(
  row: Values,
  input: Shape,
  output: Shape,
  layer: Of<'conv2d'> | Of<'depthwiseConv2d'>,
  kernel: Values,
  bias: Values,
): Values {
  const [, width, channels] = input as [number, number, number];
  const { kernelSize, strides, padding, activation } = layer;
  return eachOutput(output, (place, channel) => {
    let sum = bias[channel] ?? 0;
    for (const { row: y, column: x, down, across } of covered(place, input, kernelSize, strides, padding)) {
      for (let from = 0; from < channels; from++) {
        const tap = (down * kernelSize[1] + across) * channels + from;
        const value = row[(y * width + x) * channels + from]!;
        if (layer.kind === 'conv2d') sum += value * kernel[tap * layer.filters + channel]!;
        else if (Math.floor(channel / layer.depthMultiplier) === from) {
          sum += value * kernel[tap * layer.depthMultiplier + (channel % layer.depthMultiplier)]!;
        }
      }
    }
    return activated(sum, activation);
  });
}

function pooled(row: Values, input: Shape, output: Shape, layer: Of<'maxPool2d'> | Of<'averagePool2d'>): Values {
  const [, width, channels] = input as [number, number, number];
  return eachOutput(output, (place, channel) => {
    const values = covered(place, input, layer.poolSize, layer.strides, layer.padding).map(
      ({ row: y, column: x }) => row[(y * width + x) * channels + channel]!,
    );
    if (layer.kind === 'maxPool2d') return Math.max(...values);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}

function attended(row: Values, [length, tripled]: Shape, heads: number): Values {
  const width = tripled! / 3;
  const size = width / heads;
  const at = (place: number, part: number, i: number): number => row[place * tripled! + part * width + i]!;
  return Array.from({ length: length! * width }, (_, index) => {
    const [place, i] = [Math.floor(index / width), index % width];
    const start = Math.floor(i / size) * size;
    const weights = Array.from({ length: place + 1 }, (_, seen) => {
      let product = 0;
      for (let k = start; k < start + size; k++) product += at(place, 0, k) * at(seen, 1, k);
      return Math.exp(product / Math.sqrt(size));
    });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.reduce((sum, weight, seen) => sum + (weight / total) * at(seen, 2, i), 0);
  });
}

function remembered(
  row: Values,
  width: number,
  units: number,
  kernel: Values,
  recurrent: Values,
  bias: Values,
): Values {
  let hidden: Values = Array<number>(units).fill(0);
  let cell = hidden;
  const outputs: number[] = [];
  for (let place = 0; place < row.length / width; place++) {
    const x = row.slice(place * width, (place + 1) * width);
    const gate = (number: number, unit: number): number => {
      const column = number * units + unit;
      const entering = x.reduce((sum, value, i) => sum + value * kernel[i * 4 * units + column]!, bias[column]!);
      return hidden.reduce((sum, value, i) => sum + value * recurrent[i * 4 * units + column]!, entering);
    };
    const gates = cell.map((_, unit) => [0, 1, 2, 3].map((number) => gate(number, unit)));
    cell = cell.map((value, unit) => {
      const [input, forget, candidate] = gates[unit]!;
      return activated(forget!, 'sigmoid') * value + activated(input!, 'sigmoid') * Math.tanh(candidate!);
    });
    hidden = cell.map((value, unit) => activated(gates[unit]![3]!, 'sigmoid') * Math.tanh(value));
    outputs.push(...hidden);
  }
  return outputs;
}
