/** A model in the tfjs layers format: `model.json` beside one binary file of little-endian float32 weights. */
import { float32ToBytes } from './bytes.ts';
import type { Bytes } from './bytes.ts';
import { placeNetwork } from './layerShapes.ts';
import type { PlacedLayer } from './layerShapes.ts';
import { networkOf } from './modelSpec.ts';
import type { Loss, Network } from './network.ts';
import { normalisedFeatures } from './normalisation.ts';
import type { Plan } from './plan.ts';
import { NORMALISATION, planLayout } from './planLayout.ts';
import type { LaidOutPlan } from './planLayout.ts';
import type { ModelParameters } from './updateStages.ts';

/** What turns the last layer's output into a prediction. */
const OUTPUT_ACTIVATIONS: Readonly<Record<Loss, string>> = {
  'softmax-cross-entropy': 'softmax',
  'binary-cross-entropy': 'sigmoid',
  'mean-squared-error': 'linear',
};

/**
 * The Keras topology that tfjs `models.modelFromJSON` reads. A normalisation of the plan is its first layer, so that it takes
 * values as they are; the last layer gives probabilities, where the loss has any. Undefined for a model with layers that
 * Keras does not have.
 */
export function layersTopology(plan: LaidOutPlan): object | undefined {
  const network = networkOf(plan.model);
  const layers: KerasLayer[] = planLayout(plan).front > 0 ? [NORMALISATION_LAYER] : [];
  for (const each of placeNetwork(network).layers) {
    const layer = kerasLayer(each, network);
    if (!layer) return undefined;
    layers.push(layer);
  }
  return {
    class_name: 'Sequential',
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
    config: {
      name: plan.model.architecture,
      layers: layers.map((layer, i) => (i === 0 ? withInput(layer, network) : layer)),
    },
  };
}

/** (x − moving mean) / sqrt(moving variance), on the last axis. */
const NORMALISATION_LAYER: KerasLayer = {
  class_name: 'BatchNormalization',
  config: { name: NORMALISATION, trainable: false, axis: -1, epsilon: 0, center: false, scale: false },
};

interface KerasLayer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Of the layers that follow one another in the architectures; undefined for one that Keras does not have. */
function kerasLayer({ layer, index, blocks, input }: PlacedLayer, { layers, loss }: Network): KerasLayer | undefined {
  // Weights are found by their names, which begin with the layer's.
  const name = blocks[0]?.name.split('/')[0] ?? `${layer.kind}_${index}`;
  const common = { name, trainable: true };
  const make = (class_name: string, config: KerasLayer['config']): KerasLayer => ({
    class_name,
    config: { ...common, ...config },
  });
  switch (layer.kind) {
    case 'dense': {
      const activation = index === layers.length - 1 ? OUTPUT_ACTIVATIONS[loss] : layer.activation;
      return make('Dense', { units: layer.units, activation, use_bias: layer.useBias });
    }
    case 'conv2d': {
      const { filters, kernelSize, strides, padding, activation, useBias } = layer;
      return make('Conv2D', {
        filters,
        kernel_size: kernelSize,
        strides,
        padding,
        activation,
        use_bias: useBias,
        data_format: 'channels_last',
      });
    }
    case 'maxPool2d': {
      const { poolSize, strides, padding } = layer;
      return make('MaxPooling2D', { pool_size: poolSize, strides, padding, data_format: 'channels_last' });
    }
    case 'flatten':
      return make('Flatten', {});
    case 'embedding': {
      const [table, positions] = blocks;
      if (positions) return undefined;
      return make('Embedding', { input_dim: table?.shape[0], output_dim: layer.width, input_length: input[0] });
    }
    case 'lstm':
      return make('LSTM', {
        units: layer.units,
        activation: 'tanh',
        recurrent_activation: 'sigmoid',
        // Keras begins with an orthogonal matrix, whose decomposition takes long and is thrown away.
        recurrent_initializer: { class_name: 'GlorotUniform', config: {} },
        use_bias: true,
        return_sequences: true,
      });
    default:
      return undefined;
  }
}

function withInput({ class_name, config }: KerasLayer, { input }: Network): KerasLayer {
  const shape = input.kind === 'tokens' ? [input.length] : input.shape;
  return { class_name, config: { ...config, batch_input_shape: [null, ...shape], dtype: 'float32' } };
}

export interface LayersModelFiles {
  /** Text of model.json. */
  readonly modelJson: string;
  /** Content of weights.bin, which model.json names. */
  readonly weights: Bytes;
}

/**
 * `metadata` goes into model.json as `userDefinedMetadata`, which tfjs keeps, with what the model is normalised by. A model
 * that Keras cannot describe has its `network` there, as `network.ts` describes it, and no topology.
 */
export function layersModelFiles(
  plan: Plan,
  parameters: ModelParameters,
  metadata: Readonly<Record<string, unknown>>,
): LayersModelFiles {
  const weights = planLayout(plan).blocks.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const modelTopology = layersTopology(plan);
  const normalisation = normalisedFeatures(plan, parameters);
  const modelJson = JSON.stringify(
    {
      format: 'layers-model',
      generatedBy: 'hushgrad',
      convertedBy: null,
      ...(modelTopology ? { modelTopology } : { modelTopology: null, network: networkOf(plan.model) }),
      weightsManifest: [{ paths: ['weights.bin'], weights }],
      userDefinedMetadata: { ...metadata, ...(normalisation && { normalisation }) },
    },
    null,
    2,
  );
  return { modelJson, weights: float32ToBytes(parameters) };
}
