/** Whether a plan's task, data and model go together: what one field alone cannot tell. */
import { checkExpectedData } from './dataSchema.ts';
import type { ExpectedData } from './dataSchema.ts';
import { classesOf, exampleWidth, vocabularySize } from './dataShape.ts';
import { lossOf, outputsOf } from './modelSpec.ts';
import type { ModelSpec } from './modelSpec.ts';
import type { Plan } from './plan.ts';

/** Ends with an error that names the field, its value and what was expected. */
export type Refuse = (field: string, got: unknown, expected: string) => never;

type Task = Plan['task'];
type PublicData = Extract<Plan['data'], { kind: 'public' }>;

export function checkFit({ task, data, model, training }: Plan, refuse: Refuse): void {
  if (model.architecture === 'gpt' && model.width % model.heads !== 0) {
    refuse('model.heads', model.heads, `a divisor of model.width, ${model.width}`);
  }
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
    case 'cnn': {
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
