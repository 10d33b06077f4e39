/** A saved model, as stock tfjs in Node reads it. */
import type * as tfjs from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bytesToFloat32 } from '../../src/core/bytes.ts';
import { layersModelFiles } from '../../src/core/layersModel.ts';
import { layerWidths, parameterLayout } from '../../src/core/modelSpec.ts';
import type { ModelSpec } from '../../src/core/modelSpec.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';

// Its ESM has imports without extensions, which Node does not resolve.
const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tfjs;

const SPECS: readonly ModelSpec[] = [
  { architecture: 'mlp', inputs: 5, hidden: [4], outputs: 3, activation: 'relu' },
  { architecture: 'mlp', inputs: 3, hidden: [7, 2], outputs: 4, activation: 'tanh' },
  { architecture: 'mlp', inputs: 6, hidden: [3, 5, 4], outputs: 2, activation: 'sigmoid' },
  { architecture: 'mlp', inputs: 4, hidden: [], outputs: 3, activation: 'relu' },
];

const ACTIVATE = {
  relu: (x: number) => Math.max(0, x),
  tanh: Math.tanh,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
} as const;

/** No two parameters alike, so that any other order gives other outputs. */
function someParameters(spec: ModelSpec): ModelParameters {
  const random = SeededRandom.of(11);
  return Float32Array.from({ length: parameterLayout(spec).length }, () => random.normal()) as ModelParameters;
}

/** The textbook's way, from the flat vector: kernel [fanIn, fanOut] row by row, then bias, layer after layer. */
function forward(spec: ModelSpec, parameters: Float32Array, input: readonly number[]): readonly number[] {
  const widths = layerWidths(spec);
  let offset = 0;
  let values = input;
  for (let layer = 1; layer < widths.length; layer++) {
    const fanOut = widths[layer]!;
    const kernel = offset;
    const bias = kernel + values.length * fanOut;
    const before = values;
    values = Array.from({ length: fanOut }, (_, unit) =>
      before.reduce((sum, value, i) => sum + value * parameters[kernel + i * fanOut + unit]!, parameters[bias + unit]!),
    );
    if (layer < widths.length - 1) values = values.map(ACTIVATE[spec.activation]);
    offset = bias + fanOut;
  }
  expect(offset).toBe(parameters.length);
  const exponentials = values.map((value) => Math.exp(value));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}

async function load(modelJson: string, weights: ArrayBuffer): Promise<tfjs.LayersModel> {
  const json = JSON.parse(modelJson) as tfjs.io.ModelJSON;
  return tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
      weightData: weights,
      ...(json.userDefinedMetadata && { userDefinedMetadata: json.userDefinedMetadata }),
    }),
  );
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

afterEach(() => tf.disposeVariables());

describe.each(SPECS)('$hidden hidden, $activation', (spec) => {
  const parameters = someParameters(spec);
  const { modelJson, weights } = layersModelFiles(spec, parameters, { name: 'A model', rounds: 3 });

  it('has its parameters as little-endian float32, in the order of the layout', () => {
    expect(bytesToFloat32(weights)).toEqual(new Float32Array(parameters));
    const { weightsManifest } = JSON.parse(modelJson) as tfjs.io.ModelJSON;
    expect(weightsManifest).toHaveLength(1);
    expect(weightsManifest[0]?.paths).toEqual(['weights.bin']);
    expect(weightsManifest[0]?.weights).toEqual(
      parameterLayout(spec).blocks.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
    );
  });

  it('loads, with names, shapes and values where the layout says', async () => {
    const model = await load(modelJson, weights.buffer);
    expect(model.countParams()).toBe(parameters.length);
    expect(model.inputs[0]?.shape).toEqual([null, spec.inputs]);
    expect(model.outputs[0]?.shape).toEqual([null, spec.outputs]);
    const loaded = model.weights.map((weight) => ({
      name: weight.originalName,
      shape: weight.shape,
      values: weight.read().dataSync(),
    }));
    expect(loaded).toEqual(
      parameterLayout(spec).blocks.map(({ name, shape, offset, length }) => ({
        name,
        shape,
        values: parameters.slice(offset, offset + length),
      })),
    );
    expect(model.getUserDefinedMetadata()).toEqual({ name: 'A model', rounds: 3 });
    model.dispose();
  });

  it('predicts what the parameters say', async () => {
    const model = await load(modelJson, weights.buffer);
    const random = SeededRandom.of(5);
    const rows = Array.from({ length: 20 }, () => Array.from({ length: spec.inputs }, () => random.normal()));
    const predicted = tf.tidy(() => (model.predict(tf.tensor2d(rows)) as tfjs.Tensor2D).arraySync());
    rows.forEach((row, i) => {
      const expected = forward(spec, parameters, row);
      expected.forEach((value, k) => expect(predicted[i]?.[k]).toBeCloseTo(value, 5));
    });
    model.dispose();
  });
});
