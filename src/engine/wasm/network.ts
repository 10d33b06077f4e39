/** A network, compiled: one WebAssembly module, and where in its memory everything is. */
import type { Bytes } from '../../core/bytes.ts';
import { HushError } from '../../core/errors.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedLayer, PlacedNetwork } from '../../core/layerShapes.ts';
import { needsTfjsLayers } from '../availability.ts';
import { attentionLayer } from './attention.ts';
import { writeBarrier } from './barrier.ts';
import { batchNormLayer } from './batchNorm.ts';
import { convolutionLayer } from './convolution.ts';
import { denseLayer } from './dense.ts';
import { depthwiseLayer } from './depthwise.ts';
import { embeddingLayer } from './embedding.ts';
import { stagingKernels } from './staging.ts';
import { layerNormLayer } from './layerNorm.ts';
import { lossKernels, TALLY_BYTES } from './losses.ts';
import type { LossPlaces } from './losses.ts';
import { Machine } from './machine.ts';
import type { Built, Phase, Tensor, Weights } from './machine.ts';
import {
  activationLayer,
  addLayer,
  backThroughActivation,
  backThroughDropout,
  dropoutLayer,
  passBack,
} from './pointwise.ts';
import { poolingLayer } from './pooling.ts';
import type { Arithmetic } from './product.ts';
import { NORM_BYTES, writeUpdates } from './updates.ts';
import type { Rates, Vectors } from './updates.ts';

/** Of 64 KiB: what 32-bit addresses reach. */
export const MOST_PAGES = 65_536;

export interface CompiledNetwork {
  readonly placed: PlacedNetwork;
  readonly module: Bytes;
  /** Bytes of memory that it needs. */
  readonly bytes: number;
  /** Most examples in a batch. */
  readonly capacity: number;
  readonly threads: number;
  /** Names of the kernels of each phase, and of all that are exported. */
  readonly kernels: Readonly<Record<Phase, readonly string[]>>;
  readonly names: readonly string[];
  /** Addresses of what helper threads are told: the list to run, and whether to break it off. */
  readonly list: number;
  readonly abort: number;
  readonly vectors: Vectors;
  readonly rates: Rates;
  readonly loss: LossPlaces;
  /** Address of what the last layer gives for a batch. */
  readonly output: number;
  /** Address of a batch's inputs as they come, before they are floats. */
  readonly staging: number;
  /** Address of the factor for inputs. */
  readonly inputScale: number;
  readonly scratch: { readonly at: number; readonly size: number };
  /** Key words of dropout layers by the layer's index. */
  readonly dropoutKeys: ReadonlyMap<number, number>;
  readonly presets: Machine['presets'];
}

