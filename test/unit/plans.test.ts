/** The plans that come along: each is valid, goes with its data, and keeps to the rules by which they were made. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { checkAgainstDataset, publicDataset } from '../../src/data/registry.ts';
import { DIGITS_SHA256 } from '../../tools/build-digits.ts';
import { penguins } from '../../tools/datasets/penguins.ts';
import { sensors } from '../../tools/datasets/sensors.ts';
import { stateOfTheUnion } from '../../tools/datasets/stateOfTheUnion.ts';

const PINNED = new Map([
  ['digits', DIGITS_SHA256],
  ...[penguins, sensors, stateOfTheUnion].map(({ dataset, sha256 }) => [dataset.name, sha256] as const),
]);

const names = (await readdir('plans')).filter((name) => name.endsWith('.json'));

it('are six', () => {
  expect(names.toSorted()).toEqual(
    ['digits', 'digits-cnn', 'digits-lenet', 'penguins', 'sensors', 'state-of-the-union']
      .map((name) => `${name}.json`)
      .toSorted(),
  );
});

it.each(names)('%s', async (name) => {
  const { plan } = parsePlan(await readFile(`plans/${name}`));
  expect(() => checkAgainstDataset(plan)).not.toThrow();
  if (plan.data.kind !== 'public') throw new Error('The data is not public.');
  expect(plan.data.sha256).toBe(PINNED.get(plan.data.name));
  expect(plan.data.shards).toBe(plan.aggregation.cohort.target);
  // One client each, where there are clients.
  expect(plan.data.split.kind).toBe(publicDataset(plan.data.name).kind === 'clients' ? 'natural' : 'iid');
  // As tools/bench/bits.ts has it: sqrt(2b) standard deviations of a rotated update as long as the plan allows.
  const { bits, rotation, clipNorm, clipRange } = plan.aggregation;
  expect(rotation).toBe(true);
  const deviation = clipNorm / Math.sqrt(parameterLayout(plan.model).length);
  expect(clipRange).toBeCloseTo(Number((Math.sqrt(2 * bits) * deviation).toPrecision(2)), 6);
});
