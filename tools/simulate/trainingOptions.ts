/** The options of `npm run simulate -- --plan`, and the plans that follow from them. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { HushError } from '../../src/core/errors.ts';
import type { PlanDocument } from '../../src/core/plan.ts';
import { parametersFor, readSavedModel } from '../../src/core/savedModel.ts';
import { startOf } from '../../src/federation/start.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { readPlan } from '../adaptPlan.ts';
import type { PlanField } from '../adaptPlan.ts';
import { fromCaller } from '../command.ts';
import { dataEntries } from '../federate/entries.ts';
import type { DataEntry } from '../federate/entries.ts';
import { startFiles } from '../federate/start.ts';
import { fraction, whole } from '../numbers.ts';
import { readSplit } from '../split.ts';
import { checkReadable } from '../training/shards.ts';
import { combine, PEOPLE, readSweep } from './sweep.ts';
import type { Combination, Sweep } from './sweep.ts';

/** They say what there is without a plan. */
const UNPLANNED = ['group', 'mode', 'params', 'bits', 'schedules'] as const;
/** They say nothing without one. */
export const PLANNED = ['split', 'data', 'start', 'sweep', 'csv', 'masks'] as const;

export interface TrainingOptions {
  readonly planPath: string;
  readonly participants: number | undefined;
  readonly rounds: number | undefined;
  readonly seed: number | undefined;
  readonly split: Readonly<Record<string, unknown>> | undefined;
  readonly data: string | undefined;
  /** A file of the saved model to begin with. */
  readonly start: string | undefined;
  readonly masks: boolean;
  readonly dropout: number;
  readonly sweeps: readonly Sweep[];
  readonly csv: string | undefined;
  readonly jobs: number;
  readonly json: boolean;
}

/** @throws HushError `command/…`, naming the option, its value and what was expected. */
export function readTrainingOptions(args: string[]): TrainingOptions {
  const { values } = parseArgs({
    args,
    options: {
      plan: { type: 'string', default: '' },
      participants: { type: 'string' },
      rounds: { type: 'string' },
      seed: { type: 'string' },
      split: { type: 'string' },
      data: { type: 'string' },
      start: { type: 'string' },
      masks: { type: 'boolean', default: false },
      dropout: { type: 'string', default: '0' },
      sweep: { type: 'string', multiple: true, default: [] },
      csv: { type: 'string' },
      jobs: { type: 'string' },
      json: { type: 'boolean', default: false },
      group: { type: 'string' },
      mode: { type: 'string' },
      params: { type: 'string' },
      bits: { type: 'string' },
      schedules: { type: 'string' },
    },
  });
  const unplanned = UNPLANNED.find((name) => values[name] !== undefined);
  if (unplanned !== undefined) {
    const advice = 'Change the plan, or try values of its fields with "--sweep".';
    throw new HushError('command/plan', `"--${unplanned}" is given with "--plan", which says it itself.`, { advice });
  }
  const optional = (option: string, text: string | undefined, min: number, max: number): number | undefined =>
    text === undefined ? undefined : whole(option, text, min, max);
  return {
    planPath: fromCaller(values.plan),
    participants: optional('--participants', values.participants, ...PEOPLE),
    rounds: optional('--rounds', values.rounds, 1, 100_000),
    seed: optional('--seed', values.seed, 0, 2 ** 32 - 1),
    split: values.split === undefined ? undefined : readSplit(values.split),
    data: values.data === undefined ? undefined : fromCaller(values.data),
    start: values.start === undefined ? undefined : fromCaller(values.start),
    masks: values.masks,
    dropout: fraction('--dropout', values.dropout),
    sweeps: values.sweep.map(readSweep),
    csv: values.csv === undefined ? undefined : fromCaller(values.csv),
    jobs: optional('--jobs', values.jobs, 1, 64) ?? availableParallelism(),
    json: values.json,
  };
}

export interface PreparedTrainings {
  readonly document: PlanDocument;
  readonly combinations: readonly Combination[];
  /** One for each participant of the largest combination; none for public data. */
  readonly entries: readonly DataEntry[];
}

/** Nothing is trained before every plan is known to be valid. @throws HushError `command/…`, `plan/…`. */
export async function prepareTrainings(options: TrainingOptions): Promise<PreparedTrainings> {
  const { participants, rounds, seed, split, start, sweeps } = options;
  const document = await readPlan(options.planPath);
  const saved = start === undefined ? undefined : readSavedModel(await startFiles(start));
  const { data, aggregation } = document.plan;
  checkReadable(document.plan);
  if (split !== undefined && data.kind !== 'public') {
    throw new HushError('command/split', '"--split" is given, expected none: people’s own files are not cut.');
  }
  const fields: PlanField[] = [
    ...(rounds === undefined ? [] : [['aggregation.rounds', rounds] as const]),
    ...(seed === undefined ? [] : [['seed', seed] as const]),
    ...(split === undefined ? [] : [['data.split', split] as const]),
    ...(saved === undefined
      ? []
      : [['start', { modelHash: modelHashOf(parametersFor(document.plan, saved)) }] as const]),
  ];
  const combinations = combine(document, sweeps, participants ?? aggregation.cohort.target, fields);
  for (const { adapted } of combinations) await startOf(adapted.plan, saved);
  const most = Math.max(...combinations.map(({ participants }) => participants));
  return { document, combinations, entries: await dataEntries(document.plan, options.data, most) };
}
