/** Plans on people's own files: task, data and model must go together, and what does not is named. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { HushError } from '../../src/core/errors.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { planDocument } from '../support/planDocument.ts';

const TABLE = {
  kind: 'table',
  columns: [
    { name: 'a', type: 'number' },
    { name: 'b', type: 'category', categories: { kind: 'list', names: ['p', 'q'] }, missing: 'own category' },
    { name: 'c', type: 'ignored' },
  ],
  target: { name: 'y', kind: 'class', classes: ['u', 'v'] },
};
const VALUES = { ...TABLE, target: { name: 'y', kind: 'value' } };
const IMAGES = { kind: 'images', height: 8, width: 6, channels: 3, fit: 'crop', classes: ['u', 'v'] };
const TEXT = { kind: 'text', tokens: { kind: 'bytes' }, length: 16, stride: 8 };

const CLASSES = { kind: 'classification', classes: ['u', 'v'] };
const VALUE = { kind: 'regression' };
const TOKENS = { kind: 'next-token' };

const MLP = { architecture: 'mlp', inputs: 4, hidden: [3], outputs: 2, activation: 'relu' };
const LINE = { architecture: 'linear', inputs: 4, outputs: 1, loss: 'mean-squared-error' };
const LOGISTIC = { ...LINE, loss: 'binary-cross-entropy' };
const CNN = { architecture: 'lenet', height: 8, width: 6, channels: 3, outputs: 2 };
const GPT = { architecture: 'gpt', width: 4, layers: 1, heads: 2, length: 16, vocabulary: 256 };

function read(task: object, schema: object, model: object) {
  return parsePlan(utf8(JSON.stringify({ ...planDocument(), task, data: { kind: 'private', schema }, model }))).plan;
}

function refusal(task: object, schema: object, model: object): string {
  try {
    read(task, schema, model);
  } catch (error) {
    expect(error).toBeInstanceOf(HushError);
    expect((error as HushError).code).toBe('plan/invalid');
    return (error as HushError).message;
  }
  throw new Error('The plan was taken.');
}

describe('what goes together', () => {
  it.each([
    ['a table of classes and a multilayer perceptron', CLASSES, TABLE, MLP],
    [
      'a table of classes and logistic regression',
      CLASSES,
      TABLE,
      { ...LINE, outputs: 2, loss: 'softmax-cross-entropy' },
    ],
    ['a table of two classes and logistic regression with one output', CLASSES, TABLE, LOGISTIC],
    ['a table of values and linear regression', VALUE, VALUES, LINE],
    [
      'a table of values and a multilayer perceptron',
      VALUE,
      VALUES,
      { ...MLP, outputs: 1, loss: 'mean-squared-error' },
    ],
    ['images and a convolutional network', CLASSES, IMAGES, CNN],
    ['images and a multilayer perceptron', CLASSES, IMAGES, { ...MLP, inputs: 144 }],
    ['text and a transformer', TOKENS, TEXT, GPT],
    ['text and an LSTM', TOKENS, TEXT, { architecture: 'lstm', vocabulary: 256, width: 4, units: 4, length: 16 }],
  ])('%s', (_, task, schema, model) => {
    const { data } = read(task, schema, model);
    expect(data).toMatchObject({ kind: 'private', schema: { kind: schema.kind } });
  });
});

describe('what does not', () => {
  it.each<[field: string, got: string, expected: string, task: object, schema: object, model: object]>([
    ['model.inputs', '5', '4, the values of one example', CLASSES, TABLE, { ...MLP, inputs: 5 }],
    ['model.outputs', '3', 'the number of task.classes, 2', CLASSES, TABLE, { ...MLP, outputs: 3 }],
    ['model.outputs', '2', '1, the value that is learnt', VALUE, VALUES, { ...LINE, outputs: 2 }],
    [
      'model.loss',
      '"mean-squared-error"',
      '"softmax-cross-entropy" or, of two classes, "binary-cross-entropy" for the task classification',
      CLASSES,
      TABLE,
      { ...MLP, loss: 'mean-squared-error' },
    ],
    ['model.outputs', '2', '1 for the loss binary-cross-entropy', CLASSES, TABLE, { ...LOGISTIC, outputs: 2 }],
    [
      'model.loss',
      '"softmax-cross-entropy"',
      '"mean-squared-error" for the task regression',
      VALUE,
      VALUES,
      { ...MLP, outputs: 1 },
    ],
    [
      'model.architecture',
      '"lenet"',
      'one of mlp, linear, layers for the task regression',
      VALUE,
      VALUES,
      { ...CNN, outputs: 1 },
    ],
    ['model.architecture', '"lenet"', 'one of mlp, linear, layers for a table', CLASSES, TABLE, CNN],
    ['model.architecture', '"mlp"', 'one of gpt, lstm, layers for the task next-token', TOKENS, TEXT, MLP],
    ['model.height', '9', 'that of data.schema, 8', CLASSES, IMAGES, { ...CNN, height: 9 }],
    ['model.channels', '1', 'that of data.schema, 3', CLASSES, IMAGES, { ...CNN, channels: 1 }],
    ['model.length', '32', 'that of data.schema, 16', TOKENS, TEXT, { ...GPT, length: 32 }],
    ['model.vocabulary', '300', '256, the tokens of data.schema', TOKENS, TEXT, { ...GPT, vocabulary: 300 }],
    ['task.kind', '"classification"', '"regression" for data of a target of kind value', CLASSES, VALUES, LINE],
    ['task.kind', '"regression"', '"classification" for data of images', VALUE, IMAGES, CNN],
    ['task.kind', '"classification"', '"next-token" for data of text', CLASSES, TEXT, GPT],
    [
      'task.classes',
      '["v","u"]',
      'the classes of data.schema in the same order',
      { ...CLASSES, classes: ['v', 'u'] },
      TABLE,
      MLP,
    ],
    [
      'data.schema.columns.0.name',
      '"y"',
      'each name once, the target among them',
      CLASSES,
      { ...TABLE, columns: [{ name: 'y', type: 'number' }] },
      MLP,
    ],
    [
      'data.schema.target.classes',
      '[]',
      'at least one name',
      { ...CLASSES, classes: [] },
      { ...TABLE, target: { name: 'y', kind: 'class', classes: [] } },
      MLP,
    ],
    ['data.schema.kind', '"sound"', 'one of images, table, text', CLASSES, { kind: 'sound' }, MLP],
    [
      'data.schema.columns.0.type',
      '"text"',
      'one of number, category, date, ignored',
      CLASSES,
      { ...TABLE, columns: [{ name: 'a', type: 'text' }] },
      MLP,
    ],
  ])('%s = %s, expected %s', (field, got, expected, ...of) => {
    expect(refusal(...of)).toBe(`Plan: "${field}" is ${got}, expected ${expected}.`);
  });

  it.each<[field: string, got: string, expected: string, schema: object, split: object, training?: object]>([
    ['data.schema.kind', '"images"', 'one of table, text for public data', IMAGES, { kind: 'natural' }],
    [
      'data.split.kind',
      '"dirichlet"',
      'one of iid, natural for data without classes',
      TEXT,
      { kind: 'dirichlet', alpha: 1 },
    ],
    [
      'training.balance',
      '"oversample"',
      '"none" for the task next-token',
      TEXT,
      { kind: 'natural' },
      { ...planDocument().training, balance: 'oversample' },
    ],
  ])('public data: %s', (field, got, expected, schema, split, training = planDocument().training) => {
    const [task, model] = schema === TEXT ? [TOKENS, GPT] : [CLASSES, CNN];
    const data = { ...planDocument().data, schema, split };
    const plan = { ...planDocument(), task, data, model, training };
    expect(() => parsePlan(utf8(JSON.stringify(plan)))).toThrow(`Plan: "${field}" is ${got}, expected ${expected}.`);
  });

  it('a public data set and values to learn', () => {
    const plan = { ...planDocument(), task: VALUE, model: { ...LINE, inputs: 5 } };
    expect(() => parsePlan(utf8(JSON.stringify(plan)))).toThrow(
      'Plan: "task.kind" is "regression", expected "classification" for public data without data.schema.',
    );
  });
});
