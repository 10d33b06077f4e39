/** A model that was saved as files, taken in again: model.json with weights.bin, or one file of safetensors. */
import { bytesToFloat32 } from './bytes.ts';
import { HushError } from './errors.ts';
import { sizeOf } from './layerShapes.ts';
import { planLayout } from './planLayout.ts';
import type { Plan } from './plan.ts';
import { readSafetensors } from './safetensors.ts';
import type { NamedTensor } from './safetensors.ts';
import { integer, list, parseDocument, text, v } from './schema.ts';
import type { ModelParameters } from './updateStages.ts';

export interface SavedModel {
  readonly tensors: readonly NamedTensor[];
  /** The text of the plan that it came from; undefined in files that are not ours. */
  readonly planText: string | undefined;
  /** What the file says that its hash is. */
  readonly statedHash: string | undefined;
}

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const MAX_WEIGHTS = 100_000;

/** What of a tfjs layers model is looked at. Others write fields of their own. */
const layersSchema = v.object({
  weightsManifest: v.pipe(
    v.array(
      v.object({
        weights: list(
          v.object({
            name: text(400),
            shape: list(integer(0, 2 ** 31), 16),
            dtype: v.literal('float32', 'float32'),
            quantization: v.optional(v.never('none')),
          }),
          MAX_WEIGHTS,
        ),
      }),
    ),
    v.length(1, 'one group of weights'),
  ),
  userDefinedMetadata: v.optional(v.object({ plan: v.optional(v.string()), modelHash: v.optional(v.string()) })),
});

/** @throws HushError `start/…`, `safetensors/…`, naming the file and what was expected of it. */
export function readSavedModel(files: readonly NamedBytes[]): SavedModel {
  const [first, ...others] = files;
  if (first !== undefined && others.length === 0 && first.name.endsWith('.safetensors')) {
    const { tensors, metadata } = readSafetensors(first.bytes);
    return { tensors, planText: metadata['plan'], statedHash: metadata['modelHash'] };
  }
  const json = files.find(({ name }) => name.endsWith('.json'));
  const weights = files.find(({ name }) => name.endsWith('.bin'));
  if (json !== undefined && weights !== undefined && files.length === 2) return readLayersModel(json, weights);
  const names = files.map(({ name }) => `"${name}"`).join(', ') || 'none';
  throw new HushError('start/files', `Of a saved model these files were chosen: ${names}.`, {
    advice: 'Choose one file that ends in .safetensors, or model.json and weights.bin together.',
  });
}

function readLayersModel(json: NamedBytes, weights: NamedBytes): SavedModel {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json.bytes));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? cause.message : 'it is not UTF-8';
    throw new HushError('start/not-json', `"${json.name}" is not valid JSON: ${why}.`, { cause });
  }
  const { weightsManifest, userDefinedMetadata } = parseDocument(layersSchema, value, `"${json.name}"`, 'start/model');
  const named = weightsManifest[0]?.weights ?? [];
  const expectedBytes = named.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  if (weights.bytes.length !== expectedBytes) {
    const got = `"${weights.name}" has ${weights.bytes.length} bytes`;
    throw new HushError('start/weights', `${got}, expected ${expectedBytes} by "${json.name}".`, {
      advice: 'Choose the two files that were saved together.',
    });
  }
  let at = 0;
  const tensors = named.map(({ name, shape }) => {
    const begin = at;
    at += 4 * sizeOf(shape);
    return { name, shape, values: bytesToFloat32(weights.bytes.subarray(begin, at)) };
  });
  return { tensors, planText: userDefinedMetadata?.plan, statedHash: userDefinedMetadata?.modelHash };
}

/** In the order of the plan's model. @throws HushError `start/architecture`, naming the first tensor that differs. */
export function parametersFor(plan: Plan, { tensors }: SavedModel): ModelParameters {
  const { blocks, length } = planLayout(plan);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const parameters = new Float32Array(length);
  for (const { name, shape, offset } of blocks) {
    const tensor = byName.get(name);
    const same = tensor?.shape.length === shape.length && shape.every((size, i) => size === tensor.shape[i]);
    if (tensor === undefined || !same) {
      const got = tensor === undefined ? `no "${name}"` : `"${name}" of shape [${tensor.shape.join(', ')}]`;
      throw other(`it has ${got}, expected one of shape [${shape.join(', ')}]`);
    }
    parameters.set(tensor.values, offset);
    byName.delete(name);
  }
  const [more] = byName.keys();
  if (more !== undefined) throw other(`it has "${more}", which the plan's model has not`);
  if (!parameters.every(Number.isFinite)) throw other('a value in it is no finite number');
  return parameters as ModelParameters;
}

function other(what: string): HushError {
  return new HushError('start/architecture', `The saved model does not fit the plan: ${what}.`, {
    advice: 'Choose the model that the plan names, or leave the plan’s "model" as the saved one has it.',
  });
}
