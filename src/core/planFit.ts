/** Whether a plan's task, data and model go together: what one field alone cannot tell. */
import { MAX_COUNTED_CLASSES } from './counts.ts';
import { checkExpectedData } from './dataSchema.ts';
import type { ExpectedData } from './dataSchema.ts';
import { classesOf, exampleWidth, vocabularySize } from './dataShape.ts';
import { lossOf, outputsOf } from './modelSpec.ts';
import type { MetricName } from './metrics.ts';
import type { ModelSpec } from './modelSpec.ts';
import type { Plan } from './plan.ts';

/** Ends with an error that names the field, its value and what was expected. */
export type Refuse = (field: string, got: unknown, expected: string) => never;

type Task = Plan['task'];

export function checkFit({ task, data, model }: Plan, refuse: Refuse): void {
  if (model.architecture === 'gpt' && model.width % model.heads !== 0) {
    refuse('model.heads', model.heads, `a divisor of model.width, ${model.width}`);
  }
  if (data.kind === 'public') {
    if (task.kind !== 'classification') refuse('task.kind', task.kind, '"classification" for public data');
    return checkTask(task, model, refuse);
  }
  const { schema } = data;
  checkExpectedData(schema, (field, got, expected) => refuse(`data.schema.${field}`, got, expected));
  checkTaskOfData(task, schema, refuse);
  checkTask(task, model, refuse);
  checkModelOfData(model, schema, refuse);
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
      if (task.classes.length !== outputs.size) {
        refuse(`model.${outputs.field}`, outputs.size, `the number of task.classes, ${task.classes.length}`);
      }
      if (lossOf(model) !== 'softmax-cross-entropy') {
        refuse('model.loss', lossOf(model), '"softmax-cross-entropy" for the task classification');
      }
      return;
    case 'regression':
      if (architecture !== 'linear' && architecture !== 'mlp') {
        refuse('model.architecture', architecture, 'one of mlp, linear for the task regression');
      }
      if (outputs.size !== 1) refuse(`model.${outputs.field}`, outputs.size, '1, the value that is learnt');
      if (lossOf(model) !== 'mean-squared-error') {
        refuse('model.loss', lossOf(model), '"mean-squared-error" for the task regression');
      }
      return;
    case 'next-token':
      if (architecture !== 'gpt' && architecture !== 'lstm') {
        refuse('model.architecture', architecture, 'one of gpt, lstm for the task next-token');
      }
      return;
    default:
      task satisfies never;
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

function checkModelOfData(model: ModelSpec, schema: ExpectedData, refuse: Refuse): void {
  switch (model.architecture) {
    case 'mlp':
    case 'linear': {
      if (schema.kind === 'text') refuse('model.architecture', model.architecture, 'one of gpt, lstm for text');
      const width = exampleWidth(schema);
      if (model.inputs !== width) refuse('model.inputs', model.inputs, `${width}, the values of one example`);
      return;
    }
    case 'lenet':
    case 'cnn':
    case 'resnet': {
      if (schema.kind !== 'images') {
        const fitting = schema.kind === 'table' ? 'one of mlp, linear for a table' : 'one of gpt, lstm for text';
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
    default:
      model satisfies never;
  }
}
