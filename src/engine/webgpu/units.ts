/**
 * A network cut into units: one layer each, with what can be done to its values while they are still in registers. So
 * an activation, a dropout or a residual sum costs no dispatch of its own.
 */
import { HushError } from '../../core/errors.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedLayer, PlacedNetwork } from '../../core/layerShapes.ts';
import type { Activation } from '../../core/network.ts';
import { needsTfjsLayers } from '../availability.ts';

/** Which unit's output is read; −1 is the network's input. */
export type Source = number;

export interface Unit {
  readonly index: Source;
  /** What is computed; layers without values of their own (activation, dropout, add) copy. */
  readonly layer: PlacedLayer;
  readonly input: Source;
  activation: Activation;
  dropout: { readonly layer: number; readonly rate: number } | undefined;
  /** Added last of all. */
  plus: Source | undefined;
  /** Values of one example. */
  readonly size: number;
  /** Length of the last axis. */
  readonly channels: number;
  /** Whether anything that is learned lies before or in it. */
  needsGradient: boolean;
}

export interface Units {
  readonly placed: PlacedNetwork;
  readonly units: readonly Unit[];
  /** Which unit gives the network's output. */
  readonly output: Source;
  /** How many units, and the loss, read a unit's output. */
  readonly readers: readonly number[];
}

/** @throws HushError `engine/unsupported`, naming the layer. */
export function cutIntoUnits(placed: PlacedNetwork): Units {
  const { layers } = placed;
  const uses = layers.map(() => 0);
  const use = (index: number): void => {
    const layer = layers[index];
    if (layer?.layer.kind === 'flatten') use(layer.from);
    else if (index >= 0) uses[index] = (uses[index] ?? 0) + 1;
  };
  for (const { layer, from } of layers) {
    if (layer.kind === 'flatten') continue;
    use(from);
    if (layer.kind === 'add') use(layer.other);
  }
  use(layers.length - 1);

  const units: Unit[] = [];
  const sources: Source[] = [];
  /** The unit that ends in this layer and nothing else reads, so that more can be fused onto it. */
  const open = (index: number): Unit | undefined => {
    const placed = layers[index];
    if (placed?.layer.kind === 'flatten') return open(placed.from);
    const unit = units[sources[index] ?? -1];
    return unit && uses[index] === 1 && unit.plus === undefined ? unit : undefined;
  };
  const sourceOf = (index: number): Source => (index === -1 ? -1 : (sources[index] ?? -1));
  const start = (placed: PlacedLayer): Unit => {
    const unit: Unit = {
      index: units.length,
      layer: placed,
      input: sourceOf(placed.from),
      activation: 'linear',
      dropout: undefined,
      plus: undefined,
      size: sizeOf(placed.output),
      channels: placed.output.at(-1) ?? 1,
      needsGradient: placed.blocks.length > 0,
    };
    units.push(unit);
    return unit;
  };
  for (const placed of layers) {
    const { layer, from } = placed;
    let unit: Unit | undefined;
    switch (layer.kind) {
      case 'lstm':
        throw new HushError(
          'engine/unsupported',
          `The compiled-webgpu engine cannot train layer ${placed.index}, lstm.`,
        );
      case 'keras':
        throw needsTfjsLayers('compiled-webgpu');
      case 'flatten':
        sources.push(sourceOf(from));
        continue;
      case 'activation': {
        unit = open(from);
        if (!unit || !takesActivation(unit)) unit = start(placed);
        unit.activation = layer.activation;
        break;
      }
      case 'dropout': {
        unit = open(from);
        if (!unit || unit.dropout || !fuses(unit)) unit = start(placed);
        unit.dropout = { layer: placed.index, rate: layer.rate };
        break;
      }
      case 'add': {
        const [first, second] = [sourceOf(from), sourceOf(layer.other)];
        // The sum can only be taken by whichever of the two is computed later.
        const later = first >= second ? open(from) : open(layer.other);
        const other = Math.min(first, second);
        const fits = first !== second && later && fuses(later) && later.activation === 'linear';
        unit = fits ? later : start(placed);
        unit.plus = fits ? other : second;
        break;
      }
      case 'dense':
      case 'conv2d':
      case 'depthwiseConv2d':
        unit = start(placed);
        unit.activation = layer.activation;
        break;
      default:
        unit = start(placed);
    }
    sources.push(unit.index);
  }
  for (const unit of units) {
    const before = [unit.input, unit.plus ?? -1].some((source) => units[source]?.needsGradient);
    unit.needsGradient ||= before;
  }
  const output = sourceOf(layers.length - 1);
  const readers = units.map(({ index }) => {
    const reads = units.flatMap((unit) => [unit.input, unit.plus ?? -1]).filter((source) => source === index).length;
    return reads + (index === output ? 1 : 0);
  });
  return { placed, units, output, readers };
}

/** Layers whose kernels hand every value through the tail. */
function fuses(unit: Unit): boolean {
  switch (unit.layer.layer.kind) {
    case 'maxPool2d':
    case 'averagePool2d':
    case 'attention':
      return false;
    default:
      return true;
  }
}

function takesActivation(unit: Unit): boolean {
  return fuses(unit) && unit.activation === 'linear' && unit.dropout === undefined;
}

/** Nothing is done to the values after the layer itself, but perhaps a sum. */
export function isPlain(unit: Unit): boolean {
  return unit.activation === 'linear' && unit.dropout === undefined;
}
