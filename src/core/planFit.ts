/** Whether a plan's task, data and model go together: what one field alone cannot tell. */
import { MAX_COUNTED_CLASSES } from './counts.ts';
import { checkExpectedData } from './dataSchema.ts';
import type { ExpectedData } from './dataSchema.ts';
import { classesOf, exampleWidth, networkInput, vocabularySize } from './dataShape.ts';
import { asHushError, HushError } from './errors.ts';
import { placeNetwork, sizeOf } from './layerShapes.ts';
import type { PlacedNetwork, Shape } from './layerShapes.ts';
import { lossOf, networkOf, outputsOf } from './modelSpec.ts';
import type { MetricName } from './metrics.ts';
import type { ModelSpec } from './modelSpec.ts';
import type { NetworkInput } from './network.ts';
import type { Plan } from './plan.ts';

/** Ends with an error that names the field, its value and what was expected. */
export type Refuse = (field: string, got: unknown, expected: string) => never;

type Task = Plan['task'];
type PublicData = Extract<Plan['data'], { kind: 'public' }>;

export function checkFit({ task, data, model, training }: Plan, refuse: Refuse): void {
  if (model.architecture === 'gpt' && model.width % model.heads !== 0) {
    refuse('model.heads', model.heads, `a divisor of model.width, ${model.width}`);
  }
  if (model.architecture === 'layers') checkTopology(task, model, refuse);
  if (training.balance === 'oversample' && task.kind !== 'classification') {
    refuse('training.balance', training.balance, `"none" for the task ${task.kind}`);
  }
  if (data.kind === 'public') checkPublic(data, task, refuse);
  const { schema } = data;
  if (!schema) return checkTask(task, model, refuse);
  checkExpectedData(schema, (field, got, expected) => refuse(`data.schema.${field}`, got, expected));
  checkTaskOfData(task, schema, refuse);
  checkTask(task, model, refuse);
  checkModelOfData(model, schema, refuse);
}

function checkPublic({ schema, split }: PublicData, task: Task, refuse: Refuse): void {
  if (!schema) {
    if (task.kind !== 'classification') {
      refuse('task.kind', task.kind, '"classification" for public data without data.schema');
    }
    if (split.kind === 'natural') refuse('data.split.kind', split.kind, 'another one without data.schema');
    return;
  }
  if (schema.kind === 'images') refuse('data.schema.kind', schema.kind, 'one of table, text for public data');
  if ((split.kind === 'label' || split.kind === 'dirichlet') && !classesOf(schema)) {
    refuse('data.split.kind', split.kind, 'one of iid, natural for data without classes');
  }
}

/** By task, what a model of it can be judged by. */
const METRICS: Readonly<Record<Task['kind'], readonly MetricName[]>> = {
  classification: ['accuracy', 'f1', 'loss'],
  regression: ['mae', 'r2', 'loss'],
  'next-token': ['perplexity', 'accuracy', 'loss'],
};

export function checkEvaluation({ evaluation, task }: Plan, refuse: Refuse): void {
  const { metric, positiveClass, earlyStopping, validationFraction } = evaluation;
  const fitting = METRICS[task.kind];
  if (metric !== undefined && !fitting.includes(metric)) {
    refuse('evaluation.metric', metric, `one of ${fitting.join(', ')} for the task ${task.kind}`);
  }
  const classes = task.kind === 'classification' ? task.classes : [];
  if (metric === 'f1' && classes.length > MAX_COUNTED_CLASSES) {
    refuse(
      'evaluation.metric',
      metric,
      `another with ${classes.length} classes: at most ${MAX_COUNTED_CLASSES} are counted`,
    );
  }
  if (positiveClass !== undefined && metric !== 'f1') {
    refuse('evaluation.positiveClass', positiveClass, 'none unless evaluation.metric is "f1"');
  }
  if (positiveClass !== undefined && !classes.includes(positiveClass)) {
    refuse('evaluation.positiveClass', positiveClass, 'one of task.classes');
  }
  if (earlyStopping && validationFraction === 0) {
    refuse('evaluation.validationFraction', validationFraction, 'more than 0 with evaluation.earlyStopping');
  }
}

function checkTask(task: Task, model: ModelSpec, refuse: Refuse): void {
  const { architecture } = model;
  const outputs = outputsOf(model);
  switch (task.kind) {
    case 'classification':
      return checkClasses(task.classes, model, refuse);
    case 'regression':
      if (!FOR_VALUES.includes(architecture)) {
        refuse('model.architecture', architecture, `one of ${FOR_VALUES.join(', ')} for the task regression`);
      }
      if (outputs.size !== 1) refuse(`model.${outputs.field}`, outputs.size, '1, the value that is learnt');
      if (lossOf(model) !== 'mean-squared-error') {
        refuse('model.loss', lossOf(model), '"mean-squared-error" for the task regression');
      }
      return;
    case 'next-token':
      if (!FOR_TOKENS.includes(architecture)) {
        refuse('model.architecture', architecture, `one of ${FOR_TOKENS.join(', ')} for the task next-token`);
      }
      if (lossOf(model) !== 'softmax-cross-entropy') {
        refuse('model.loss', lossOf(model), '"softmax-cross-entropy" for the task next-token');
      }
      return;
    default:
      task satisfies never;
  }
}

/** Architectures that learn a value, and those that read a text. */
const FOR_VALUES: readonly ModelSpec['architecture'][] = ['mlp', 'linear', 'layers'];
const FOR_TOKENS: readonly ModelSpec['architecture'][] = ['gpt', 'lstm', 'layers'];

