/** The page about the plan says every field, in the words of the schema as it is now. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { planSections } from '../../tools/docs/planFields.ts';
import { planPage, unexplained } from '../../tools/docs/planPage.ts';
import { PLAN_PAGE } from '../../tools/plan-docs.ts';

it('every field of the plan, and every form of one, has a sentence in src/core/planMeaning.ts, and no other has', () => {
  expect(unexplained()).toEqual({ missing: [], stale: [] });
});

it('docs/plan.md is what npm run docs writes', async () => {
  expect(await readFile(PLAN_PAGE, 'utf8')).toBe(planPage());
});

it('a field has its type, range and what holds without it', () => {
  const fields = new Map(planSections().flatMap(({ fields }) => fields.map((field) => [field.key, field])));
  expect(fields.get('training.batchSize')).toMatchObject({
    value: 'an integer from 1 to 65536',
    byDefault: 'required',
  });
  expect(fields.get('training.fedProxMu')).toMatchObject({ value: 'a number from 0 to 100', byDefault: '0' });
  expect(fields.get('training.maxGradientNorm')).toMatchObject({ byDefault: 'none' });
  expect(fields.get('model[mlp].hidden')).toMatchObject({
    path: 'model.hidden',
    value: 'a list of at most 16 items, each an integer from 1 to 65536',
  });
  expect(fields.get('aggregation.ring')).toMatchObject({ value: 'one of full, half', byDefault: '"full"' });
  expect(fields.get('data[public].sha256')).toMatchObject({ value: '64 lower-case hexadecimal digits' });
});
