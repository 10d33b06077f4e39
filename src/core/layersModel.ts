/** A model in the tfjs layers format: `model.json` beside one binary file of little-endian float32 weights. */
import { float32ToBytes } from './bytes.ts';
import type { Bytes } from './bytes.ts';
import { placeNetwork } from './layerShapes.ts';
import type { PlacedLayer } from './layerShapes.ts';
import { networkOf } from './modelSpec.ts';
import type { ModelSpec } from './modelSpec.ts';
import { OUTPUT_ACTIVATIONS } from './topology.ts';
import type { Activation, Network } from './network.ts';
import { normalisedFeatures } from './normalisation.ts';
import { normalisedTopology } from './normalisedTopology.ts';
import type { KerasLayer, KerasTopology } from './normalisedTopology.ts';
import type { Plan } from './plan.ts';
import { planLayout } from './planLayout.ts';
import type { LaidOutPlan } from './planLayout.ts';
import type { ModelParameters } from './updateStages.ts';

/**
 * The Keras topology that tfjs `models.modelFromJSON` reads. A normalisation of the plan is its first layer, so that it takes
 * values as they are; the last layer gives probabilities, where the loss has any. Undefined for a model with layers that
 * Keras does not have.
 */
export function layersTopology(plan: LaidOutPlan): object | undefined {
  const topology = ownTopology(plan.model);
  if (!topology || planLayout(plan).front === 0) return topology;
  // A network of our own takes what a first reshape gives as its input.
  return normalisedTopology(topology, ranByTfjsLayers(plan.model) ? FIRST : FIRST_OR_RESHAPED);
}

function ownTopology(spec: ModelSpec): KerasTopology | undefined {
  if (spec.architecture === 'layers') return { ...WRITTEN_BY, ...spec.topology };
  const network = networkOf(spec);
  const { layers: placed } = placeNetwork(network);
  const layers: KerasLayer[] = [];
  for (const each of placed) {
    const layer = kerasLayer(each, network);
    if (!layer) return undefined;
    layers.push(layer);
  }
  const name = spec.architecture;
  if (placed.every(({ layer, index, from }) => layer.kind !== 'add' && from === index - 1)) {
    const [first, ...rest] = layers;
    const begun = first ? [{ ...first, config: { ...first.config, ...inputConfig(network) } }, ...rest] : [];
    return { ...WRITTEN_BY, class_name: 'Sequential', config: { name, layers: begun } };
  }
  const end = (index: number) => [index === -1 ? INPUT : (layers[index]?.config.name ?? INPUT), 0, 0] as const;
  const input = { class_name: 'InputLayer', name: INPUT, config: { name: INPUT, ...inputConfig(network) } };
  const nodes = layers.map((each, i) => {
    const { layer, from = -1 } = placed[i] ?? {};
    const reads = layer?.kind === 'add' ? [from, layer.other] : [from];
    return { ...each, name: each.config.name, inbound_nodes: [reads.map((index) => [...end(index), {}])] };
  });
  const ends = { input_layers: [end(-1)], output_layers: [end(layers.length - 1)] };
  const config = { name, layers: [{ ...input, inbound_nodes: [] }, ...nodes], ...ends };
  return { ...WRITTEN_BY, class_name: 'Functional', config };
}

function ranByTfjsLayers(spec: ModelSpec): boolean {
  return spec.architecture === 'layers' && spec.weights !== undefined;
}

const WRITTEN_BY = { keras_version: 'tfjs-layers 4.22.0', backend: 'tensor_flow.js' };
const INPUT = 'input';
/** Classes of layers that stand before the normalisation. */
const FIRST = ['InputLayer'];
const FIRST_OR_RESHAPED = ['InputLayer', 'Reshape'];

/** Undefined for one that Keras does not have. */
function kerasLayer({ layer, index, blocks, input }: PlacedLayer, { layers, loss }: Network): KerasLayer | undefined {
  // Weights are found by their names, which begin with the layer's.
  const name = blocks[0]?.name.split('/')[0] ?? `${layer.kind}_${index}`;
  const make = (class_name: string, config: object): KerasLayer => ({
    class_name,
    config: { name, trainable: true, ...config },
  });
  switch (layer.kind) {
    case 'dense': {
      const activation = index === layers.length - 1 ? OUTPUT_ACTIVATIONS[loss] : kerasActivation(layer.activation);
      return make('Dense', { units: layer.units, activation, use_bias: layer.useBias });
    }
    case 'conv2d': {
      const { filters, kernelSize, strides, padding, activation, useBias } = layer;
      return make('Conv2D', {
        filters,
        kernel_size: kernelSize,
        strides,
        padding,
        activation: kerasActivation(activation),
        use_bias: useBias,
        data_format: 'channels_last',
      });
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const { poolSize, strides, padding } = layer;
      const name = layer.kind === 'maxPool2d' ? 'MaxPooling2D' : 'AveragePooling2D';
      return make(name, { pool_size: poolSize, strides, padding, data_format: 'channels_last' });
    }
    case 'batchNorm': {
      const { momentum, epsilon } = layer;
      return make('BatchNormalization', { axis: -1, momentum, epsilon, center: true, scale: true });
    }
    case 'activation':
      return make('Activation', { activation: kerasActivation(layer.activation) });
    case 'add':
      return make('Add', {});
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

/** Keras's own "gelu" is by the error function. */
function kerasActivation(activation: Activation): string {
  return activation === 'gelu' ? 'gelu_new' : activation;
}

function inputConfig({ input }: Network): object {
  const shape = input.kind === 'tokens' ? [input.length] : input.shape;
  return { batch_input_shape: [null, ...shape], dtype: 'float32' };
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
