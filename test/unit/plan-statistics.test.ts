/** For every plan that comes along: statistics of its real shards, added up, are those of the pooled data by definition. */
import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import type { Examples } from '../../src/core/dataset.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { statisticsLayout } from '../../src/core/statisticsLayout.ts';
import type { MeasuredFeature, Tally } from '../../src/core/statisticsLayout.ts';
import { DATA_DIR } from '../../tools/build.ts';
import { buildDatasets } from '../../tools/datasets.ts';
import { pooled, shardsOf } from '../../tools/training/shards.ts';
import { readOf, sumOf } from '../support/statisticsPlan.ts';

beforeAll(() => buildDatasets(DATA_DIR));

/** Mean and biased variance in two passes of float64. */
function moments({ of, first, step }: MeasuredFeature, examples: Examples) {
  const scale = of === 'inputs' ? examples.inputScale : 1;
  const values = Float64Array.from(of === 'inputs' ? examples.inputs : examples.labels, (value: number) =>
    Math.fround(value * scale),
  ).filter((value, i) => i >= first && (i - first) % step === 0 && !Number.isNaN(value));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { count: values.length, mean, variance };
}

function tallied({ of, first, length }: Tally, { width, inputs, labels }: Examples): readonly number[] {
  const counts = Array.from({ length }, () => 0);
  if (of === 'flags') {
    inputs.forEach((value, i) => {
      const place = (i % width) - first;
      if (value === 1 && place >= 0 && place < length) counts[place]!++;
    });
  } else for (const value of of === 'tokens' ? inputs : labels) counts[value]!++;
  return counts;
}

const names = (await readdir('plans')).filter((name) => name.endsWith('.json'));

it.each(names)('%s', async (name) => {
  const document = JSON.parse(await readFile(`plans/${name}`, 'utf8')) as Record<string, unknown>;
  const statistics = { normalise: false, minimumSupport: 1, ...(document['statistics'] as object | undefined) };
  const { plan } = parsePlan(utf8(JSON.stringify({ ...document, statistics })));
  const shards = await shardsOf(plan, plan.aggregation.cohort.target, { dataDir: DATA_DIR, entries: [] });
  const parts = shards.map(({ training }) => training);
  const found = readOf(plan, sumOf(plan, parts), parts.length);
  const { training: all } = pooled(shards);
  expect(found.examples).toBe(all.count);
  const layout = statisticsLayout(plan);
  expect(found.features).toHaveLength(layout.features.length);
  layout.features.forEach((feature, i) => {
    const { count, mean, variance } = moments(feature, all);
    expect(found.features[i]?.count).toBe(count);
    // Each value was rounded to 2^−32.
    expect(found.features[i]?.mean).toBeCloseTo(mean, 8);
    expect(found.features[i]?.variance).toBeCloseTo(variance, 5);
  });
  expect(found.counts).toEqual(layout.tallies.flatMap((tally) => tallied(tally, all)));
});
