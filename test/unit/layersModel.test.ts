/** A saved model, as stock tfjs in Node reads it. */
import type * as tfjs from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bytesToFloat32 } from '../../src/core/bytes.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import { layersModelFiles, layersTopology } from '../../src/core/layersModel.ts';
import type { Topology } from '../../src/core/topology.ts';
import { networkOf, parameterLayout } from '../../src/core/modelSpec.ts';
import type { ModelSpec } from '../../src/core/modelSpec.ts';
import { networkExamples } from '../../src/core/normalisation.ts';
import type { Plan } from '../../src/core/plan.ts';
import { planLayout } from '../../src/core/planLayout.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { samplePlan } from '../reference/samplePlan.ts';
import { slowOutputs, slowRows } from '../reference/slowNetwork.ts';
import { someExamples, someParameters as parametersOf } from '../support/networks.ts';

// Its ESM has imports without extensions, which Node does not resolve.
const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tfjs;

const SPECS: readonly ModelSpec[] = [
  { architecture: 'mlp', inputs: 5, hidden: [4], outputs: 3, activation: 'relu' },
  { architecture: 'mlp', inputs: 3, hidden: [7, 2], outputs: 4, activation: 'tanh' },
  { architecture: 'mlp', inputs: 6, hidden: [3, 5, 4], outputs: 2, activation: 'sigmoid' },
  { architecture: 'mlp', inputs: 4, hidden: [], outputs: 3, activation: 'relu' },
  { architecture: 'linear', inputs: 4, outputs: 3, loss: 'softmax-cross-entropy' },
  { architecture: 'linear', inputs: 4, outputs: 2, loss: 'mean-squared-error' },
  { architecture: 'lenet', height: 9, width: 6, channels: 2, outputs: 3 },
  { architecture: 'cnn', height: 5, width: 4, channels: 1, outputs: 4 },
  { architecture: 'resnet', height: 6, width: 5, channels: 2, outputs: 3, filters: 2, blocksPerStage: 2 },
  {
    architecture: 'layers',
    topology: layersTopology({
      model: { architecture: 'cnn', height: 5, width: 4, channels: 1, outputs: 4 },
      training: {},
    }) as Topology,
    loss: 'softmax-cross-entropy',
  },
  { architecture: 'lstm', vocabulary: 5, width: 3, units: 4, length: 6 },
];

const withModel = (model: ModelSpec): Plan => ({ ...samplePlan(), model });

/** No two parameters alike, so that any other order gives other outputs. */
const someParameters = (spec: ModelSpec): ModelParameters => parametersOf(networkOf(spec), 11);

/** Probabilities of each place's classes, from the flat vector by the definition of each layer. */
function forward(spec: ModelSpec, parameters: Float32Array, input: readonly number[]): readonly number[] {
  const placed = placeNetwork(networkOf(spec));
  const logits = slowOutputs(placed, [...parameters], [input], {})[0]!;
  if (placed.network.loss === 'mean-squared-error') return logits;
  const classes = placed.output.at(-1)!;
  return logits.map((logit, i) => {
    const start = i - (i % classes);
    const all = logits.slice(start, start + classes);
    return Math.exp(logit) / all.reduce((sum, other) => sum + Math.exp(other), 0);
  });
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

describe.each(SPECS)('$architecture: $hidden $activation $loss', (spec) => {
  const { input, output } = placeNetwork(networkOf(spec));
  const parameters = someParameters(spec);
  const { modelJson, weights } = layersModelFiles(withModel(spec), parameters, { name: 'A model', rounds: 3 });

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
    expect(model.inputs[0]?.shape).toEqual([null, ...input]);
    expect(model.outputs[0]?.shape).toEqual([null, ...output]);
    const loaded = model.layers
      .flatMap((layer) => layer.weights)
      .map((weight) => ({
        name: weight.originalName,
        shape: weight.shape,
        values: weight.read().dataSync(),
      }));
    const expected = parameterLayout(spec).blocks.map(({ name, shape, offset, length }) => ({
      name,
      shape,
      values: parameters.slice(offset, offset + length),
    }));
    // tfjs lists the layers of a graph by their depth.
    const byName = (of: readonly { readonly name: string }[]) => of.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(byName(loaded)).toEqual(byName(expected));
    expect(model.getUserDefinedMetadata()).toEqual({ name: 'A model', rounds: 3 });
    model.dispose();
  });

  it('predicts what the parameters say', async () => {
    const model = await load(modelJson, weights.buffer);
    const { inputs, width } = someExamples(networkOf(spec), 5);
    const predicted = tf.tidy(() => [
      ...(model.predict(tf.tensor(inputs, [5, ...input], 'float32')) as tfjs.Tensor).dataSync(),
    ]);
    const expected = slowRows(inputs, width).flatMap((row) => forward(spec, parameters, row));
    expect(predicted).toHaveLength(expected.length);
    expected.forEach((value, k) => expect(predicted[k]).toBeCloseTo(value, 4));
    model.dispose();
  });
});

describe('a model that Keras cannot describe', () => {
  it('is saved with its network in place of a topology', () => {
    const spec: ModelSpec = { architecture: 'gpt', width: 4, layers: 1, heads: 2, length: 5, vocabulary: 6 };
    const { modelJson, weights } = layersModelFiles(withModel(spec), someParameters(spec), { name: 'A model' });
    const json = JSON.parse(modelJson) as Record<string, unknown>;
    expect(json).toMatchObject({ modelTopology: null, network: networkOf(spec) });
    expect(weights.length).toBe(4 * parameterLayout(spec).length);
  });
});

describe('a model whose plan normalises', () => {
  const specs = SPECS.filter((spec) => placeNetwork(networkOf(spec)).network.input.kind === 'values');

  it.each(specs)('takes values as they are: $architecture $hidden', async (spec) => {
    const plan = { ...withModel(spec), statistics: { normalise: true, minimumSupport: 1 } };
    const layout = planLayout(plan);
    const random = SeededRandom.of(12);
    const network = someParameters(spec);
    const parameters = new Float32Array(layout.length) as ModelParameters;
    for (let i = 0; i < layout.front; i++)
      parameters[i] = i < layout.front / 2 ? 5 * random.normal() : random.uniform();
    parameters.set(network, layout.front);
    const { modelJson, weights } = layersModelFiles(plan, parameters, { name: 'A model' });
    const model = await load(modelJson, weights.buffer);
    expect(model.getWeights().reduce((sum, { size }) => sum + size, 0)).toBe(layout.length);
    const told = (model.getUserDefinedMetadata() as { normalisation: readonly object[] }).normalisation;
    expect(told[0]).toMatchObject({ mean: parameters[0], variance: parameters[layout.front / 2] });

    const { input } = placeNetwork(networkOf(spec));
    const raw = { ...someExamples(networkOf(spec), 5), inputScale: 1 };
    const predicted = tf.tidy(() => [
      ...(model.predict(tf.tensor(raw.inputs, [5, ...input], 'float32')) as tfjs.Tensor).dataSync(),
    ]);
    const { inputs, width } = networkExamples(plan, parameters, raw);
    const expected = slowRows(inputs, width).flatMap((row) => forward(spec, network, row));
    expected.forEach((value, k) => expect(predicted[k]).toBeCloseTo(value, 4));
    model.dispose();
  });
});
