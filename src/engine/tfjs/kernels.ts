/** Which layers a backend can train: tfjs lets a missing kernel be known only when a gradient asks for it. */
import { getKernel } from '@tensorflow/tfjs-core';
import { HushError } from '../../core/errors.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { Layer } from '../../core/network.ts';
import type { BackendName } from './backend.ts';

/** Of the kernels that a layer's training takes, those that not every backend has. */
const SCARCE: Partial<Record<Layer['kind'], readonly string[]>> = {
  conv2d: ['Conv2D', 'Conv2DBackpropFilter', 'Conv2DBackpropInput'],
  depthwiseConv2d: [
    'DepthwiseConv2dNative',
    'DepthwiseConv2dNativeBackpropFilter',
    'DepthwiseConv2dNativeBackpropInput',
  ],
  maxPool2d: ['MaxPool', 'MaxPoolGrad'],
  averagePool2d: ['AvgPool', 'AvgPoolGrad'],
};

/** The gradient of looking rows up in a table. */
export const SCATTER_KERNEL = 'UnsortedSegmentSum';

/** @throws HushError `engine/unsupported`, naming the first layer that this backend cannot train. */
export function checkKernels({ layers }: PlacedNetwork, backend: BackendName): void {
  for (const { layer, index } of layers) {
    const missing = SCARCE[layer.kind]?.find((kernel) => !hasKernel(kernel, backend));
    if (missing === undefined) continue;
    throw new HushError(
      'engine/unsupported',
      `The ${backend} engine cannot train layer ${index}, ${layer.kind}: tfjs has no ${missing} for it.`,
      { advice: 'Another engine is needed for this model.' },
    );
  }
}

export function hasKernel(kernel: string, backend: string): boolean {
  return Boolean(getKernel(kernel, backend));
}
