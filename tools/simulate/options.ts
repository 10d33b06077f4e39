/** The options of `npm run simulate`. */
import { parseArgs } from 'node:util';
import { HushError } from '../../src/core/errors.ts';
import { MAX_COHORT, MAX_GROUP } from '../../src/core/plan.ts';
import type { SecurityMode } from '../../src/core/plan.ts';
import { fraction, whole } from '../numbers.ts';
import { SWEEP_NAMES } from './sweep.ts';
import { PLANNED } from './trainingOptions.ts';

export const SIMULATE_HELP = `npm run simulate -- [--participants N] [--group K] [--mode M] [--params D] [--bits B] [--dropout P]
                       [--rounds R] [--seed S] [--json]
npm run simulate -- --schedules K [the same]
npm run simulate -- --plan FILE [--participants N] [--rounds R] [--seed S] [--split KIND] [--data DIR]
                       [--start FILE] [--masks] [--dropout P] [--sweep FIELD=V1,V2]... [--csv FILE] [--jobs J] [--json]

Without --plan:

Runs a federation in this process: the state machines, messages, links and cryptography of the application, over a virtual
clock and a seeded network. Training is replaced by seeded noise. Everything follows from the seed.

  --participants N  people; 8 unless given
  --group K         mean size of the groups into which they are cut; all in one unless given
  --mode M          active (unless given) or honest-but-curious
  --params D        parameters of the model; 1000 unless given
  --bits B          bits of one quantised value; 16 unless given
  --dropout P       part of each round's people whose tabs close after sharing and before their masked updates arrive;
                    they come back for the next round; 0 unless given
  --rounds R        training rounds; 1 unless given, with --schedules 1 to 3 by seed
  --seed S          0 to 4294967295; 1 unless given
  --schedules K     K federations with seeds S, S+1, …, in each of which frames are dropped, doubled, overtaken and held
                    up, and channels and tabs are closed, by seed, for a while; then all must finish
  --jobs J          processes over which schedules are spread, as many as there are cores unless given; 1 runs all in
                    this one
  --json            the last line is one JSON object, and nothing else is printed
  --help            shows this

Without --schedules the run ends with the last training round. Figures of the last line:

  mode, groups, groupSize, threshold   of the last completed round; size and threshold of its largest group
  completed         training rounds in the ledger
  exact             every unmasked sum was, word for word, the sum of its survivors' vectors
  survivors         of the last completed round
  abandoned         rounds and sums of groups that were given up, by reason
  hung              people and coordinators that neither went on nor ended
  clientMsMedian, clientMsMax
                    processor time, user and system, of all that one participant does for one round from call to record,
                    without training, quantising, applying and pauses for garbage; of fifteen people that run alone and
                    share nothing, of whom the first few pay for the compiler
  coordinatorMs     what the coordinator works in one round, on the wall of this machine and without pauses for garbage,
                    from its first answer after the masked updates to the record: checking, putting secrets together,
                    expanding masks, applying; summed over groups
  bytesUpPerParticipant, bytesDownPerParticipant
                    frames of one participant in one round with everything in them, joining included; the mean over
                    those who never dropped out
  expansionUp       bytesUpPerParticipant over D·B/8
  coordinatorPeakMiB
                    the most that the coordinator held at once: running sums, messages on their way to it or being put
                    together, bodies kept for the round
  secondsTotal      of the whole run, on the wall

With --schedules: schedules; rounds that were called, and of them completed and abandoned by reason; hung; exact; sameModel
(everyone who finished has the coordinator's model); ended, people whose part ended otherwise, by reason. A schedule that
fails is printed with the command that replays it.

The exit code is 0 when nothing hung, every sum was exact, and every round of a run without faults completed.

With --plan:

Trains the plan in this machine's Node: the engine on WebAssembly, everyone's clipping, quantising and weighing, the sum,
its checks and the step of the model are those of the application; network and agreement are left out. The model is the
same to the last bit for the same plan, participants, rounds and seed, with masks and without.

  --plan FILE       a plan, such as plans/digits.json
  --participants N  people, each with a shard of public data; the plan's cohort target unless given
  --rounds R        training rounds; the plan's unless given
  --seed S          for shards, first model, batches and rounding; the plan's unless given
  --split KIND      how public data is cut: iid, natural, label:LABELS_PER_SHARD, dirichlet:ALPHA; the plan's unless given
  --data DIR        for a plan on private data, tables or text: each person has one file or sub-folder of DIR
  --start FILE      begins with a saved model: a file of safetensors, or model.json with weights.bin beside it
  --masks           adds pair and self masks to every update and takes them off the sum again
  --dropout P       part of the people, others in each training round, whose masked updates do not arrive; 0 unless given
  --sweep FIELD=V1,V2
                    trains with each value of a field of the plan; may be repeated, for every combination. FIELD is a path
                    such as training.optimizer.kind, or one of
                    ${sweepNames()}
  --csv FILE        writes the table of a sweep there
  --jobs J          trainings side by side, each in a process; as many as there are cores unless given
  --json            the last line is one JSON object, and nothing else is printed but the bar of a terminal
  --help            shows this

Figures of the last line: plan, participants, rounds, seed; metric (the name and value that the plan is judged by),
testAccuracy, testLoss, validationAccuracy, validationLoss of the last model; curve, the same and more for the first model
and after each round; modelHash, parameters, secondsTotal. Of a sweep: sweep (its fields), of (how many combinations), and
runs, best first, each with its values and these figures, or with the problem that ended it. The exit code is 0 when
something was trained, and 130 after Ctrl-C, which still prints and writes what was trained until then.`;

