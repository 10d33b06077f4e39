/** The plan of a simulated run: a model of exactly as many parameters as were asked for, and deadlines for its clock. */
import { utf8 } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { HushError } from '../../src/core/errors.ts';
import type { MlpSpec } from '../../src/core/modelSpec.ts';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { Plan, SecurityMode } from '../../src/core/plan.ts';

const LARGEST_INPUTS = 1_000_000;
const MOST_OUTPUTS = 64;
const CLASSES = (count: number): string[] => Array.from({ length: count }, (_, i) => `class ${i}`);

export interface PlanWish {
  readonly participants: number;
  readonly group: number | undefined;
  readonly mode: SecurityMode;
  readonly params: number;
  readonly bits: number;
  readonly rounds: number;
  /** Fewest that may take part. */
  readonly minimum: number;
  readonly stepMs: number;
  readonly trainMs: number;
}

/** @throws HushError `command/params` when no model has so many parameters, `plan/…`. */
export function planFor(wish: PlanWish): { readonly plan: Plan; readonly bytes: Bytes } {
  const { participants, group, mode, params, bits, rounds, minimum, stepMs, trainMs } = wish;
  const model = modelOf(params);
  const document = {
    schema: 1,
    name: 'Simulation',
    description: 'Seeded noise in place of training.',
    licence: 'CC0-1.0',
    lane: 'sealed',
    task: { kind: 'classification', classes: CLASSES(model.outputs) },
    data: {
      kind: 'public',
      name: 'none',
      sha256: '0'.repeat(64),
      licence: 'CC0-1.0',
      shards: Math.min(participants, 10_000),
      split: { kind: 'iid' },
    },
    model,
    training: { optimizer: { kind: 'sgd' }, learningRate: 0.1, batchSize: 10, epochs: 1 },
    aggregation: {
      server: 'fedavg',
      rounds,
      cohort: { minimum, target: participants },
      ...(group === undefined ? {} : { groupSize: group }),
      bits,
      clipNorm: 4,
      clipRange: 0.05,
      weightCap: 60,
      deadlines: {
        advertMs: stepMs,
        shareMs: stepMs,
        trainMs,
        consistencyMs: stepMs,
        unmaskMs: stepMs,
        confirmMs: stepMs,
      },
    },
    security: { mode, admission: 'link' },
    evaluation: { validationFraction: 0.1 },
    seed: 7,
  };
  const bytes = utf8(JSON.stringify(document));
  return { plan: parsePlan(bytes).plan, bytes };
}

/** Without hidden layers (inputs + 1) · outputs parameters; with one of h, h · (inputs + 1 + outputs) + outputs. */
function modelOf(params: number): MlpSpec {
  for (let outputs = 2; outputs <= MOST_OUTPUTS; outputs++) {
    const flat = params / outputs - 1;
    if (fits(flat)) return checked({ inputs: flat, hidden: [], outputs }, params);
    for (let hidden = 1; hidden <= MOST_OUTPUTS; hidden++) {
      const deep = (params - outputs) / hidden - 1 - outputs;
      if (fits(deep)) return checked({ inputs: deep, hidden: [hidden], outputs }, params);
    }
  }
  throw new HushError('command/params', `No model of the simulation has exactly ${params} parameters.`, {
    advice: 'Choose "--params" between 6 and 60,000,000 with a small divisor.',
  });
}

function fits(inputs: number): boolean {
  return Number.isInteger(inputs) && inputs >= 1 && inputs <= LARGEST_INPUTS;
}

function checked(shape: Pick<MlpSpec, 'inputs' | 'hidden' | 'outputs'>, params: number): MlpSpec {
  const model: MlpSpec = { architecture: 'mlp', activation: 'relu', ...shape };
  const { length } = parameterLayout(model);
  if (length !== params)
    throw new HushError('command/params', `The model has ${length} parameters, expected ${params}.`);
  return model;
}
