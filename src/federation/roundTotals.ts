/** A round's groups taken together, for pictures and words: where it stands, and how many have done what. */
import type { CoordinatorGroup, CoordinatorRound, CoordinatorStep, GroupStep } from './coordinatorRounds.ts';

/** What a round is shown to be doing. */
export type ShownStep = Exclude<CoordinatorStep, 'running'> | Exclude<GroupStep, 'summed' | 'lost'>;

const GROUP_STEPS: readonly GroupStep[] = [
  'sharing',
  'ready',
  'training',
  'agreeing',
  'marking',
  'unmasking',
  'summing',
  'summed',
  'lost',
];

export interface RoundTotals {
  readonly step: ShownStep;
  readonly untilMs: number | undefined;
  readonly stepSinceMs: number;
  /** People in groups that are not lost; before there are groups, those who advertised. */
  readonly size: number;
  /** Of the smallest group that is not lost. */
  readonly threshold: number;
  readonly groups: number;
  readonly lost: number;
  readonly shares: number;
  readonly u1: number;
  readonly masked: number;
  readonly survivors: number;
  readonly agreements: number;
  readonly answers: number;
  readonly confirmations: number;
}

export function roundTotals(round: CoordinatorRound): RoundTotals {
  const groups = round.groups.filter(({ step }) => step !== 'lost');
  const slowest = slowestOf(groups);
  const running = round.step === 'running' || round.step === 'sharing';
  const shown = slowest && running ? slowest : round;
  const count = (of: (group: CoordinatorGroup) => number): number => groups.reduce((sum, group) => sum + of(group), 0);
  const keys = (of: (group: CoordinatorGroup) => object): number => count((group) => Object.keys(of(group)).length);
  return {
    step: stepOf(round, slowest),
    untilMs: shown.untilMs,
    stepSinceMs: shown.stepSinceMs,
    size: round.groups.length === 0 ? round.adverts.size : count(({ roster }) => roster.members.length),
    threshold: groups.length === 0 ? 0 : Math.min(...groups.map(({ roster }) => roster.threshold)),
    groups: round.groups.length,
    lost: round.groups.length - groups.length,
    shares: keys(({ shares }) => shares),
    u1: count(({ u1 }) => u1.length),
    masked: keys(({ masked }) => masked),
    survivors: count(({ survivors }) => survivors.length),
    agreements: keys(({ agreements }) => agreements),
    answers: keys(({ answers }) => answers),
    confirmations: keys(({ confirmations }) => confirmations),
  };
}

function slowestOf(groups: readonly CoordinatorGroup[]): CoordinatorGroup | undefined {
  const place = ({ step }: CoordinatorGroup): number => GROUP_STEPS.indexOf(step);
  return groups.reduce<CoordinatorGroup | undefined>(
    (slowest, group) => (slowest !== undefined && place(slowest) <= place(group) ? slowest : group),
    undefined,
  );
}

function stepOf({ step }: CoordinatorRound, slowest: CoordinatorGroup | undefined): ShownStep {
  if (step !== 'running') return step;
  const of = slowest?.step ?? 'summed';
  return of === 'summed' || of === 'lost' ? 'summing' : of;
}
