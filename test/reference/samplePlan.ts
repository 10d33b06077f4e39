/** A small valid plan to aggregate under. */
import { utf8 } from '../../src/core/bytes.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { Plan } from '../../src/core/plan.ts';

export function samplePlan(aggregation: Partial<Plan['aggregation']> = {}): Plan {
  const document = {
    schema: 1,
    name: 'Sample',
    description: 'A plan to test aggregation with.',
    licence: 'CC0-1.0',
    lane: 'sealed',
    task: { kind: 'classification', classes: ['a', 'b', 'c'] },
    data: {
      kind: 'public',
      name: 'sample',
      sha256: '00'.repeat(32),
      licence: 'CC0-1.0',
      shards: 8,
      split: { kind: 'iid' },
    },
    model: { architecture: 'mlp', inputs: 5, hidden: [4], outputs: 3, activation: 'relu' },
    training: { optimizer: { kind: 'sgd' }, learningRate: 0.1, batchSize: 10, epochs: 1 },
    aggregation: {
      server: 'fedavg',
      serverLearningRate: 1,
      rounds: 3,
      cohort: { minimum: 3, target: 8 },
      bits: 16,
      clipNorm: 4,
      clipRange: 0.5,
      weightCap: 1000,
      deadlines: {
        advertMs: 1000,
        shareMs: 1000,
        trainMs: 1000,
        consistencyMs: 1000,
        unmaskMs: 1000,
        confirmMs: 1000,
      },
      ...aggregation,
    },
    security: { mode: 'active', admission: 'anyone' },
    evaluation: { validationFraction: 0.1 },
    seed: 7,
  };
  return parsePlan(utf8(JSON.stringify(document))).plan;
}

/** The same with a model of `parameters` parameters, at least 2. */
export function withParameters(plan: Plan, parameters: number): Plan {
  const loss = 'softmax-cross-entropy';
  return { ...plan, model: { architecture: 'linear', inputs: parameters - 1, outputs: 1, loss } };
}
