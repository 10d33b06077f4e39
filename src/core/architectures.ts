/** The layers of the built-in architectures that are more than a dense layer or two. */
import type { GptSpec, ImageSpec, ResnetSpec } from './modelSpec.ts';
import type { Activation, Layer, Loss, Network } from './network.ts';

export function dense(units: number, activation: Activation = 'linear', useBias = true): Layer {
  return { kind: 'dense', units, activation, useBias };
}

export function valueNetwork(
  shape: readonly number[],
  layers: readonly Layer[],
  loss: Loss = 'softmax-cross-entropy',
): Network {
  return { input: { kind: 'values', shape }, layers, loss };
}

export function imageNetwork(
  { height, width, channels, outputs }: ImageSpec,
  filters: readonly number[],
  units: number,
) {
  const stages = filters.flatMap((filters): Layer[] => [
    {
      kind: 'conv2d',
      filters,
      kernelSize: [5, 5],
      strides: [1, 1],
      padding: 'same',
      activation: 'relu',
      useBias: true,
    },
    { kind: 'maxPool2d', poolSize: [2, 2], strides: [2, 2], padding: 'valid' },
  ]);
  return valueNetwork(
    [height, width, channels],
    [...stages, { kind: 'flatten' }, dense(units, 'relu'), dense(outputs)],
  );
}

export function resnetNetwork({ height, width, channels, outputs, filters, blocksPerStage }: ResnetSpec): Network {
  const layers: Layer[] = [];
  /** Appends it and gives its index. */
  const append = (layer: Layer): number => layers.push(layer) - 1;
  const relu = (): number => append({ kind: 'activation', activation: 'relu' });
  /** A convolution of what layer `from` gives, normalised. */
  const normalised = (from: number, filters: number, size: number, stride: number): number => {
    append({
      kind: 'conv2d',
      filters,
      kernelSize: [size, size],
      strides: [stride, stride],
      padding: 'same',
      activation: 'linear',
      useBias: false,
      from,
    });
    return append({ kind: 'batchNorm', momentum: 0.9, epsilon: 1e-5 });
  };
  normalised(-1, filters, 3, 1);
  let last = relu();
  for (let stage = 0; stage < 3; stage++) {
    const wide = filters * 2 ** stage;
    for (let block = 0; block < blocksPerStage; block++) {
      const changes = stage > 0 && block === 0;
      const stride = changes ? 2 : 1;
      const other = changes ? normalised(last, wide, 1, stride) : last;
      normalised(last, wide, 3, stride);
      normalised(relu(), wide, 3, 1);
      append({ kind: 'add', other });
      last = relu();
    }
  }
  const poolSize = [height, width].map((size) => Math.ceil(Math.ceil(size / 2) / 2)) as [number, number];
  append({ kind: 'averagePool2d', poolSize, strides: poolSize, padding: 'valid' });
  return valueNetwork([height, width, channels], [...layers, { kind: 'flatten' }, dense(outputs)]);
}

export function gptNetwork({ width, layers: blocks, heads, length, vocabulary }: GptSpec): Network {
  const norm: Layer = { kind: 'layerNorm', epsilon: 1e-5 };
  const layers: Layer[] = [{ kind: 'embedding', width, positions: true }];
  /** Adds what `part` makes of the last layer's output to that output. */
  const addResidual = (part: readonly Layer[]): void => {
    const other = layers.length - 1;
    layers.push(...part, { kind: 'add', other });
  };
  for (let block = 0; block < blocks; block++) {
    addResidual([norm, dense(3 * width), { kind: 'attention', heads }, dense(width)]);
    addResidual([norm, dense(4 * width, 'gelu'), dense(width)]);
  }
  layers.push(norm, dense(vocabulary, 'linear', false));
  return { input: { kind: 'tokens', length, vocabulary }, layers, loss: 'softmax-cross-entropy' };
}