/** With binary cross-entropy (logistic regression, of `linear`) one output says which of two classes it is. */
function checkClasses(classes: readonly string[], model: ModelSpec, refuse: Refuse): void {
  const { field, size } = outputsOf(model);
  switch (lossOf(model)) {
    case 'softmax-cross-entropy':
      if (classes.length !== size) refuse(`model.${field}`, size, `the number of task.classes, ${classes.length}`);
      return;
    case 'binary-cross-entropy':
      if (classes.length !== 2) {
        refuse('model.loss', lossOf(model), `"softmax-cross-entropy" for ${classes.length} classes`);
      }
      if (size !== 1) refuse(`model.${field}`, size, '1 for the loss binary-cross-entropy');
      return;
    default:
      refuse(
        'model.loss',
        lossOf(model),
        '"softmax-cross-entropy" or, of two classes, "binary-cross-entropy" for the task classification',
      );
  }
}

function checkTaskOfData(task: Task, schema: ExpectedData, refuse: Refuse): void {
  const classes = classesOf(schema);
  const kind = classes ? 'classification' : schema.kind === 'text' ? 'next-token' : 'regression';
  const because = schema.kind === 'table' ? `a target of kind ${schema.target.kind}` : schema.kind;
  if (task.kind !== kind) refuse('task.kind', task.kind, `"${kind}" for data of ${because}`);
  if (task.kind !== 'classification' || !classes) return;
  const same = task.classes.length === classes.length && classes.every((name, i) => name === task.classes[i]);
  if (!same) refuse('task.classes', task.classes, 'the classes of data.schema in the same order');
}

const TEXT_MODELS = `one of ${FOR_TOKENS.join(', ')} for text`;

/** @throws HushError `plan/invalid`, naming the layer of the topology and what was expected. */
function checkTopology(task: Task, model: ModelSpec, refuse: Refuse): void {
  const { output, targets, layout } = topologyOf(model);
  if (layout.length === 0) refuse('model.topology', 'without weights', 'a layer that learns');
  // A class or a value of each example; of a text one class for each token.
  const isSequence = task.kind === 'next-token';
  const fits = isSequence ? output.length === 2 : output.length === 1 || targets === 1;
  const expected = isSequence ? 'a row for each token' : 'one row of values';
  if (!fits) refuse('model.topology, its output', `shape ${output.join(' × ')}`, expected);
}

function topologyOf(model: ModelSpec): PlacedNetwork {
  try {
    return placeNetwork(networkOf(model));
  } catch (cause) {
    const { message, advice } = asHushError(cause, 'plan/invalid');
    throw new HushError('plan/invalid', `Plan: "model.topology": ${message}`, { advice, cause });
  }
}

/**
 * The values lie the same whether a topology takes an image as rows of pixels, as a sequence of rows or of pixels, or one
 * after the other, and so do those of a table's row, however they are cut.
 */
function checkTopologyOfData(model: ModelSpec, schema: ExpectedData, refuse: Refuse): void {
  const { input } = networkOf(model);
  const wanted = networkInput(schema);
  const same =
    input.kind === 'tokens' || wanted.kind === 'tokens'
      ? JSON.stringify(input) === JSON.stringify(wanted)
      : laidAlike(schema, wanted.shape, input.shape);
  if (!same) refuse('model.topology, its input', described(input), `${described(wanted)} of data.schema`);
}

function laidAlike(schema: ExpectedData, shape: Shape, given: Shape): boolean {
  if (sizeOf(shape) !== sizeOf(given)) return false;
  if (schema.kind === 'table') return true;
  const [height = 1, width = 1, channels = 1] = shape;
  const ways = [shape, [sizeOf(shape)], [height, width * channels], [height * width, channels]];
  return ways.some((way) => way.join() === given.join());
}

function described(input: NetworkInput): string {
  return input.kind === 'tokens'
    ? `${input.length} tokens out of ${input.vocabulary}`
    : `values of shape ${input.shape.join(' × ')}`;
}

function checkModelOfData(model: ModelSpec, schema: ExpectedData, refuse: Refuse): void {
  switch (model.architecture) {
    case 'mlp':
    case 'linear': {
      if (schema.kind === 'text') refuse('model.architecture', model.architecture, TEXT_MODELS);
      const width = exampleWidth(schema);
      if (model.inputs !== width) refuse('model.inputs', model.inputs, `${width}, the values of one example`);
      return;
    }
    case 'lenet':
    case 'cnn':
    case 'resnet': {
      if (schema.kind !== 'images') {
        const fitting = schema.kind === 'table' ? 'one of mlp, linear, layers for a table' : TEXT_MODELS;
        return refuse('model.architecture', model.architecture, fitting);
      }
      for (const side of ['height', 'width', 'channels'] as const) {
        if (model[side] !== schema[side]) refuse(`model.${side}`, model[side], `that of data.schema, ${schema[side]}`);
      }
      return;
    }
    case 'gpt':
    case 'lstm': {
      if (schema.kind !== 'text') {
        return refuse(
          'model.architecture',
          model.architecture,
          `one that takes ${schema.kind === 'table' ? 'a table' : 'images'}, such as mlp`,
        );
      }
      if (model.length !== schema.length) {
        refuse('model.length', model.length, `that of data.schema, ${schema.length}`);
      }
      const tokens = vocabularySize(schema.tokens);
      if (model.vocabulary !== tokens)
        refuse('model.vocabulary', model.vocabulary, `${tokens}, the tokens of data.schema`);
      return;
    }
    case 'layers':
      return checkTopologyOfData(model, schema, refuse);
    default:
      model satisfies never;
  }
}
