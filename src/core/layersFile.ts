/** The model.json of a tfjs layers model, as a person chooses it: what a plan takes of it. */
import { HushError, asHushError } from './errors.ts';
import { networkOfTopology, OUTPUT_ACTIVATIONS, topologySchema } from './layersTopology.ts';
import type { Topology } from './layersTopology.ts';
import type { Loss } from './network.ts';
import { parseDocument } from './schema.ts';

/** As the field `model` of a plan has it. */
export interface LayersModel {
  readonly architecture: 'layers';
  readonly loss: Loss;
  readonly topology: Topology;
}

/**
 * `learnsValues`: the plan's task is a regression, so that a last layer without an activation gives values, not logits.
 * Weights stay in their file. @throws HushError `model/file`, naming the file, in it the layer, and what was expected.
 */
export function readModelFile(name: string, text: string, learnsValues: boolean): LayersModel {
  const topology = topologyIn(`“${name}”`, text);
  try {
    const last = topology.config.layers.at(-1);
    const activation = last?.class_name === 'Softmax' ? 'softmax' : last?.config['activation'];
    const loss = lossOf(activation, learnsValues);
    networkOfTopology(topology, loss);
    return { architecture: 'layers', loss, topology };
  } catch (cause) {
    const { message, advice } = asHushError(cause, 'model/file');
    throw new HushError('model/file', `“${name}”: ${message}`, { advice, cause });
  }
}

function lossOf(activation: unknown, learnsValues: boolean): Loss {
  if (activation === OUTPUT_ACTIVATIONS['softmax-cross-entropy']) return 'softmax-cross-entropy';
  if (activation === OUTPUT_ACTIVATIONS['binary-cross-entropy'] && !learnsValues) return 'binary-cross-entropy';
  return learnsValues ? 'mean-squared-error' : 'softmax-cross-entropy';
}

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
