/** What is wrong with a plan is said with the field, the value and what was expected. */
import * as fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { HushError } from '../../src/core/errors.ts';
import { ARCHITECTURES } from '../../src/core/modelSpec.ts';
import { MAX_PLAN_BYTES, parsePlan } from '../../src/core/plan.ts';
import { planDocument } from '../support/planDocument.ts';

type Fields = Record<string, unknown>;

/** The sample plan with one field set, or left out when `value` is undefined. */
function changed(path: string, value: unknown): unknown {
  const names = path.split('.');
  const last = names.pop() ?? '';
  const plan: Fields = structuredClone(planDocument());
  const parent = names.reduce((at, name) => at[name] as Fields, plan);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return plan;
}

function refusalOf(content: unknown): HushError {
  const bytes = content instanceof Uint8Array ? content : utf8(JSON.stringify(content));
  try {
    parsePlan(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(HushError);
    return error as HushError;
  }
  throw new Error('The plan was taken.');
}

/** Path, value (undefined leaves the field out), the value as the message shows it, what was expected. */
const WRONG: readonly (readonly [path: string, value: unknown, shown: string, expected: string])[] = [
  ['schema', 2, '2', '1'],
  ['schema', undefined, 'missing', '1'],
  ['name', '', '""', 'text of 1 to 80 characters'],
  ['name', 7, '7', 'text of 1 to 80 characters'],
  ['name', 'n'.repeat(81), `"${'n'.repeat(76)}...`, 'text of 1 to 80 characters'],
  ['lane', 'open', '"open"', 'sealed'],
  ['task.kind', 'clustering', '"clustering"', 'one of classification, regression, next-token'],
  ['task.classes', 'abc', '"abc"', 'a list'],
  ['task.classes', undefined, 'missing', 'a list'],
  ['data', undefined, 'missing', 'an object'],
  ['data.kind', 'secret', '"secret"', 'one of public, private'],
  ['data.kind', undefined, 'missing', 'one of public, private'],
  ['data.sha256', 5, '5', 'text'],
  ['data.sha256', 'ABC', '"ABC"', '64 lower-case hexadecimal digits'],
  ['data.shards', 0, '0', 'an integer from 1 to 10000'],
  ['data.split', 'iid', '"iid"', 'an object'],
  ['data.split.kind', 'random', '"random"', 'one of iid, label, dirichlet, natural'],
  ['data.split.kind', 'natural', '"natural"', 'another one without data.schema'],
  ['model.architecture', 'transformer', '"transformer"', `one of ${ARCHITECTURES.join(', ')}`],
  ['model.inputs', 1.5, '1.5', 'an integer from 1 to 1000000'],
  ['model.hidden', Array(17).fill(4), `[${'4,'.repeat(17).slice(0, -1)}]`, 'at most 16 items'],
  ['model.hidden.0', '128', '"128"', 'an integer from 1 to 65536'],
  ['model.activation', 'swish', '"swish"', 'one of relu, tanh, sigmoid'],
  ['training.optimizer.kind', 'lion', '"lion"', 'one of sgd, momentum, adam, adamw'],
  ['training.learningRate', -0.1, '-0.1', 'a number from 1e-9 to 100'],
  ['training.learningRate', '0.1', '"0.1"', 'a number from 1e-9 to 100'],
  ['training.learningRate', undefined, 'missing', 'a number from 1e-9 to 100'],
  ['training.batchSize', 0, '0', 'an integer from 1 to 65536'],
  ['training.fedProxMu', -1, '-1', 'a number from 0 to 100'],
  ['training.balance', 'weights', '"weights"', 'one of none, oversample'],
  ['training.learningrate', 0.1, '0.1', 'no such field'],
  ['aggregation.server', 'fedadam', '"fedadam"', 'fedavg'],
  ['aggregation.rounds', 0, '0', 'an integer from 1 to 100000'],
  ['aggregation.cohort', undefined, 'missing', 'an object'],
  ['aggregation.cohort.minimum', undefined, 'missing', 'an integer from 3 to 100000'],
  ['aggregation.cohort.minimum', 2, '2', 'an integer from 3 to 100000'],
  ['aggregation.cohort.target', 256, '256', 'at most 255 without aggregation.groupSize'],
  ['aggregation.bits', 1, '1', 'an integer from 2 to 24'],
  ['aggregation.bits', 25, '25', 'an integer from 2 to 24'],
  ['aggregation.rotation', 'yes', '"yes"', 'true or false'],
  ['aggregation.ring', 'quarter', '"quarter"', 'one of full, half'],
  ['aggregation.ring', 'half', '"half"', '"full" without aggregation.rotation'],
  ['aggregation.clipNorm', 0, '0', 'a number from 0.000001 to 1000000'],
  ['aggregation.deadlines.trainMs', 99, '99', 'an integer from 100 to 86400000'],
  ['security.mode', 'trusting', '"trusting"', 'one of active, honest-but-curious'],
  ['security.admission', 'nobody', '"nobody"', 'one of anyone, link, named'],
  ['evaluation.validationFraction', 1, '1', 'a number from 0 to 0.9'],
  ['evaluation.metric', 'auc', '"auc"', 'one of accuracy, f1, mae, r2, perplexity, loss'],
  ['evaluation.metric', 'mae', '"mae"', 'one of accuracy, f1, loss for the task classification'],
  ['evaluation.metric', 'perplexity', '"perplexity"', 'one of accuracy, f1, loss for the task classification'],
  ['evaluation.positiveClass', 3, '3', 'text of 1 to 200 characters'],
  ['evaluation.positiveClass', 'a', '"a"', 'none unless evaluation.metric is "f1"'],
  ['evaluation.earlyStopping', true, 'true', 'an object'],

  ['seed', -1, '-1', 'an integer from 0 to 4294967295'],
  ['sed', 1, '1', 'no such field'],
];

describe('a wrong field', () => {
  it.each(WRONG)('%s = %j', (path, value, shown, expected) => {
    const error = refusalOf(changed(path, value));
    expect(error.code).toBe('plan/invalid');
    expect(error.message).toBe(`Plan: "${path}" is ${shown}, expected ${expected}.`);
    expect(error.advice).toBe(`Correct "${path}" and try again.`);
  });
});

describe('fields that do not go together', () => {
  it('a split that lacks what its kind needs', () => {
    const error = refusalOf(changed('data.split', { kind: 'label' }));
    expect(error.message).toBe('Plan: "data.split.labelsPerShard" is missing, expected an integer from 1 to 100.');
  });

  it('a cohort target below the minimum', () => {
    const plan = planDocument();
    plan.aggregation.cohort = { minimum: 6, target: 5 };
    const error = refusalOf(plan);
    expect(error.code).toBe('plan/invalid');
    expect(error.message).toBe('Plan: "aggregation.cohort.target" is 5, expected at least the minimum, 6.');
  });

  it('too few bits for the smaller ring', () => {
    const plan = planDocument();
    const aggregation = { ...plan.aggregation, rotation: true, ring: 'half' };
    const error = refusalOf({ ...plan, aggregation: { ...aggregation, bits: 3 } });
    expect(error.message).toBe('Plan: "aggregation.bits" is 3, expected at least 4 with "aggregation.ring" "half".');
    const taken = parsePlan(utf8(JSON.stringify({ ...plan, aggregation: { ...aggregation, bits: 4 } })));
    expect(taken.plan.aggregation).toMatchObject({ bits: 4, rotation: true, ring: 'half' });
  });

  it.each([
    [{ metric: 'f1', positiveClass: 'd' }, '"evaluation.positiveClass" is "d", expected one of task.classes.'],
    [
      { validationFraction: 0, earlyStopping: { patienceRounds: 3, minimumChange: 0 } },
      '"evaluation.validationFraction" is 0, expected more than 0 with evaluation.earlyStopping.',
    ],
    [
      { earlyStopping: { patienceRounds: 0, minimumChange: 0 } },
      '"evaluation.earlyStopping.patienceRounds" is 0, expected an integer from 1 to 100000.',
    ],
    [
      { earlyStopping: { patienceRounds: 3 } },
      '"evaluation.earlyStopping.minimumChange" is missing, expected a number from 0 to 1000000000.',
    ],
  ])('an evaluation with %j', (evaluation, told) => {
    const plan = planDocument();
    const error = refusalOf({ ...plan, evaluation: { ...plan.evaluation, ...evaluation } });
    expect(error.message).toBe(`Plan: ${told}`);
  });

  it('F1 of more classes than are counted', () => {
    const plan = planDocument();
    const classes = Array.from({ length: 33 }, (_, i) => `class ${i}`);
    const model = { ...plan.model, outputs: 33 };
    const of = (metric: string) => ({
      ...plan,
      task: { ...plan.task, classes },
      model,
      evaluation: { validationFraction: 0.1, metric },
    });
    expect(refusalOf(of('f1')).message).toBe(
      'Plan: "evaluation.metric" is "f1", expected another with 33 classes: at most 32 are counted.',
    );
    expect(parsePlan(utf8(JSON.stringify(of('accuracy')))).plan.evaluation.metric).toBe('accuracy');
  });

  it('outputs that are not one a class', () => {
    const error = refusalOf(changed('model.outputs', 4));
    expect(error.code).toBe('plan/invalid');
    expect(error.message).toBe('Plan: "model.outputs" is 4, expected the number of task.classes, 3.');
  });
});

describe('what is no plan at all', () => {
  it.each([
    ['a number', 3, '"(the whole document)" is 3, expected an object.'],
    ['nothing', null, '"(the whole document)" is null, expected an object.'],
    ['an empty object', {}, '"schema" is missing, expected 1.'],
    ['a list', [], '"schema" is missing, expected 1.'],
  ])('%s', (_what, value, told) => {
    const error = refusalOf(value);
    expect(error.code).toBe('plan/invalid');
    expect(error.message).toBe(`Plan: ${told}`);
  });

  it('text that is not JSON: the message says where', () => {
    const error = refusalOf(utf8('{"schema": 1, name: "x"}'));
    expect(error.code).toBe('plan/not-json');
    expect(error.message).toMatch(/^The plan is not valid JSON: .*position 14/);
  });

  it('bytes that are not UTF-8', () => {
    expect(refusalOf(Uint8Array.of(0x7b, 0xff, 0x7d)).code).toBe('plan/not-json');
  });

  it('more than is ever read', () => {
    const error = refusalOf(new Uint8Array(MAX_PLAN_BYTES + 1).fill(0x20));
    expect(error.code).toBe('plan/too-large');
    expect(error.message).toBe('The plan has 262145 bytes, expected at most 262144.');
  });

  it('any JSON: refused by name, never thrown past', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(refusalOf(value).code).toBe('plan/invalid');
      }),
    );
  });
});

describe('a right plan', () => {
  it('is taken with the bytes that its hash pins', () => {
    const bytes = utf8(JSON.stringify(planDocument(), null, 3));
    const document = parsePlan(bytes);
    expect(document.bytes).toEqual(bytes);
    expect(document.plan).toEqual({
      ...planDocument(),
      training: { ...planDocument().training, fedProxMu: 0 },
      aggregation: { ...planDocument().aggregation, serverLearningRate: 1, rotation: false, ring: 'full' },
      security: { ...planDocument().security, names: [] },
    });
  });

  it('is every one that the server offers', async () => {
    const bytes = await readFile(join(import.meta.dirname, '../../plans/digits.json'));
    expect(parsePlan(bytes).plan.name).toBe('Digits, handwritten');
  });
});
