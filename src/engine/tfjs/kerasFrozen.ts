/** Batch normalisations of tfjs layers that a plan freezes: they use and keep their moving mean and variance. */
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { KerasLayer } from './kerasDropout.ts';

export function holdStill(layers: readonly KerasLayer[], isFrozen: (weight: LayerVariable) => boolean): void {
  for (const layer of layers) {
    if (layer.getClassName() !== 'BatchNormalization' || !layer.weights.some(isFrozen)) continue;
    const call = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => call(inputs, { ...kwargs, training: false });
  }
}
