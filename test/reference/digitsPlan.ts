/** A plan on the digits, valid in every field, for tests of data, engine and workers. */
import { parsePlan } from '../../src/core/plan.ts';
import type { Plan } from '../../src/core/plan.ts';

export const DIGITS_SHA256 = '60876b884e1cda059b610d6f9923f5e0296fe9349de859fa800831ec84c74251';

export interface DigitsPlanChanges {
  readonly name?: string;
  readonly sha256?: string;
  readonly hidden?: readonly number[];
  readonly epochs?: number;
  readonly learningRate?: number;
}

export function digitsPlan(changes: DigitsPlanChanges = {}): Plan {
  const plan = {
    schema: 1,
    name: 'Digits',
    description: 'Handwritten digits.',
    licence: 'MIT',
    lane: 'sealed',
    task: { kind: 'classification', classes: Array.from({ length: 10 }, (_, digit) => String(digit)) },
    data: {
      kind: 'public',
      name: changes.name ?? 'digits',
      sha256: changes.sha256 ?? DIGITS_SHA256,
      licence: 'CC BY-SA 3.0',
      shards: 4,
      split: { kind: 'iid' },
    },
    model: {
      architecture: 'mlp',
      inputs: 784,
      hidden: changes.hidden ?? [16],
      outputs: 10,
      activation: 'relu',
    },
    training: {
      optimizer: { kind: 'sgd' },
      learningRate: changes.learningRate ?? 0.1,
      batchSize: 32,
      epochs: changes.epochs ?? 1,
    },
    aggregation: {
      server: 'fedavg',
      rounds: 3,
      cohort: { minimum: 3, target: 3 },
      bits: 16,
      clipNorm: 10,
      clipRange: 1,
      weightCap: 2000,
      deadlines: {
        advertMs: 1000,
        shareMs: 1000,
        trainMs: 60_000,
        consistencyMs: 1000,
        unmaskMs: 1000,
        confirmMs: 1000,
      },
    },
    security: { mode: 'active', admission: 'link' },
    evaluation: { validationFraction: 0.1 },
    seed: 1,
  };
  return parsePlan(new TextEncoder().encode(JSON.stringify(plan))).plan;
}
