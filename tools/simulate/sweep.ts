/** Plans that differ in the fields of a sweep: every combination of the values that are to be tried. */
import { HushError } from '../../src/core/errors.ts';
import type { PlanDocument } from '../../src/core/plan.ts';
import { adaptPlan } from '../adaptPlan.ts';
import type { AdaptedPlan, PlanField } from '../adaptPlan.ts';
import { whole } from '../numbers.ts';

const PARTICIPANTS = 'participants';

/** What is swept most, under the names of the literature; everything else under its path in the plan. */
export const SWEEP_NAMES: Readonly<Record<string, string>> = {
  localEpochs: 'training.epochs',
  clientLearningRate: 'training.learningRate',
  batchSize: 'training.batchSize',
  fedProxMu: 'training.fedProxMu',
  serverLearningRate: 'aggregation.serverLearningRate',
  rounds: 'aggregation.rounds',
  bits: 'aggregation.bits',
  clipNorm: 'aggregation.clipNorm',
  clipRange: 'aggregation.clipRange',
  groupSize: 'aggregation.groupSize',
  seed: 'seed',
  [PARTICIPANTS]: PARTICIPANTS,
};

export interface Sweep {
  /** As it was given. */
  readonly name: string;
  readonly path: string;
  readonly values: readonly unknown[];
}

export interface Combination {
  /** One a sweep, in their order. */
  readonly values: readonly unknown[];
  readonly participants: number;
  readonly adapted: AdaptedPlan;
}

/** @throws HushError `command/sweep` of what is not NAME=VALUE,VALUE, or names no field. */
export function readSweep(text: string): Sweep {
  const match = /^([\w.]+)=(.+)$/.exec(text);
  const wrong = (expected: string): HushError =>
    new HushError('command/sweep', `"--sweep" is "${text}", expected ${expected}.`);
  const [, name, list] = match ?? [];
  if (name === undefined || list === undefined) throw wrong('FIELD=VALUE,VALUE, such as localEpochs=1,5');
  const path = Object.hasOwn(SWEEP_NAMES, name) ? SWEEP_NAMES[name] : name.includes('.') ? name : undefined;
  if (path === undefined) {
    const known = Object.keys(SWEEP_NAMES).join(', ');
    throw wrong(`a path in the plan such as training.optimizer.kind, or one of ${known}`);
  }
  // Commas within brackets belong to one value.
  const values = list.split(/,(?![^[{]*[\]}])/).map(valueOf);
  const twice = values.find((value, i) => values.findIndex((other) => textOf(other) === textOf(value)) < i);
  if (twice !== undefined) throw wrong(`each value once, and ${textOf(twice)} is there twice`);
  return { name, path, values };
}

/** Numbers, truth and lists as in JSON; anything else is text. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * The cartesian product, the last sweep turning fastest; one plan without sweeps. Every plan is valid.
 * @throws HushError `command/sweep` when two sweeps are of one field, `plan/…` naming field, value and what was expected.
 */
export function combine(
  document: PlanDocument,
  sweeps: readonly Sweep[],
  people: number,
  fields: readonly PlanField[],
): Combination[] {
  const twice = sweeps.find(({ path }, i) => sweeps.findIndex((other) => other.path === path) < i);
  if (twice) throw new HushError('command/sweep', `"--sweep" names "${twice.path}" twice, expected it once.`);
  const products = sweeps.reduce<readonly (readonly unknown[])[]>(
    (known, { values }) => known.flatMap((before) => values.map((value) => [...before, value])),
    [[]],
  );
  return products.map((values) => {
    const swept = sweeps.map(({ path }, i): PlanField => [path, values[i]]);
    const asked = swept.find(([path]) => path === PARTICIPANTS);
    const participants = asked === undefined ? people : peopleOf(asked[1]);
    const changed = [...fields, ...swept.filter((field) => field !== asked)];
    return {
      values,
      participants,
      adapted: adaptPlan(document, { participants, shards: participants, fields: changed }),
    };
  });
}

function peopleOf(value: unknown): number {
  return whole(PARTICIPANTS, textOf(value), ...PEOPLE);
}

/** Fewest and most that may be simulated. */
export const PEOPLE = [3, 10_000] as const;
