/** Layers of tfjs layers whose gradient tfjs 4.22 takes wrongly, done in operations whose gradient is right. */
import { reshape, tile } from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Extent, Padding } from '../../core/network.ts';
import type { KerasLayer } from './kerasDropout.ts';
import { insideOf } from './kerasDropout.ts';
import { averagePooled } from './layers.ts';

/** What of a layer's inside is not in its type. */
interface Inside {
  readonly size: Extent;
  readonly poolSize: Extent;
  readonly strides: Extent;
  readonly padding: Padding;
}

export function repair(layers: readonly KerasLayer[]): void {
  for (const layer of layers) {
    const { size, poolSize, strides, padding } = layer as unknown as Inside;
    // By ResizeNearestNeighborGrad, which mixes the images of a batch.
    if (layer.getClassName() === 'UpSampling2D') layer.call = onOne((values) => repeated(values, size));
    if (layer.getClassName() === 'AveragePooling2D' && padding === 'same') {
      layer.call = onOne((values) => averagePooled(values, { poolSize, strides, padding }, values.shape.slice(1)));
    }
    repair(insideOf(layer));
  }
}

function onOne(work: (values: Tensor4D) => Tensor): KerasLayer['call'] {
  return (inputs) => work([inputs].flat()[0] as Tensor4D);
}

/** Each row so many times, then each column. */
function repeated(values: Tensor4D, [down, across]: Extent): Tensor {
  const [count, height, width, channels] = values.shape;
  const rows = tile(reshape(values, [count * height, 1, width * channels]), [1, down, 1]);
  const columns = tile(reshape(rows, [count * height * down * width, 1, channels]), [1, across, 1]);
  return reshape(columns, [count, height * down, width * across, channels]);
}
