/** Dense layers, over the last axis. */
import type { PlacedLayer } from '../../core/layerShapes.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { Layer } from '../../core/network.ts';
import { backThroughSums } from './columns.ts';
import { int } from './expressions.ts';
import type { Built, Machine, Tensor, Weights } from './machine.ts';
import type { RightFactor } from './packing.ts';
import { activate } from './pointwise.ts';

type Dense = Extract<Layer, { readonly kind: 'dense' }>;

export const ONE_PART = { count: 1, step: 0, first: 0 };

export function denseLayer(
  machine: Machine,
  layer: Dense,
  placed: PlacedLayer,
  source: Tensor,
  { weight, gradient: weightGradient }: Weights,
): Built {
  const width = placed.input.at(-1) ?? 1;
  const positions = sizeOf(placed.input) / width;
  const { units, activation } = layer;
  const [kernel, bias] = placed.blocks;
  const kernelAt = 4 * (kernel?.offset ?? 0);
  const output = machine.tensor(positions * units, true);
  const keepsSum = activation === 'gelu';
  const before = keepsSum ? machine.perExample(output.size) : output.value;
  const count = int.times(machine.rows, positions);
  const byRows = (step: number): RightFactor => ({ order: 'rows', step, parts: ONE_PART });
  machine.multiply(
    ['forward', 'evaluation'],
    {
      left: { row: 4 * width, depth: 4, part: 0 },
      depth: width,
      parts: 1,
      right: byRows(4 * units),
      columns: units,
      rows: 'given',
      outputRow: 4 * units,
      outer: [],
      accumulates: false,
      rectified: activation === 'relu',
      ...(bias ? { bias: weight + 4 * bias.offset } : {}),
    },
    { left: int.of(source.value), right: int.of(weight + kernelAt), output: int.of(before), given: count },
  );
  if (activation !== 'relu' && activation !== 'linear') {
    activate(machine, ['forward', 'evaluation'], output.size, activation, before, output.value);
  }
  const backward = (): void => {
    const biasGradient = bias ? { bias: weightGradient + 4 * bias.offset } : {};
    backThroughSums(machine, { tensor: output, before, activation, columns: units, ...biasGradient });
    machine.multiply(
      ['backward'],
      {
        left: { row: 4, depth: 4 * width, part: 0 },
        depth: 'given',
        parts: 1,
        right: byRows(4 * units),
        columns: units,
        rows: width,
        outputRow: 4 * units,
        outer: [],
        accumulates: false,
      },
      {
        left: int.of(source.value),
        right: int.of(output.gradient),
        output: int.of(weightGradient + kernelAt),
        given: count,
        most: machine.capacity * positions,
      },
    );
    if (!source.learns) return;
    machine.multiply(
      ['backward'],
      {
        left: { row: 4 * units, depth: 4, part: 0 },
        depth: units,
        parts: 1,
        right: { order: 'columns', step: 4 * units, parts: ONE_PART },
        columns: width,
        rows: 'given',
        outputRow: 4 * width,
        outer: [],
        accumulates: machine.addsTo(source),
      },
      {
        left: int.of(output.gradient),
        right: int.of(weight + kernelAt),
        output: int.of(source.gradient),
        given: count,
      },
    );
  };
  return { output, backward };
}
