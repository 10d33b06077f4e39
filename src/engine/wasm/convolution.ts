/**
 * Convolutions as products without a copy for every tap: with the image's rows laid out side by side, the values under one
 * row of the window are contiguous, so a product over parts reads them where they are.
 */
import { call, code, fillMemory } from '../../core/wasmAssembler.ts';
import type { PlacedLayer } from '../../core/layerShapes.ts';
import type { Layer } from '../../core/network.ts';
import { backThroughSums } from './columns.ts';
import { ONE_PART } from './dense.ts';
import { advance, int, times } from './expressions.ts';
import type { Built, Machine, Tensor, Weights } from './machine.ts';
import { activate } from './pointwise.ts';
import { panelCount } from './product.ts';
import { bordered, slidingOver, spreadGradient } from './window.ts';
import type { Bordered, Sliding } from './window.ts';

type Convolution = Extract<Layer, { readonly kind: 'conv2d' }>;

export function convolutionLayer(
  machine: Machine,
  layer: Convolution,
  placed: PlacedLayer,
  source: Tensor,
  { weight, gradient: weightGradient }: Weights,
): Built {
  const s = slidingOver(placed, layer.kernelSize, layer.strides, layer.padding);
  const { filters, activation } = layer;
  const [kernel, bias] = placed.blocks;
  const kernelAt = 4 * (kernel?.offset ?? 0);
  const input = bordered(machine, s, source, ['forward', 'evaluation'], { border: 0, gradient: false });
  const output = machine.tensor(s.outHeight * s.outWidth * filters, true);
  const before = activation === 'gelu' ? machine.perExample(output.size) : output.value;
  const [height, width] = s.window;
  machine.multiply(
    ['forward', 'evaluation'],
    {
      left: { row: 4 * s.strides[1] * s.channels, depth: 4, part: 4 * input.pitch },
      depth: width * s.channels,
      parts: height,
      right: { order: 'rows', step: 4 * filters, parts: ONE_PART },
      columns: filters,
      rows: s.outWidth,
      outputRow: 4 * filters,
      outer: [
        { count: 'given', left: 4 * input.size, output: 4 * output.size },
        { count: s.outHeight, left: 4 * s.strides[0] * input.pitch, output: 4 * s.outWidth * filters },
      ],
      accumulates: false,
      rectified: activation === 'relu',
      ...(bias ? { bias: weight + 4 * bias.offset } : {}),
    },
    {
      left: int.of(input.value),
      right: int.of(weight + kernelAt),
      output: int.of(before),
      given: machine.rows,
    },
  );
  if (activation !== 'relu' && activation !== 'linear') {
    activate(machine, ['forward', 'evaluation'], output.size, activation, before, output.value);
  }
  const backward = (): void => {
    const biasGradient = bias ? { bias: weightGradient + 4 * bias.offset } : {};
    backThroughSums(machine, { tensor: output, before, activation, columns: filters, ...biasGradient });
    filterGradient(machine, s, input, output, filters, weightGradient + kernelAt);
    if (source.learns) inputGradient(machine, s, source, output, filters, weight + kernelAt);
  };
  return { output, backward };
}

/** Image by image, so that its panel of the output's gradient stays in the cache for all taps. */
function filterGradient(
  machine: Machine,
  s: Sliding,
  input: Bordered,
  output: Tensor,
  filters: number,
  target: number,
): void {
  const [height, width] = s.window;
  const bytes = 4 * height * width * s.channels * filters;
  const product = machine.product(
    {
      left: { row: 4, depth: 4 * s.strides[1] * s.channels, part: 4 * s.strides[0] * input.pitch },
      depth: s.outWidth,
      parts: s.outHeight,
      right: { order: 'rows', step: 4 * filters, parts: ONE_PART },
      columns: filters,
      rows: width * s.channels,
      outputRow: 4 * filters,
      outer: [{ count: height, left: 4 * input.pitch, output: 4 * width * s.channels * filters }],
      accumulates: true,
    },
    s.outWidth * s.outHeight,
  );
  machine.kernel(['backward'], (f) => machine.once(f, code(int.of(target), int.of(0), int.of(bytes), fillMemory)));
  machine.kernel(['backward'], (f) => {
    const { from, to } = machine.share(f, int.of(panelCount(filters)));
    const [left, right, images] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const operands = [left.get, right.get, int.of(target), int.of(0), from.get, to.get, machine.scratch];
    f.append(
      code(left.set(int.of(input.value)), right.set(int.of(output.gradient))),
      times(
        images,
        machine.rows,
        code(...operands, call(product)),
        code(advance(left, 4 * input.size), advance(right, 4 * output.size)),
      ),
    );
  });
}

function inputGradient(
  machine: Machine,
  s: Sliding,
  source: Tensor,
  output: Tensor,
  filters: number,
  kernel: number,
): void {
  const spread = spreadGradient(machine, s, output, filters);
  const [height, width] = s.window;
  const tap = 4 * s.channels * filters;
  machine.multiply(
    ['backward'],
    {
      left: { row: 4 * filters, depth: 4, part: 4 * spread.pitch },
      depth: width * filters,
      parts: height,
      // The filter turned by half a turn, its channels and filters exchanged.
      right: {
        order: 'columns',
        step: 4 * filters,
        parts: { count: height * width, step: -tap, first: (height * width - 1) * tap },
      },
      columns: s.channels,
      rows: s.width,
      outputRow: 4 * s.channels,
      outer: [
        { count: 'given', left: 4 * spread.size, output: 4 * source.size },
        { count: s.height, left: 4 * spread.pitch, output: 4 * s.width * s.channels },
      ],
      accumulates: machine.addsTo(source),
    },
    {
      left: int.of(spread.value),
      right: int.of(kernel),
      output: int.of(source.gradient),
      given: machine.rows,
    },
  );
}
