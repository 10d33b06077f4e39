/** A plan on private tables, and tables for it: flowers of three kinds, told apart by two lengths. */
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { planDocument } from './planDocument.ts';

const KINDS = ['rose', 'lily', 'iris'] as const;

/** Mean petal and sepal of each kind, in cm; the spread is 0.5 either way. */
const MEANS = [
  [1.5, 5],
  [4.5, 6],
  [3, 2.5],
] as const;

export function ownPlanDocument({ rounds, people }: { readonly rounds: number; readonly people: number }) {
  const plan = planDocument({ rounds, people });
  return {
    ...plan,
    name: 'Flowers, by their own gardens',
    task: { kind: 'classification', classes: KINDS },
    data: {
      kind: 'private',
      schema: {
        kind: 'table',
        columns: [
          { name: 'petal', type: 'number', normalise: { mean: 3, deviation: 1.5 } },
          { name: 'sepal', type: 'number', normalise: { mean: 4.5, deviation: 1.5 } },
          { name: 'garden', type: 'ignored' },
        ],
        target: { name: 'kind', kind: 'class', classes: KINDS },
      },
    },
    model: { architecture: 'mlp', inputs: 2, hidden: [8], outputs: 3, activation: 'tanh' },
    training: { optimizer: { kind: 'sgd' }, learningRate: 0.3, batchSize: 10, epochs: 5 },
    aggregation: { ...plan.aggregation, bits: 16, clipRange: 2, clipNorm: 10, weightCap: 1000 },
    evaluation: { validationFraction: 0.25 },
  };
}

/** `rows` flowers of one garden, which grows twice as many of one kind as of the others. */
export function gardenTable(garden: number, rows: number): string {
  const random = SeededRandom.of(garden, 0x676172);
  const lines = Array.from({ length: rows }, (_, i) => {
    const kind = i % 4 === 3 ? garden % KINDS.length : i % 4;
    const [petal = 0, sepal = 0] = MEANS[kind] ?? [];
    const near = (mean: number): string => (mean + 0.5 * random.normal()).toFixed(2);
    return `${near(petal)},${near(sepal)},garden ${garden},${KINDS[kind]}`;
  });
  return ['petal,sepal,garden,kind', ...lines, ''].join('\n');
}
