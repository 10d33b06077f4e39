/** Files of models that are chosen for a plan: what is taken of them, and what is said about those that will not do. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { HushError } from '../../src/core/errors.ts';
import { readModelFile } from '../../src/core/layersFile.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { planFacts } from '../../src/ui/planFacts.ts';
import { withModel } from '../../src/ui/planText.ts';
import { planDocument } from '../support/planDocument.ts';

interface Layer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inbound_nodes?: unknown;
}

function layer(class_name: string, name: string, config: object = {}): Layer {
  return { class_name, config: { name, ...config } };
}

const FIRST = layer('Dense', 'first', { units: 4, activation: 'relu', batch_input_shape: [null, 5] });
const LAST = layer('Dense', 'last', { units: 3, activation: 'softmax' });
const IMAGE = layer('InputLayer', 'image', { batch_input_shape: [null, 8, 8, 1] });

function sequential(...layers: readonly Layer[]) {
  return { class_name: 'Sequential', config: { name: 'mine', layers } };
}

function file(topology: unknown): string {
  return JSON.stringify({ format: 'layers-model', modelTopology: topology, weightsManifest: [] });
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(HushError);
    return (error as HushError).message;
  }
  return 'taken';
}

describe('a model file', () => {
  it('is taken whether tfjs or Keras wrote it, or it is the topology alone', () => {
    const topology = sequential(FIRST, LAST);
    const expected = { architecture: 'layers', loss: 'softmax-cross-entropy', topology };
    expect(readModelFile('model.json', file({ keras_version: '2', ...topology }), false)).toEqual(expected);
    expect(readModelFile('model.json', file({ model_config: topology }), false)).toEqual(expected);
    expect(readModelFile('model.json', JSON.stringify(topology), false)).toEqual(expected);
    const old = file({ class_name: 'Sequential', config: [FIRST, LAST] });
    expect(readModelFile('model.json', old, false).topology.config).toEqual({ layers: [FIRST, LAST] });
  });

  it.each([
    ['softmax', false, 'softmax-cross-entropy'],
    ['sigmoid', false, 'binary-cross-entropy'],
    ['linear', false, 'softmax-cross-entropy'],
    ['linear', true, 'mean-squared-error'],
    ['sigmoid', true, 'mean-squared-error'],
  ])('that ends in %s, for values %s, is trained with %s', (activation, learnsValues, loss) => {
    const text = file(sequential(FIRST, layer('Dense', 'last', { units: 1, activation })));
    expect(readModelFile('model.json', text, learnsValues).loss).toBe(loss);
  });

  it('goes into a plan, which stays as it was otherwise, and names it in its facts', () => {
    const text = JSON.stringify(planDocument(), null, 2);
    const model = readModelFile('model.json', file(sequential(FIRST, LAST)), false);
    const changed = withModel(text, model) ?? '';
    expect(JSON.parse(changed)).toEqual({ ...planDocument(), model });
    const { plan } = parsePlan(utf8(changed));
    expect(planFacts(plan)[0]?.value).toMatch(/^2\slayers of a model file, 5 inputs, 3 outputs \(layers\)$/);
    expect(withModel('{}', model)).toBeUndefined();
  });
});

describe('what is no model file', () => {
  it.each([
    ['{"modelTopology": ', '“m.json” is not JSON: '],
    ['[]', '“m.json” holds no object, expected the model.json of a tfjs layers model.'],
    [
      '{"format": "graph-model", "modelTopology": {"node": []}}',
      '“m.json” is a graph model, whose layers are gone, expected the model.json of a tfjs layers model.',
    ],
    ['{"a": 1}', '“m.json” is without a "modelTopology", expected the model.json of a tfjs layers model.'],
    [
      file({ class_name: 'Sequence', config: { layers: [] } }),
      '“m.json”: "class_name" is "Sequence", expected one of Sequential, Functional, Model.',
    ],
    [file({ class_name: 'Sequential', config: {} }), '“m.json”: "config.layers" is missing, expected a list.'],
  ])('%s', (text, message) => {
    expect(messageOf(() => readModelFile('m.json', text, false))).toContain(message);
  });
});

/** Functional, of an input of five values. */
function graph(...layers: readonly Layer[]) {
  const input = { ...layer('InputLayer', 'in', { batch_input_shape: [null, 5] }), inbound_nodes: [] };
  const last = layers.at(-1)?.config['name'];
  const ends = { input_layers: [['in', 0, 0]], output_layers: [[last, 0, 0]] };
  return { class_name: 'Functional', config: { name: 'mine', layers: [input, ...layers], ...ends } };
}

