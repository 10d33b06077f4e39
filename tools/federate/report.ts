/** What `npm run federate` has to say at the end. */
import type { Metric } from '../../src/core/metrics.ts';
import type { RunView } from '../../src/core/runView.ts';
import type { RoundMetrics } from '../../src/federation/coordinatorState.ts';
import type { Plan } from '../../src/core/plan.ts';
import { judged } from '../training/judged.ts';

export interface Report {
  readonly ok: boolean;
  readonly plan: string;
  readonly participants: number;
  readonly rounds: number;
  readonly roundsAbandoned: number;
  readonly dropouts: number;
  /** What the plan is judged by, from the last point that was measured. */
  readonly metric: Metric | null;
  readonly testAccuracy: number | null;
  readonly testLoss: number | null;
  readonly validationAccuracy: number | null;
  readonly validationLoss: number | null;
  readonly modelHash: string;
  readonly modelHashesAgree: boolean;
  readonly parameters: number;
  /** Participants by the engine that they trained with in the last round. */
  readonly engines: Readonly<Record<string, number>>;
  readonly secondsPerRound: number | null;
  readonly trainSecondsPerRound: number | null;
  readonly bytesUpPerParticipantRound: number | null;
  readonly bytesDownPerParticipantRound: number | null;
  readonly longestMainThreadTaskMs: number;
  readonly coordinatorLongestTaskMs: number;
  /** First round of each tab that joined later; null when it never took part. */
  readonly newcomersFirstRound: readonly (number | null)[];
  readonly problems: readonly string[];
}

export interface Outcome {
  readonly plan: Plan;
  readonly view: RunView;
  readonly metrics: readonly RoundMetrics[];
  readonly participants: number;
  readonly modelHashes: readonly (string | undefined)[];
  readonly longestMainThreadTaskMs: number;
  readonly coordinatorLongestTaskMs: number;
  readonly newcomersFirstRound: readonly (number | null)[];
  readonly faults: readonly string[];
}

export function reportOf(outcome: Outcome): Report {
  const { plan, view, metrics } = outcome;
  const last = view.curve.at(-1);
  const trained = metrics.filter((entry) => entry.kind === 'train');
  const agree = outcome.modelHashes.length > 0 && outcome.modelHashes.every((hash) => hash === view.modelHash);
  const problems = [...outcome.faults];
  if (view.phase !== 'finished') problems.push(`The run did not finish: ${view.sentence}`);
  if (outcome.newcomersFirstRound.includes(null)) problems.push('A tab that was to join later never took part.');
  if (!agree) problems.push('The participants do not all hold the same model.');
  const round = (value: number | undefined, digits: number): number | null =>
    value === undefined ? null : Number(value.toFixed(digits));
  return {
    ok: problems.length === 0,
    plan: plan.name,
    participants: outcome.participants,
    rounds: trained.length,
    roundsAbandoned: view.ledger.abandoned,
    dropouts: metrics.reduce((sum, entry) => sum + entry.dropouts, 0),
    metric: judged(last),
    testAccuracy: round(last?.testAccuracy, 6),
    testLoss: round(last?.testLoss, 6),
    validationAccuracy: round(last?.validationAccuracy, 6),
    validationLoss: round(last?.validationLoss, 6),
    modelHash: view.modelHash ?? '',
    modelHashesAgree: agree,
    parameters: view.parameters ?? 0,
    engines: trained.at(-1)?.engines ?? {},
    secondsPerRound: round(view.secondsPerRound, 3),
    trainSecondsPerRound: round(view.trainSecondsPerRound, 3),
    bytesUpPerParticipantRound: round(mean(trained.map((entry) => entry.bytesUpPerParticipant)), 0),
    bytesDownPerParticipantRound: round(mean(trained.map((entry) => entry.bytesDownPerParticipant)), 0),
    longestMainThreadTaskMs: Math.round(outcome.longestMainThreadTaskMs),
    coordinatorLongestTaskMs: Math.round(outcome.coordinatorLongestTaskMs),
    newcomersFirstRound: outcome.newcomersFirstRound,
    problems,
  };
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** One line while it runs. */
export function progressLine(view: RunView): string {
  const point = view.curve.findLast((known) => (known.testAccuracy ?? known.validationAccuracy) !== undefined);
  const isValue = view.plan?.task.kind === 'regression';
  const measured = isValue ? undefined : (point?.testAccuracy ?? point?.validationAccuracy);
  const accuracy = measured === undefined ? '' : ` · ${(100 * measured).toFixed(1)} % after round ${point?.round}`;
  const wait = view.waiting ? ` Waiting for ${view.waiting.for}.` : '';
  return `${view.sentence}${wait}${accuracy}`;
}

/** Of the same plan with stock tfjs and with the engine that was asked for, or chosen, in its place. */
export interface Comparison {
  readonly ok: boolean;
  readonly stock: Report;
  readonly chosen: Report;
  /** Training seconds a round, of what stock takes; null when one of them was not measured. */
  readonly trainSecondsOfStock: number | null;
}

export function comparisonOf(stock: Report, chosen: Report): Comparison {
  const [before, after] = [stock.trainSecondsPerRound, chosen.trainSecondsPerRound];
  const ratio = before === null || after === null || before === 0 ? null : Number((after / before).toFixed(3));
  return { ok: stock.ok && chosen.ok, stock, chosen, trainSecondsOfStock: ratio };
}

/** The report for people. */
export function reportText(report: Report, out: string): string {
  const percent = (accuracy: number | null): string =>
    accuracy === null ? 'not measured' : `${(100 * accuracy).toFixed(2)} %`;
  const kilobytes = (bytes: number | null): string => (bytes === null ? '–' : `${(bytes / 1000).toFixed(1)} kB`);
  const seconds = (value: number | null): string => (value === null ? '–' : `${value.toFixed(2)} s`);
  const rows: readonly (readonly [string, string])[] = [
    ['plan', report.plan],
    ['participants', String(report.participants)],
    ['rounds', `${report.rounds} completed, ${report.roundsAbandoned} given up, ${report.dropouts} dropouts`],
    ['metric', report.metric === null ? 'not measured' : `${report.metric.name} ${report.metric.value}`],
    ['test accuracy', `${percent(report.testAccuracy)}, loss ${report.testLoss ?? '–'}`],
    ['validation accuracy', `${percent(report.validationAccuracy)}, loss ${report.validationLoss ?? '–'}`],
    [
      'model',
      `${report.modelHash.slice(0, 16)}…, ${report.parameters} parameters, ${report.modelHashesAgree ? 'the same everywhere' : 'NOT the same everywhere'}`,
    ],
    [
      'engines',
      Object.entries(report.engines)
        .map(([name, count]) => `${count} × ${name}`)
        .join(', '),
    ],
    ['a round', `${seconds(report.secondsPerRound)}, of which ${seconds(report.trainSecondsPerRound)} training`],
    [
      'a participant',
      `${kilobytes(report.bytesUpPerParticipantRound)} up, ${kilobytes(report.bytesDownPerParticipantRound)} down a round`,
    ],
    [
      'longest task',
      `${report.longestMainThreadTaskMs} ms in a participant's page, ${report.coordinatorLongestTaskMs} ms in the coordinator's`,
    ],
    ['files', `${out}, to be checked with npm run verify -- ${out}`],
    ...report.problems.map((problem) => ['problem', problem] as const),
  ];
  return rows.map(([name, value]) => `${name.padEnd(20)} ${value}`).join('\n');
}
