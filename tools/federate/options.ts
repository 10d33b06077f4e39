/** The options of `npm run federate`, and the plan that follows from them. */
import { parseArgs } from 'node:util';
import { ENGINE_NAMES } from '../../src/core/engine.ts';
import { HushError } from '../../src/core/errors.ts';
import type { AskedEngine } from '../../src/core/localWork.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { Plan } from '../../src/core/plan.ts';
import { readSavedModel } from '../../src/core/savedModel.ts';
import type { NamedBytes } from '../../src/core/savedModel.ts';
import { withStart } from '../../src/federation/start.ts';
import { adaptPlan, readPlan } from '../adaptPlan.ts';
import type { PlanField } from '../adaptPlan.ts';
import { fromCaller } from '../command.ts';
import { whole } from '../numbers.ts';
import { readSplit } from '../split.ts';
import { checkReadable } from '../training/shards.ts';
import { dataEntries } from './entries.ts';
import type { DataEntry } from './entries.ts';
import { startFiles } from './start.ts';

const ASKED_ENGINES: readonly AskedEngine[] = [...ENGINE_NAMES, 'stock'];

export const FEDERATE_HELP = `npm run federate -- PLAN.json [--participants N] [--rounds R] [--data DIR] [--split KIND] [--start FILE] [--out DIR] [--engine NAME] [--json]

Runs a real federation on this machine: a headless browser with one coordinator tab and N participant tabs, each in a
context of its own, over WebRTC. Writes plan.json, model.json and weights.bin (tfjs layers format), model.safetensors,
model-card.md, metrics.jsonl, metrics.csv and ledger.jsonl into DIR.

  --participants N  tabs that take part; the plan's cohort target unless given
  --rounds R        training rounds; the plan's unless given
  --data DIR        for a plan on private data: each tab gets one file or sub-folder of DIR, in the order of their names
  --split KIND      of public data: iid, label:LABELS_PER_SHARD, dirichlet:ALPHA, or natural where it has parts of its own; the
                    plan's unless given
  --start FILE      begins with this saved model: model.safetensors, or model.json with weights.bin beside it
  --out DIR         where the files go, "out" unless given
  --drop K@R        closes tab K (from 1) in round R, once its masked update is on its way; may be repeated
  --join R          opens one more tab in round R; may be repeated
  --engine NAME     ${ASKED_ENGINES.join(', ')}: what
                    every tab trains with; the fastest there unless given. Stock is tfjs as its users train with it, on the
                    fastest of its backends
  --compare-engines runs the plan twice, with stock first, and reports both and the ratio of their training times; the
                    files go into the folders stock and chosen of DIR
  --central         then trains the same model in Node on everybody's data in one place, for as many passes, and reports
                    its metric beside that of the federation
  --json            no progress; the last line is one JSON object
  --help            shows this`;

export interface Drop {
  /** From 1. */
  readonly tab: number;
  readonly round: number;
}

export interface FederateOptions {
  readonly help: boolean;
  readonly planPath: string;
  readonly participants: number | undefined;
  readonly rounds: number | undefined;
  /** Where the files of the participants lie, by tab. */
  readonly data: string | undefined;
  /** Of public data, instead of the plan's. */
  readonly split: Readonly<Record<string, unknown>> | undefined;
  /** A saved model to begin with. */
  readonly start: string | undefined;
  readonly out: string;
  readonly drops: readonly Drop[];
  readonly joins: readonly number[];
  readonly engine: AskedEngine | undefined;
  readonly compareEngines: boolean;
  /** Whether the same model is trained on everybody's data in one place afterwards. */
  readonly central: boolean;
  readonly json: boolean;
}