function reading(of: Layer, ...names: readonly string[]): Layer {
  return { ...of, inbound_nodes: [names.map((name) => [name, 0, 0, {}])] };
}

const conv = (config: object) => layer('Conv2D', 'c', { filters: 2, kernel_size: [3, 3], ...config });
const lstm = (config: object) =>
  layer('LSTM', 'l', { units: 2, return_sequences: true, recurrent_activation: 'sigmoid', ...config });
const two = layer('Dense', 'two', { units: 2 });

describe('a layer that cannot be trained', () => {
  it.each<[string, object]>([
    [
      'Layer "u" (UpSampling2D) is of a class that is not known here, expected one of InputLayer, Dense, ',
      sequential(IMAGE, layer('UpSampling2D', 'u'), LAST),
    ],
    [
      'Layer "c" (Conv2D): "dilation_rate" is [2,2], expected 1.',
      sequential(IMAGE, conv({ dilation_rate: [2, 2] }), LAST),
    ],
    [
      'Layer "c" (Conv2D): "padding" is "causal", expected one of same, valid.',
      sequential(IMAGE, conv({ padding: 'causal' }), LAST),
    ],
    [
      'Layer "c" (Conv2D): "data_format" is "channels_first", expected channels_last.',
      sequential(IMAGE, conv({ data_format: 'channels_first' }), LAST),
    ],
    [
      'Layer "c" (Conv2D): "activation" is "selu", expected one of linear, relu, tanh, sigmoid, gelu_new.',
      sequential(IMAGE, conv({ activation: 'selu' }), LAST),
    ],
    [
      'Layer "c" (Conv2D): "kernel_regularizer" is set, expected none.',
      sequential(IMAGE, conv({ kernel_regularizer: {} }), LAST),
    ],
    ['Layer "c" (Conv2D): "trainable" is false, expected true', sequential(IMAGE, conv({ trainable: false }), LAST)],
    [
      'Layer "c" (Conv2D): "filters" is missing, expected an integer from 1 to 65536.',
      sequential(IMAGE, layer('Conv2D', 'c', { kernel_size: 3 }), LAST),
    ],
    [
      'Layer "c", conv2d, is given [5], expected [height, width, channels].',
      sequential(layer('InputLayer', 'i', { batch_input_shape: [null, 5] }), conv({}), LAST),
    ],
    [
      'Layer "l" (LSTM): "return_sequences" is false, expected true.',
      sequential(
        layer('InputLayer', 'i', { batch_input_shape: [null, 5, 2] }),
        lstm({ return_sequences: false }),
        LAST,
      ),
    ],
    [
      'Layer "l" (LSTM): "recurrent_activation" is "hard_sigmoid", expected sigmoid.',
      sequential(
        layer('InputLayer', 'i', { batch_input_shape: [null, 5, 2] }),
        lstm({ recurrent_activation: 'hard_sigmoid' }),
        LAST,
      ),
    ],
    [
      'Layer "n" (BatchNormalization): "axis" is 1, expected the last one, -1.',
      sequential(IMAGE, layer('BatchNormalization', 'n', { axis: 1 }), LAST),
    ],
    [
      'Layer "r" (Reshape): "target_shape" is [4,1], expected [4], or another shape right after the input.',
      sequential(FIRST, layer('Reshape', 'r', { target_shape: [4, 1] }), LAST),
    ],
    [
      'Layer "r" (Reshape): "target_shape" is [3, -1], expected 64 values.',
      sequential(IMAGE, layer('Reshape', 'r', { target_shape: [3, -1] }), LAST),
    ],
    [
      'Layer "r" (ReLU): "max_value" is 6, expected null.',
      sequential(FIRST, layer('ReLU', 'r', { max_value: 6 }), LAST),
    ],
    [
      'Layer "first input" (InputLayer): "batch_input_shape" is missing, expected the shape of a batch',
      sequential(layer('Dense', 'first', { units: 4 }), LAST),
    ],
    [
      'Layer "i" (InputLayer): "batch_input_shape" is [null,null,3], expected a size for each axis but the first.',
      sequential(layer('InputLayer', 'i', { batch_input_shape: [null, null, 3] }), LAST),
    ],
    ['Layer "last" (Dense) is there twice, expected each name once.', sequential(FIRST, LAST, LAST)],
    [
      'Layer "a" (Add) reads 1, expected two layers or more.',
      graph(reading(two, 'in'), reading(layer('Add', 'a'), 'two')),
    ],
    [
      'Layer "b" (Embedding) is given [8, 8, 1], expected tokens.',
      sequential(IMAGE, layer('Embedding', 'b', { input_dim: 5, output_dim: 2 }), LAST),
    ],
    ['Layer "two" (Dense) reads nobody, expected layers before it.', graph(reading(two, 'nobody'))],
    ['Layer "two" (Dense) reads in, in, expected one layer.', graph(reading(two, 'in', 'in'))],
    ['Layer "two" (Dense): "inbound_nodes" is missing, expected what it reads, once', graph(two)],
    [
      'The output of the model is "i", expected its last layer.',
      sequential(layer('InputLayer', 'i', { batch_input_shape: [null, 5] })),
    ],
  ])('%s', (message, topology) => {
    expect(messageOf(() => readModelFile('m.json', file(topology), false))).toContain(`“m.json”: ${message}`);
  });
});

