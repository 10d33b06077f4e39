/** A plan on private tables whose first round takes statistics, and random rows for it. */
import type { Examples } from '../../src/core/dataset.ts';
import { exampleWidth } from '../../src/core/dataShape.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { Plan } from '../../src/core/plan.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { FederatedStatistics } from '../../src/core/statistics.ts';
import { schemaOf } from '../../src/core/statisticsLayout.ts';
import { ringBits, sumSpecFor, wordCount } from '../../src/core/sumSpec.ts';
import type { AggregateSum } from '../../src/core/updateStages.ts';
import { Accumulator } from '../../src/update/accumulator.ts';
import { readGroupSum } from '../../src/update/groupSum.ts';
import { localStatistics } from '../../src/update/localStatistics.ts';
import { packWords } from '../../src/update/pack.ts';
import { readStatistics, writeStatistics } from '../../src/update/statisticsSum.ts';
import { planDocument } from './planDocument.ts';

const CLASSES = ['low', 'high'];
const BUCKETS = 4;
const SUPPORT = 3;

export function statisticsPlanDocument(options: Parameters<typeof planDocument>[0] = {}) {
  const plan = planDocument(options);
  return {
    ...plan,
    task: { kind: 'classification', classes: CLASSES },
    data: {
      kind: 'private',
      schema: {
        kind: 'table',
        columns: [
          { name: 'speed', type: 'number', missing: 'mean' },
          {
            name: 'colour',
            type: 'category',
            categories: { kind: 'list', names: ['red', 'blue'] },
            missing: 'own category',
          },
          { name: 'town', type: 'category', categories: { kind: 'hashed', buckets: BUCKETS } },
          { name: 'day', type: 'date', cycles: ['week'], missing: 'zero' },
        ],
        target: { name: 'level', kind: 'class', classes: CLASSES },
      },
    },
    model: { architecture: 'mlp', inputs: 11, hidden: [4], outputs: 2, activation: 'relu' },
    statistics: { normalise: true, minimumSupport: SUPPORT },
  };
}

export function statisticsPlan(): Plan {
  return parsePlan(utf8(JSON.stringify(statisticsPlanDocument()))).plan;
}

/** Rows as the reader gives them: missing numbers are NaN, categories are flags. `scale` is that of the numbers. */
export function someRows(plan: Plan, count: number, seed: number, scale = 30): Examples {
  const random = SeededRandom.of(seed, 0x726f77);
  const schema = schemaOf(plan);
  const width = schema ? exampleWidth(schema) : 0;
  const inputs = new Float32Array(count * width);
  for (let at = 0; at < inputs.length; at += width) {
    inputs[at] = random.below(8) === 0 ? Number.NaN : scale * random.normal();
    inputs[at + 1 + random.below(3)] = 1;
    inputs[at + 4 + random.below(BUCKETS)] = 1;
    const phase = 2 * Math.PI * random.uniform();
    inputs.set(
      [random.below(10) === 0 ? Number.NaN : 20_000 + random.below(60), Math.sin(phase), Math.cos(phase)],
      at + 8,
    );
  }
  const labels = Uint8Array.from({ length: count }, () => random.below(CLASSES.length));
  return { count, width, inputs, inputScale: 1, labels };
}

/** Those of all one after the other, as if one person had them. */
export function pooled(parts: readonly Examples[]): Examples {
  const [first] = parts;
  if (!first) throw new RangeError('there are no examples to pool');
  const joined = <T extends Examples['inputs']>(pick: (part: Examples) => T, Kind: { from(values: number[]): T }): T =>
    Kind.from(parts.flatMap((part) => [...pick(part)]));
  return {
    ...first,
    count: parts.reduce((sum, { count }) => sum + count, 0),
    inputs:
      first.inputs instanceof Uint8Array
        ? joined(({ inputs }) => inputs as Uint8Array, Uint8Array)
        : joined(({ inputs }) => inputs as Float32Array, Float32Array),
    labels:
      first.labels instanceof Uint8Array
        ? joined(({ labels }) => labels as Uint8Array, Uint8Array)
        : joined(({ labels }) => labels as Float32Array, Float32Array),
  };
}

/** As a group's masked updates are added up, without the masks. */
export function sumOf(of: Plan, parts: readonly Examples[]): AggregateSum {
  const sumSpec = sumSpecFor('statistics', of);
  const ring = ringBits(sumSpec, parts.length);
  const accumulator = new Accumulator(wordCount(sumSpec), ring);
  for (const part of parts) accumulator.add(packWords(writeStatistics(sumSpec, localStatistics(of, part)), ring));
  return readGroupSum(accumulator.sum(), sumSpec, parts.length, ring) as AggregateSum;
}

export function readOf(of: Plan, sum: AggregateSum, survivors: number): FederatedStatistics {
  return readStatistics({ sum, sumSpec: sumSpecFor('statistics', of), plan: of, survivors });
}