/** @throws HushError `command/…`, naming the option, its value and what was expected. */
export function readOptions(args: string[]): FederateOptions {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      participants: { type: 'string' },
      rounds: { type: 'string' },
      data: { type: 'string' },
      split: { type: 'string' },
      start: { type: 'string' },
      out: { type: 'string' },
      drop: { type: 'string', multiple: true },
      join: { type: 'string', multiple: true },
      engine: { type: 'string' },
      'compare-engines': { type: 'boolean' },
      central: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const help = values.help ?? false;
  if (values.central && values['compare-engines']) {
    throw new HushError('command/central', '"--central" is given with "--compare-engines", expected one of both.');
  }
  if (!help && positionals.length !== 1) {
    throw new HushError(
      'command/plan',
      `${positionals.length} plans are given, expected one, such as plans/digits.json.`,
    );
  }
  return {
    help,
    planPath: fromCaller(positionals[0] ?? ''),
    participants: values.participants === undefined ? undefined : whole('--participants', values.participants, 3, 64),
    rounds: values.rounds === undefined ? undefined : whole('--rounds', values.rounds, 1, 100_000),
    data: values.data === undefined ? undefined : fromCaller(values.data),
    split: values.split === undefined ? undefined : readSplit(values.split),
    start: values.start === undefined ? undefined : fromCaller(values.start),
    out: fromCaller(values.out ?? 'out'),
    drops: (values.drop ?? []).map(readDrop),
    joins: (values.join ?? []).map((text) => whole('--join', text, 1, 100_000)),
    engine: values.engine === undefined ? undefined : readEngine(values.engine),
    compareEngines: values['compare-engines'] ?? false,
    central: values.central ?? false,
    json: values.json ?? false,
  };
}

function readEngine(text: string): AskedEngine {
  const found = ASKED_ENGINES.find((name) => name === text);
  if (found !== undefined) return found;
  throw new HushError('command/engine', `"--engine" is "${text}", expected one of ${ASKED_ENGINES.join(', ')}.`);
}

function readDrop(text: string): Drop {
  const match = /^(\d+)@(\d+)$/.exec(text);
  if (match === null || Number(match[1]) < 1 || Number(match[2]) < 1) {
    throw new HushError('command/drop', `"--drop" is "${text}", expected TAB@ROUND, such as 2@3.`);
  }
  return { tab: Number(match[1]), round: Number(match[2]) };
}

export interface PreparedPlan {
  readonly plan: Plan;
  readonly text: string;
  readonly participants: number;
  /** What each tab trains on, those that join later last; none for public data. */
  readonly entries: readonly DataEntry[];
  /** Of the saved model that it begins with. */
  readonly start: readonly NamedBytes[] | undefined;
}

/** The plan as it is launched: for so many people and rounds, with a shard for each. @throws HushError `plan/…`. */
export async function preparePlan(options: FederateOptions): Promise<PreparedPlan> {
  const document = await readPlan(options.planPath);
  const { plan } = document;
  if (plan.security.admission === 'named') {
    throw new HushError('command/admission', '"security.admission" is "named", expected "link" or "anyone".', {
      advice: 'The tabs that are opened here go by no name: launch this plan on the Launch screen.',
    });
  }
  const participants = options.participants ?? plan.aggregation.cohort.target;
  for (const { tab } of options.drops) {
    if (tab > participants)
      throw new HushError('command/drop', `"--drop" names tab ${tab}, expected 1 to ${participants}.`);
  }
  const rounds = options.rounds ?? plan.aggregation.rounds;
  for (const round of [...options.drops.map((drop) => drop.round), ...options.joins]) {
    if (round > rounds) throw new HushError('command/round', `Round ${round} is named, expected 1 to ${rounds}.`);
  }
  if (options.central) checkReadable(plan);
  const people = participants + options.joins.length;
  if (options.split && plan.data.kind === 'private') {
    throw new HushError('command/split', '"--split" is given, expected none: people’s own files are not cut.');
  }
  const fields: PlanField[] = options.split ? [['data.split', options.split]] : [];
  const adapted = adaptPlan(document, { participants, shards: people, rounds, fields });
  const start = options.start === undefined ? undefined : await startFiles(options.start);
  const text =
    start === undefined ? adapted.text : `${(await withStart(adapted.text, readSavedModel(start))).planText}\n`;
  const entries = await dataEntries(plan, options.data, people);
  return { plan: parsePlan(Buffer.from(text)).plan, text, participants, entries, start };
}
