/** `npm run bench -- bits`: how the digits train with few bits a value, with and without rotation, against float32. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HushError } from '../../src/core/errors.ts';
import { planLayout } from '../../src/core/planLayout.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { Plan } from '../../src/core/plan.ts';
import { ringBits, trainingSumSpec } from '../../src/core/sumSpec.ts';
import { buildDigits } from '../build-digits.ts';
import { DATA_DIR } from '../build.ts';
import { ROOT } from '../command.ts';
import { runJobs } from '../training/pool.ts';
import type { Trial, TrialResult } from './trial.ts';

const PLAN = 'plans/digits.json';
const BITS = '2,3,4,6,8,16';

/** Of 4 rotated bits to float32, in test accuracy. */
const MAX_LOSS = 0.005;
const CHECKED_BITS = 4;

const HELP = `npm run bench -- bits [--bits LIST] [--seeds N] [--rounds N] [--participants N] [--json]

Trains ${PLAN} with float32 averaging, and with the sums of a round, masks left out, at several numbers of bits, with
and without rotation. Figures are means over the seeds; a seed fixes shards, first model, batches and rounding. The exit
code is 1 when ${CHECKED_BITS} bits with rotation are asked for and end more than ${MAX_LOSS} below float32.

  --bits LIST       bits of a value, ${BITS} unless given
  --seeds N         seeds 1 to N, 3 unless given
  --rounds N        rounds of training, 10 unless given
  --participants N  all of whom take part in every round, 8 unless given
  --json            the last line is one JSON object
  --help            shows this`;

interface Row {
  /** Bits of a value; null for float32. */
  readonly bits: number | null;
  readonly rotation: boolean;
  readonly clipRange: number | null;
  /** Bits of a word under masks. */
  readonly ringBits: number | null;
  readonly testAccuracy: number;
  readonly testAccuracies: readonly number[];
  /** Of the mean update, by its length, averaged over rounds and seeds. */
  readonly meanError: number;
  /** Fraction of the coordinates, in the worst round of all. */
  readonly saturated: number;
  /** Of an update before clipping. */
  readonly largestNorm: number;
}

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      bits: { type: 'string' },
      seeds: { type: 'string' },
      rounds: { type: 'string' },
      participants: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const bits = (values.bits ?? BITS).split(',').map((text) => count('--bits', text, 2, 24));
  const seeds = count('--seeds', values.seeds ?? '3', 1, 100);
  const rounds = count('--rounds', values.rounds ?? '10', 1, 1000);
  const participants = count('--participants', values.participants ?? '8', 1, 255);
  await buildDigits(DATA_DIR);
  const { plan } = parsePlan(await readFile(join(ROOT, PLAN)));
  const base = { ...plan, aggregation: { ...plan.aggregation, rounds } };
  const rules = [undefined, ...bits.flatMap((of) => [rule(base, of, true), rule(base, of, false)])];
  const rows = await measure(base, rules, seeds, participants, (done, of) => {
    if (!values.json) console.log(`${done} of ${of} federations`);
  });
  const float = rows[0]?.testAccuracy ?? 0;
  const checked = rows.find((row) => row.bits === CHECKED_BITS && row.rotation);
  const holds = checked === undefined || checked.testAccuracy >= float - MAX_LOSS;
  if (values.json) console.log(JSON.stringify({ plan: PLAN, participants, rounds, seeds, holds, rows }));
  else console.log(table(rows, float));
  return holds ? 0 : 1;
}

type Rule = Pick<Plan['aggregation'], 'bits' | 'rotation' | 'clipRange'>;

/**
 * Rotated, a coordinate of an update as long as the plan allows has a standard deviation of clipNorm / sqrt(d), and the range
 * is sqrt(2b) of these: what a normal distribution has outside, at most 2 · exp(−b), shrinks with the rounding. Without
 * rotation nothing in a plan tells how large the largest coordinate is beside the norm: the ranges were found by trying.
 */
function rule(plan: Plan, bits: number, rotation: boolean): Rule {
  const deviation = plan.aggregation.clipNorm / Math.sqrt(planLayout(plan).sentLength);
  const clipRange = rotation ? Math.sqrt(2 * bits) * deviation : bits / 40;
  return { bits, rotation, clipRange: Number(clipRange.toPrecision(2)) };
}

async function measure(
  plan: Plan,
  rules: readonly (Rule | undefined)[],
  seeds: number,
  participants: number,
  onDone: (done: number, of: number) => void,
): Promise<Row[]> {
  const trials = rules.flatMap((of) =>
    Array.from({ length: seeds }, (_, i): Trial => ({
      plan: { ...plan, seed: i + 1, aggregation: { ...plan.aggregation, ...of } },
      participants,
      float: of === undefined,
      dataDir: DATA_DIR,
    })),
  );
  const results: TrialResult[] = [];
  let done = 0;
  await runJobs<Trial, never, TrialResult>(trials, {
    script: new URL('./trialProcess.ts', import.meta.url),
    onResult: (trial, result) => {
      results[trial] = result;
      onDone(++done, trials.length);
    },
  });
  return rules.map((of, k) => rowOf(plan, of, results.slice(k * seeds, (k + 1) * seeds), participants));
}

function rowOf(plan: Plan, of: Rule | undefined, results: readonly TrialResult[], participants: number): Row {
  const mean = (pick: (result: TrialResult) => number): number =>
    results.reduce((sum, result) => sum + pick(result), 0) / results.length;
  const figures = {
    testAccuracy: mean((result) => result.testAccuracy),
    testAccuracies: results.map((result) => result.testAccuracy),
    meanError: mean((result) => result.meanError),
    saturated: Math.max(...results.map((result) => result.saturated)),
    largestNorm: Math.max(...results.map((result) => result.largestNorm)),
  };
  if (of === undefined) return { bits: null, rotation: false, clipRange: null, ringBits: null, ...figures };
  const changed = { ...plan, aggregation: { ...plan.aggregation, ...of } };
  const ring = ringBits(trainingSumSpec(changed), participants);
  return { ...of, ringBits: ring, ...figures };
}

/** As Markdown. */
function table(rows: readonly Row[], float: number): string {
  const head = [
    '| bits | rotation | clip range | bits of a word | test accuracy | against float32 | error of the mean | cut off |',
    '|---|---|---|---|---|---|---|---|',
  ];
  const lines = rows.map((row) => {
    const against = row.testAccuracy - float;
    const cells = [
      row.bits ?? 'float32',
      row.bits === null ? '–' : row.rotation ? 'yes' : 'no',
      row.clipRange ?? '–',
      row.ringBits ?? '–',
      `${row.testAccuracy.toFixed(4)} (${row.testAccuracies.map((value) => value.toFixed(4)).join(', ')})`,
      row.bits === null ? '–' : `${against < 0 ? '−' : '+'}${Math.abs(against).toFixed(4)}`,
      row.bits === null ? '–' : `${(100 * row.meanError).toFixed(1)} %`,
      row.bits === null ? '–' : `${(100 * row.saturated).toFixed(2)} %`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [...head, ...lines].join('\n');
}

/** @throws HushError `command/bench`. */
function count(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return value;
  throw new HushError('command/bench', `"${name}" has "${text}", expected a number from ${least} to ${most}.`);
}