function sweepNames(): string {
  return Object.keys(SWEEP_NAMES)
    .join(', ')
    .replace('serverLearningRate, ', `serverLearningRate,\n${' '.repeat(20)}`);
}

export interface SimulateOptions {
  readonly help: boolean;
  readonly participants: number;
  readonly group: number | undefined;
  readonly mode: SecurityMode;
  readonly params: number;
  readonly bits: number;
  readonly dropout: number;
  /** Undefined: by seed. */
  readonly rounds: number | undefined;
  readonly seed: number;
  readonly schedules: number | undefined;
  /** Undefined: as many as there are cores. */
  readonly jobs: number | undefined;
  readonly json: boolean;
}

/** @throws HushError `command/…`, naming the option, its value and what was expected. */
export function readOptions(args: string[]): SimulateOptions {
  const { values } = parseArgs({
    args,
    options: {
      participants: { type: 'string', default: '8' },
      group: { type: 'string' },
      mode: { type: 'string', default: 'active' },
      params: { type: 'string', default: '1000' },
      bits: { type: 'string', default: '16' },
      dropout: { type: 'string', default: '0' },
      rounds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      schedules: { type: 'string' },
      jobs: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      plan: { type: 'string' },
      split: { type: 'string' },
      data: { type: 'string' },
      start: { type: 'string' },
      sweep: { type: 'string', multiple: true },
      csv: { type: 'string' },
      masks: { type: 'boolean' },
    },
  });
  const planned = PLANNED.find((name) => values[name] !== undefined);
  if (planned !== undefined && !values.help) {
    throw new HushError('command/plan', `"--${planned}" is given without "--plan", expected a plan to train.`);
  }
  const optional = (option: string, text: string | undefined, min: number, max: number): number | undefined =>
    text === undefined ? undefined : whole(option, text, min, max);
  const options: SimulateOptions = {
    help: values.help,
    participants: whole('--participants', values.participants, 3, MAX_COHORT),
    group: optional('--group', values.group, 3, 200),
    mode: modeOf(values.mode),
    params: whole('--params', values.params, 6, 60_000_000),
    bits: whole('--bits', values.bits, 2, 24),
    dropout: fraction('--dropout', values.dropout),
    rounds: optional('--rounds', values.rounds, 1, 1000),
    seed: whole('--seed', values.seed, 0, 2 ** 32 - 1),
    schedules: optional('--schedules', values.schedules, 1, 1_000_000),
    jobs: optional('--jobs', values.jobs, 1, 64),
    json: values.json,
  };
  if (options.group === undefined && options.participants > MAX_GROUP) {
    throw new HushError(
      'command/group',
      `"--participants" is ${options.participants} without "--group", expected at most ${MAX_GROUP} in one group.`,
    );
  }
  if (options.schedules !== undefined && options.dropout > 0) {
    throw new HushError('command/dropout', '"--dropout" is given with "--schedules", which close tabs by themselves.');
  }
  return options;
}

function modeOf(text: string): SecurityMode {
  if (text === 'active' || text === 'honest-but-curious') return text;
  throw new HushError('command/mode', `"--mode" is "${text}", expected active or honest-but-curious.`);
}
