/** The model.json of a tfjs layers model, as a person chooses it: what a plan takes of it. */
import { HushError, asHushError } from './errors.ts';
import { kerasNetwork, kerasWeightsSchema } from './kerasModel.ts';
import type { Weights } from './kerasModel.ts';
import { networkOfTopology } from './layersTopology.ts';
import type { Loss } from './network.ts';
import { list, parseDocument, v } from './schema.ts';
import { OUTPUT_ACTIVATIONS, topologySchema } from './topology.ts';
import type { KerasLayer, Topology } from './topology.ts';

/** As the field `model` of a plan has it. */
export interface LayersModel {
  readonly architecture: 'layers';
  readonly loss: Loss;
  readonly topology: Topology;
  /** Only where tfjs layers trains it. */
  readonly weights?: Weights;
}

/**
 * `learnsValues`: the plan's task is a regression, so that a last layer without an activation gives values, not logits.
 * Weights stay in their file. @throws HushError `model/file`, naming the file, in it the layer, and what was expected.
 */
export function readModelFile(name: string, text: string, learnsValues: boolean): LayersModel {
  const topology = topologyIn(`“${name}”`, text);
  try {
    const loss = lossOf(activationOf(topology.config.layers.at(-1)), learnsValues);
    return { architecture: 'layers', loss, topology, ...trainable(topology, loss, () => weightsIn(text)) };
  } catch (cause) {
    const { message, advice } = asHushError(cause, 'model/file');
    throw new HushError('model/file', `“${name}”: ${message}`, { advice, cause });
  }
}

/** What our own kernels cannot train, tfjs layers does: by the weights that the file lists, since only it knows them. */
function trainable(topology: Topology, loss: Loss, weightsOf: () => Weights | undefined): { weights?: Weights } {
  try {
    networkOfTopology(topology, loss);
    return {};
  } catch (cause) {
    if (!(cause instanceof HushError) || cause.code !== 'model/unsupported') throw cause;
    const weights = weightsOf();
    if (!weights) throw new HushError(cause.code, cause.message, { advice: WITH_WEIGHTS, cause });
    kerasNetwork(topology, weights, loss);
    return { weights };
  }
}

const WITH_WEIGHTS =
  'Other layers are trained by tfjs layers, for which the model.json has to list its weights: save the model with them.';

/** Undefined where the file lists none. */
function weightsIn(text: string): Weights | undefined {
  const { weightsManifest } = parseDocument(manifestSchema, JSON.parse(text), 'Weights', 'model/file');
  const weights = weightsManifest?.flatMap((group) => group.weights) ?? [];
  return weights.length > 0 ? weights.map(({ name, shape }) => ({ name, shape })) : undefined;
}

function activationOf(layer: KerasLayer | undefined): unknown {
  if (layer?.class_name === 'Softmax') return 'softmax';
  if (layer?.class_name === 'TimeDistributed') return activationOf(layer.config['layer'] as KerasLayer | undefined);
  return layer?.config?.['activation'];
}

function lossOf(activation: unknown, learnsValues: boolean): Loss {
  if (activation === OUTPUT_ACTIVATIONS['softmax-cross-entropy']) return 'softmax-cross-entropy';
  if (activation === OUTPUT_ACTIVATIONS['binary-cross-entropy'] && !learnsValues) return 'binary-cross-entropy';
  return learnsValues ? 'mean-squared-error' : 'softmax-cross-entropy';
}

const manifestSchema = v.looseObject({
  weightsManifest: v.nullish(
    v.array(
      v.looseObject({
        weights: list(
          v.looseObject({
            ...kerasWeightsSchema.item.entries,
            dtype: v.literal('float32', 'float32'),
            quantization: v.optional(v.never('none: save it without')),
          }),
          10_000,
        ),
      }),
    ),
  ),
});

const ADVICE = 'Save it with model.save() in tfjs, or convert it with --output_format=tfjs_layers_model.';

function topologyIn(what: string, text: string): Topology {
  const file = objectIn(what, text);
  const wrong = (got: string): HushError =>
    new HushError('model/file', `${what} is ${got}, expected the model.json of a tfjs layers model.`, {
      advice: ADVICE,
    });
  if (file['format'] === 'graph-model') throw wrong('a graph model, whose layers are gone');
  // From Python the model is one field further in, and the file may be the topology alone.
  const outer = fieldsOf(file['modelTopology']) ?? file;
  const { class_name, config } = fieldsOf(outer['model_config']) ?? outer;
  if (class_name === undefined || config === undefined) throw wrong('without a "modelTopology"');
  const listed = Array.isArray(config) ? { layers: config as readonly unknown[] } : config;
  return parseDocument(topologySchema, { class_name, config: listed }, what, 'model/file');
}

function objectIn(what: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HushError('model/file', `${what} is not JSON: ${why}.`, { advice: ADVICE, cause });
  }
  const fields = fieldsOf(value);
  if (fields) return fields;
  throw new HushError('model/file', `${what} holds no object, expected the model.json of a tfjs layers model.`);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
