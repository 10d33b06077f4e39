/** Built-in architectures, and the flat layout of their parameters, known without any training library. */
import { dense, gptNetwork, imageNetwork, resnetNetwork, valueNetwork } from './architectures.ts';
import { placeNetwork, sizeOf } from './layerShapes.ts';
import type { ParameterLayout } from './layerShapes.ts';
import { kerasNetwork, kerasWeightsSchema } from './kerasModel.ts';
import { networkOfTopology } from './layersTopology.ts';
import type { Loss, Network } from './network.ts';
import type { Decoded } from './schema.ts';
import { integer, list, v } from './schema.ts';
import { topologySchema } from './topology.ts';

const ACTIVATIONS = ['relu', 'tanh', 'sigmoid'] as const;
const LOSSES = ['softmax-cross-entropy', 'binary-cross-entropy', 'mean-squared-error'] as const;

/** Dense layers over a flat input: 784-128-10 is `{inputs: 784, hidden: [128], outputs: 10}`. */
const mlpSchema = v.strictObject({
  architecture: v.literal('mlp'),
  inputs: integer(1, 1_000_000),
  hidden: list(integer(1, 65_536), 16),
  outputs: integer(1, 65_536),
  activation: v.picklist(ACTIVATIONS, `one of ${ACTIVATIONS.join(', ')}`),
  /** Without it `softmax-cross-entropy`. */
  loss: v.optional(v.picklist(LOSSES, `one of ${LOSSES.join(', ')}`)),
});

/** One dense layer: logistic regression, or with mean squared error linear regression. */
const linearSchema = v.strictObject({
  architecture: v.literal('linear'),
  inputs: integer(1, 1_000_000),
  outputs: integer(1, 65_536),
  loss: v.optional(v.picklist(LOSSES, `one of ${LOSSES.join(', ')}`), 'softmax-cross-entropy'),
});

/** An image, one value for each channel of each pixel; two poolings halve its sides. */
const imageSizes = {
  height: integer(4, 1024),
  width: integer(4, 1024),
  channels: integer(1, 1024),
  outputs: integer(1, 65_536),
};

/** Two small convolutions and two dense layers, after LeNet-5 (LeCun et al. 1998, section II.B), with ReLU. */
const lenetSchema = v.strictObject({ architecture: v.literal('lenet'), ...imageSizes });

/** The CNN of McMahan et al. 2017, section 3: 1,663,370 parameters for 28 by 28 by 1 and ten classes. */
const cnnSchema = v.strictObject({ architecture: v.literal('cnn'), ...imageSizes });

/**
 * A small residual network in the form for CIFAR (He et al. 2016, section 4.2): three stages, each twice as wide and half
 * as large as the one before, of `blocksPerStage` blocks of two convolutions; where the shape changes, the shortcut is a
 * convolution of 1 by 1 with a normalisation (option B). ResNet-20 has 16 filters and three blocks in a stage.
 */
const resnetSchema = v.strictObject({
  architecture: v.literal('resnet'),
  ...imageSizes,
  height: integer(4, 256),
  width: integer(4, 256),
  /** Of the first stage. */
  filters: integer(1, 1024),
  blocksPerStage: integer(1, 32),
});

/** Predicts each next token from those before it, with blocks as GPT-2 has them (Radford et al. 2019, section 2.3). */
const gptSchema = v.strictObject({
  architecture: v.literal('gpt'),
  width: integer(1, 4096),
  layers: integer(1, 64),
  /** Must divide the width. */
  heads: integer(1, 64),
  length: integer(1, 4096),
  vocabulary: integer(2, 65_536),
});

/** Predicts each next token from what one long short-term memory keeps of those before it. */
const lstmSchema = v.strictObject({
  architecture: v.literal('lstm'),
  vocabulary: integer(2, 65_536),
  /** Of a token's vector. */
  width: integer(1, 4096),
  units: integer(1, 4096),
  length: integer(1, 4096),
});

/** A tfjs layers model: the topology of its model.json, which is pinned with the plan. */
const layersSchema = v.strictObject({
  architecture: v.literal('layers'),
  topology: topologySchema,
  /** The weights that its model.json lists. With them it is tfjs layers that trains it, without them our own kernels. */
  weights: v.optional(kerasWeightsSchema),
  loss: v.picklist(LOSSES, `one of ${LOSSES.join(', ')}`),
});