/** @throws HushError `engine/unsupported`, naming the layer. */
export function compileNetwork(
  placed: PlacedNetwork,
  capacity: number,
  arithmetic: Arithmetic,
  threads: number,
): CompiledNetwork {
  const machine = new Machine(capacity, arithmetic, threads);
  const { layout, network, targets } = placed;
  const vector = (): number => machine.allocate(4 * layout.length);
  const vectors: Vectors = {
    weight: vector(),
    gradient: vector(),
    anchor: vector(),
    first: vector(),
    second: vector(),
  };
  const [rate, remains, momentum] = [machine.controlWord(), machine.controlWord(), machine.controlWord()];
  const [correction, proximal, maxNorm] = [machine.controlWord(), machine.controlWord(), machine.controlWord()];
  const rates: Rates = { rate, remains, momentum, correction, proximal, maxNorm };
  const inputScale = machine.controlWord();
  const loss: LossPlaces = {
    targets: machine.perExample(targets),
    tallies: machine.allocate(TALLY_BYTES * threads),
    counts: machine.controlWord(),
  };
  const size = sizeOf(placed.input);
  const staging = machine.perExample(size);
  const isTokens = network.input.kind === 'tokens';
  const input: Tensor = {
    value: isTokens ? staging : machine.perExample(size),
    gradient: 0,
    size,
    learns: false,
    hasGradient: false,
  };
  if (!isTokens) stagingKernels(machine, size, staging, input.value, inputScale);
  const dropoutKeys = new Map<number, number>();
  const weights: Weights = { weight: vectors.weight, gradient: vectors.gradient };
  const built: Built[] = [];
  const outputOf = (index: number): Tensor => (index === -1 ? input : (built[index]?.output ?? input));
  for (const layer of placed.layers) {
    built.push(buildLayer(machine, layer, outputOf, weights, dropoutKeys));
  }
  const output = built.at(-1)?.output ?? input;
  lossKernels(machine, placed, output, loss);
  for (const layer of built.toReversed()) {
    // What the loss does not depend on keeps a gradient of zero.
    if (layer.output.hasGradient) layer.backward();
  }
  writeUpdates(machine, layout, vectors, rates, machine.allocate(NORM_BYTES * threads));
  const scratch = machine.placeScratch();
  if (threads > 1) writeBarrier(machine, threads);
  const abort = machine.allocate(4);
  const list = machine.allocate(4 * (machine.names.length + 1));
  return {
    placed,
    capacity,
    threads,
    vectors,
    rates,
    loss,
    output: output.value,
    staging,
    inputScale,
    scratch,
    dropoutKeys,
    bytes: machine.end,
    list,
    abort,
    names: machine.names,
    module: machine.module.bytes(threads > 1 ? { pages: 1, sharedUpTo: MOST_PAGES } : { pages: 1 }, 'imported'),
    kernels: machine.kernels,
    presets: machine.presets,
  };
}

function buildLayer(
  machine: Machine,
  placed: PlacedLayer,
  outputOf: (index: number) => Tensor,
  weights: Weights,
  dropoutKeys: Map<number, number>,
): Built {
  const { layer, index } = placed;
  const source = outputOf(placed.from);
  const passing = (output: Tensor, backward: () => void): Built => ({
    output,
    backward: () => {
      if (source.learns) backward();
    },
  });
  switch (layer.kind) {
    case 'dense':
      return denseLayer(machine, layer, placed, source, weights);
    case 'conv2d':
      return convolutionLayer(machine, layer, placed, source, weights);
    case 'depthwiseConv2d':
      return depthwiseLayer(machine, layer, placed, source, weights);
    case 'maxPool2d':
    case 'averagePool2d':
      return poolingLayer(machine, layer, placed, source);
    case 'batchNorm':
      return batchNormLayer(machine, layer, placed, source, weights);
    case 'layerNorm':
      return layerNormLayer(machine, layer, placed, source, weights);
    case 'dropout': {
      if (layer.rate === 0) return { output: source, backward: () => undefined };
      const dropout = { rate: layer.rate, key: machine.controlWord() };
      dropoutKeys.set(index, dropout.key);
      const output = dropoutLayer(machine, source, dropout);
      return passing(output, () => backThroughDropout(machine, source, output, dropout));
    }
    case 'embedding':
      return embeddingLayer(machine, layer, placed, source.value, weights);
    case 'attention':
      return attentionLayer(machine, layer, placed, source);
    case 'activation': {
      const output = activationLayer(machine, source, layer.activation);
      return passing(output, () => backThroughActivation(machine, source, output, layer.activation));
    }
    case 'add': {
      const other = outputOf(layer.other);
      const output = addLayer(machine, source, other);
      const backward = (): void => {
        passBack(machine, source, output);
        passBack(machine, other, output);
      };
      return { output, backward };
    }
    case 'flatten':
      return { output: source, backward: () => undefined };
    case 'lstm':
      throw new HushError('engine/unsupported', `The compiled-wasm engine cannot train layer ${index}, an lstm.`, {
        advice: 'Use another engine.',
      });
    case 'keras':
      throw needsTfjsLayers('compiled-wasm');
    default:
      return layer satisfies never;
  }
}