describe('a plan with a topology', () => {
  const planOf = (loss: string, changes: object, ...layers: readonly Layer[]) =>
    utf8(
      JSON.stringify({
        ...planDocument(),
        ...changes,
        model: { architecture: 'layers', loss, topology: sequential(...layers) },
      }),
    );
  const images = {
    task: { kind: 'classification', classes: ['a', 'b', 'c'] },
    data: {
      kind: 'private',
      schema: { kind: 'images', height: 8, width: 6, channels: 1, fit: 'crop', classes: ['a', 'b', 'c'] },
    },
  };
  const texts = {
    task: { kind: 'next-token' },
    data: { kind: 'private', schema: { kind: 'text', tokens: { kind: 'bytes' }, length: 8, stride: 8 } },
  };
  const read = layer('Embedding', 'e', { input_dim: 256, output_dim: 2, batch_input_shape: [null, 8] });
  const tokens = layer('Dense', 'last', { units: 256, activation: 'softmax' });

  it.each<[string, string, object, readonly Layer[]]>([
    ['taken', 'softmax-cross-entropy', {}, [FIRST, LAST]],
    ['taken', 'softmax-cross-entropy', texts, [read, lstm({}), tokens]],
    ['taken', 'softmax-cross-entropy', images, [layer('Flatten', 'f', { batch_input_shape: [null, 8, 6, 1] }), LAST]],
    [
      'taken',
      'softmax-cross-entropy',
      images,
      [layer('Reshape', 'f', { target_shape: [8, 6, 1], batch_input_shape: [null, 48] }), layer('Flatten', 'g'), LAST],
    ],
    [
      'Plan: "model.topology": Layer "last" (Dense): "activation" is "softmax", expected sigmoid for the loss binary-cross-entropy.',
      'binary-cross-entropy',
      {},
      [FIRST, LAST],
    ],
    [
      'Plan: "model.topology, its output" is 4, expected the number of task.classes, 3.',
      'softmax-cross-entropy',
      {},
      [layer('Dense', 'd', { units: 4, batch_input_shape: [null, 5] })],
    ],
    [
      'Plan: "model.topology" is "without weights", expected a layer that learns.',
      'softmax-cross-entropy',
      {},
      [layer('Flatten', 'f', { batch_input_shape: [null, 3] })],
    ],
    [
      'Plan: "model.topology, its output" is "shape 8 × 3", expected one row of values.',
      'softmax-cross-entropy',
      {},
      [layer('Dense', 'd', { units: 3, batch_input_shape: [null, 8, 6] })],
    ],
    [
      'Plan: "model.topology, its input" is "values of shape 5", expected values of shape 8 × 6 × 1 of data.schema.',
      'softmax-cross-entropy',
      images,
      [FIRST, LAST],
    ],
    [
      'Plan: "model.topology, its input" is "8 tokens out of 100", expected 8 tokens out of 256 of data.schema.',
      'softmax-cross-entropy',
      texts,
      [layer('Embedding', 'e', { input_dim: 100, output_dim: 2, batch_input_shape: [null, 8] }), tokens],
    ],
    [
      'Plan: "model.loss" is "hinge", expected one of softmax-cross-entropy, binary-cross-entropy, mean-squared-error.',
      'hinge',
      {},
      [FIRST, LAST],
    ],
  ])('%s', (message, loss, changes, layers) => {
    expect(messageOf(() => parsePlan(planOf(loss, changes, ...layers)))).toBe(message);
  });
});