const SCHEMAS = [
  mlpSchema,
  linearSchema,
  lenetSchema,
  cnnSchema,
  resnetSchema,
  gptSchema,
  lstmSchema,
  layersSchema,
] as const;

export const ARCHITECTURES = SCHEMAS.map(({ entries }) => entries.architecture.literal);

export const modelSpecSchema = v.variant('architecture', [...SCHEMAS], `one of ${ARCHITECTURES.join(', ')}`);

export type ModelSpec = Decoded<typeof modelSpecSchema>;
export type MlpSpec = Decoded<typeof mlpSchema>;
type LayersSpec = Decoded<typeof layersSchema>;
export type ImageSpec = Decoded<typeof lenetSchema> | Decoded<typeof cnnSchema>;
export type ResnetSpec = Decoded<typeof resnetSchema>;
export type GptSpec = Decoded<typeof gptSchema>;

/** Widths of successive dense layers, input first. */
export function layerWidths(spec: MlpSpec): readonly number[] {
  return [spec.inputs, ...spec.hidden, spec.outputs];
}

export function parameterLayout(spec: ModelSpec): ParameterLayout {
  return placeNetwork(networkOf(spec)).layout;
}

/** A size of a model beside the field or fields of the spec that say it. */
export interface NamedSize {
  readonly field: string;
  readonly size: number;
}

/** Values, or tokens, of one example. */
export function inputsOf(spec: ModelSpec): NamedSize {
  switch (spec.architecture) {
    case 'mlp':
    case 'linear':
      return { field: 'inputs', size: spec.inputs };
    case 'lenet':
    case 'cnn':
    case 'resnet':
      return { field: 'height, width and channels', size: spec.height * spec.width * spec.channels };
    case 'gpt':
    case 'lstm':
      return { field: 'length', size: spec.length };
    case 'layers':
      return { field: 'topology, its input', size: sizeOf(placeNetwork(networkOf(spec)).input) };
    default:
      return spec satisfies never;
  }
}

/** How many values a prediction has; tokens are the classes of what continues a text. */
export function outputsOf(spec: ModelSpec): NamedSize {
  switch (spec.architecture) {
    case 'gpt':
    case 'lstm':
      return { field: 'vocabulary', size: spec.vocabulary };
    case 'layers':
      return { field: 'topology, its output', size: placeNetwork(networkOf(spec)).output.at(-1) ?? 0 };
    default:
      return { field: 'outputs', size: spec.outputs };
  }
}

export function lossOf(spec: ModelSpec): Loss {
  return ('loss' in spec ? spec.loss : undefined) ?? 'softmax-cross-entropy';
}

/** The layers of an architecture, with the spec's sizes. */
export function networkOf(spec: ModelSpec): Network {
  switch (spec.architecture) {
    case 'mlp':
      return valueNetwork(
        [spec.inputs],
        [...spec.hidden.map((units) => dense(units, spec.activation)), dense(spec.outputs)],
        lossOf(spec),
      );
    case 'linear':
      return valueNetwork([spec.inputs], [dense(spec.outputs)], lossOf(spec));
    case 'lenet':
      return imageNetwork(spec, [8, 16], 64);
    case 'cnn':
      return imageNetwork(spec, [32, 64], 512);
    case 'resnet':
      return resnetNetwork(spec);
    case 'gpt':
      return gptNetwork(spec);
    case 'lstm':
      return {
        input: { kind: 'tokens', length: spec.length, vocabulary: spec.vocabulary },
        layers: [
          { kind: 'embedding', width: spec.width, positions: false },
          { kind: 'lstm', units: spec.units },
          dense(spec.vocabulary),
        ],
        loss: 'softmax-cross-entropy',
      };
    case 'layers':
      return layersNetwork(spec);
    default:
      return spec satisfies never;
  }
}

/** A large topology is read once. */
const networks = new WeakMap<LayersSpec, Network>();

function layersNetwork(spec: LayersSpec): Network {
  const { topology, weights, loss } = spec;
  const network =
    networks.get(spec) ?? (weights ? kerasNetwork(topology, weights, loss) : networkOfTopology(topology, loss));
  networks.set(spec, network);
  return network;
}
