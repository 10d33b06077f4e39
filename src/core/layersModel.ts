/** A model in the tfjs layers format: `model.json` beside one binary file of little-endian float32 weights. */
import { float32ToBytes } from './bytes.ts';
import type { Bytes } from './bytes.ts';
import { layerWidths, parameterLayout } from './modelSpec.ts';
import type { ModelSpec } from './modelSpec.ts';
import type { ModelParameters } from './updateStages.ts';

/** The Keras topology that tfjs `models.modelFromJSON` reads. The last layer is a softmax over the outputs. */
export function layersTopology(spec: ModelSpec): object {
  const widths = layerWidths(spec);
  const layers = widths.slice(1).map((units, i) => {
    const last = i === widths.length - 2;
    const config = {
      name: `dense_${i + 1}`,
      trainable: true,
      units,
      activation: last ? 'softmax' : spec.activation,
      use_bias: true,
    };
    return {
      class_name: 'Dense',
      config: i === 0 ? { ...config, batch_input_shape: [null, spec.inputs], dtype: 'float32' } : config,
    };
  });
  return {
    class_name: 'Sequential',
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
    config: { name: spec.architecture, layers },
  };
}

export interface LayersModelFiles {
  /** Text of model.json. */
  readonly modelJson: string;
  /** Content of weights.bin, which model.json names. */
  readonly weights: Bytes;
}

/** `metadata` goes into model.json as `userDefinedMetadata`, which tfjs keeps. */
export function layersModelFiles(
  spec: ModelSpec,
  parameters: ModelParameters,
  metadata: Readonly<Record<string, unknown>>,
): LayersModelFiles {
  const weights = parameterLayout(spec).blocks.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const modelJson = JSON.stringify(
    {
      format: 'layers-model',
      generatedBy: 'hushgrad',
      convertedBy: null,
      modelTopology: layersTopology(spec),
      weightsManifest: [{ paths: ['weights.bin'], weights }],
      userDefinedMetadata: metadata,
    },
    null,
    2,
  );
  return { modelJson, weights: float32ToBytes(parameters) };
}
