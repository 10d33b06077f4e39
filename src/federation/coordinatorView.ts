/** The coordinator's state as the dashboard shows it. */
import type { ChannelId } from '../core/ids.ts';
import { planLayout } from '../core/planLayout.ts';
import { statisticsView } from '../core/statistics.ts';
import type { Reachability } from '../core/ports.ts';
import type { PersonView, RoundStep, RoundView, RunView, WaitView } from '../core/runView.ts';
import type { CoordinatorGroup, CoordinatorRound } from './coordinatorRounds.ts';
import type { CoordinatorState } from './coordinatorState.ts';
import { kindOfNext } from './ledger.ts';
import { earlyEndOf } from './measured.ts';
import type { Body } from './messages.ts';
import type { RunCounters } from './participantView.ts';
import { personState, shownRound } from './personState.ts';
import { roundTotals } from './roundTotals.ts';
import type { RoundTotals, ShownStep } from './roundTotals.ts';

export interface CoordinatorCounters extends RunCounters {
  readonly reachability: Reachability;
  readonly bytesReceivedFrom: (channel: ChannelId) => number;
}

/** As a status holds it. */
const MAX_ENGINE_LENGTH = 16;

const STEP_SHOWN: Readonly<Record<ShownStep, RoundStep>> = {
  adverts: 'keys',
  rostering: 'keys',
  revealing: 'keys',
  drawing: 'keys',
  sharing: 'shares',
  ready: 'shares',
  training: 'train',
  agreeing: 'agree',
  marking: 'agree',
  unmasking: 'unmask',
  summing: 'unmask',
  combining: 'unmask',
  confirming: 'confirm',
  recording: 'confirm',
  done: 'confirm',
  abandoned: 'keys',
};

/** People on the roster and people who are here without being on it. */
function peopleOf(
  state: CoordinatorState,
  round: CoordinatorRound | undefined,
  counters: CoordinatorCounters,
): readonly PersonView[] {
  const members = new Set(round?.groupOf.keys());
  const ids = new Set([...members, ...state.sessions.keys()]);
  return [...ids].map((id): PersonView => {
    const session = state.sessions.get(id);
    return {
      id,
      you: false,
      name: state.names.get(id),
      group: round?.groups[0]?.roster.place && round.groupOf.get(id),
      state: personState(round, id, session),
      inRound: members.has(id),
      engine: session?.engine ?? '',
      fraction: session?.phase === 'training' ? session.fraction : undefined,
      samples: session && session.samples > 0 ? session.samples : undefined,
      bytesSent: session === undefined ? 0 : counters.bytesReceivedFrom(session.channel),
    };
  });
}

function roundView(state: CoordinatorState, round: CoordinatorRound): RoundView {
  const totals = roundTotals(round);
  const { size, masked, u1, survivors } = totals;
  const trained = state.sessions
    .values()
    .reduce((sum, { fraction, phase }) => sum + (phase === 'training' ? fraction : 0), 0);
  const shown = STEP_SHOWN[totals.step];
  const step = shown === 'train' && masked > 0 ? 'masked' : shown;
  const share = (count: number, of: number): number => (of > 0 ? Math.min(1, count / of) : 0);
  const fractions: Readonly<Record<RoundStep, number>> = {
    keys: share(round.adverts.size, state.sessions.size),
    shares: share(totals.shares, size),
    train: share(trained, u1),
    masked: share(masked, u1),
    agree: share(totals.agreements, survivors),
    unmask: share(totals.answers, survivors),
    confirm: round.step === 'done' ? 1 : share(totals.confirmations, survivors),
  };
  return {
    number: round.number,
    completed: state.head.completed,
    of: state.plan.aggregation.rounds,
    kind: round.modelHash === undefined ? kindOfNext(state.plan, state.head) : round.kind,
    step,
    stepFraction: fractions[step],
    size,
    threshold: totals.threshold,
    groups: Math.max(1, totals.groups),
    lostGroups: totals.lost,
    masked,
    unmasked: step === 'confirm',
  };
}

/** What the round waits for: how many of whom, and what from them. */
function roundWait(totals: RoundTotals): string | undefined {
  const missing = (answered: number, of: number): string => `${Math.max(0, of - answered)} of ${of}`;
  const { survivors } = totals;
  switch (totals.step) {
    case 'adverts':
      return 'fresh keys from everyone here';
    case 'rostering':
      return 'the keys to be checked';
    case 'revealing':
      return 'the randomness from which groups are drawn';
    case 'drawing':
      return 'the groups to be drawn';
    case 'sharing':
      return `shares from ${missing(totals.shares, totals.size)}`;
    case 'ready':
      return 'the round before to end';
    case 'training':
      return `${missing(totals.masked, totals.u1)} masked updates`;
    case 'agreeing':
    case 'marking':
      return `${missing(totals.agreements, survivors)} signatures under the list of survivors`;
    case 'unmasking':
      return `${missing(totals.answers, survivors)} shares to unmask the sum`;
    case 'summing':
    case 'combining':
      return 'the sum to be unmasked';
    case 'confirming':
      return `${missing(totals.confirmations, survivors)} confirmations of the result`;
    case 'recording':
      return 'the record to be written';
    case 'done':
    case 'abandoned':
      return undefined;
    default:
      return totals.step satisfies never;
  }
}

function waitOf(state: CoordinatorState, round: CoordinatorRound | undefined): WaitView | undefined {
  const here = state.sessions.size;
  const { cohort } = state.plan.aggregation;
  if (state.phase === 'waiting') {
    const wanted = state.started ? Math.max(3, cohort.minimum) : cohort.target;
    const more = Math.max(0, wanted - here);
    if (more > 0) return { for: `${more} more ${people(more)}`, untilMs: undefined };
    const { preparing } = state;
    const getReady = state.plan.data.kind === 'public' ? 'get ready' : 'choose files';
    return {
      for: preparing > 0 ? `${preparing} ${people(preparing)} to ${getReady}` : 'the first keys',
      untilMs: undefined,
    };
  }
  if (state.phase !== 'running' || round === undefined) return undefined;
  const totals = roundTotals(round);
  const what = roundWait(totals);
  return what === undefined ? undefined : { for: what, untilMs: totals.untilMs };
}

function people(count: number): string {
  return count === 1 ? 'person' : 'people';
}

function sentenceOf(state: CoordinatorState, round: CoordinatorRound | undefined, reachability: Reachability): string {
  const here = state.sessions.size;
  const { rounds } = state.plan.aggregation;
  switch (state.phase) {
    case 'waiting':
      if (reachability !== 'online') return 'The signalling server cannot be reached; nobody new can join.';
      return `${here} ${here === 1 ? 'person is' : 'people are'} here.`;
    case 'running':
      if (kindOfNext(state.plan, state.head) === 'statistics') return 'Adding up statistics of the data.';
      if (round?.kind === 'evaluate' && round.step !== 'adverts') return 'Measuring the final model.';
      return `Round ${Math.min(state.head.completed + 1, rounds)} of ${rounds}.`;
    case 'paused':
      return `Paused after round ${state.head.completed} of ${rounds}.`;
    case 'finished':
      return earlyEndOf(state.plan, state.head) ?? `All ${rounds} rounds are done.`;
    case 'failed':
      return state.problem?.message ?? 'Something failed.';
    case 'connecting':
    case 'preparing':
    case 'choosing':
    case 'left':
    case 'coordinator-away':
    case 'refused':
      return 'Opening.';
    default:
      return state.phase satisfies never;
  }
}

/** Means without the first round, which compiles and warms up. */
function mean(values: readonly number[]): number | undefined {
  const settled = values.length > 1 ? values.slice(1) : values;
  return settled.length === 0 ? undefined : settled.reduce((sum, value) => sum + value, 0) / settled.length;
}

export function coordinatorView(state: CoordinatorState, counters: CoordinatorCounters): RunView {
  const round = shownRound(state);
  const trained = state.metrics.filter((entry) => entry.kind === 'train');
  const { log, reachability, bytesReceivedFrom: _bytes, ...counted } = counters;
  return {
    ...counted,
    role: 'coordinator',
    federation: state.binding.federation,
    planHash: state.binding.planHash,
    plan: state.plan,
    you: undefined,
    phase: state.phase,
    sentence: sentenceOf(state, round, reachability),
    waiting: waitOf(state, round),
    round: round && roundView(state, round),
    people: peopleOf(state, round, counters),
    curve: state.curve,
    statistics: state.head.statistics && statisticsView(state.plan, state.head.statistics),
    own: undefined,
    secondsPerRound: mean(trained.map((entry) => entry.seconds)),
    trainSecondsPerRound: mean(trained.map((entry) => entry.trainSeconds)),
    bytesUpPerRound: mean(trained.map((entry) => entry.bytesUpPerParticipant)),
    bytesDownPerRound: mean(trained.map((entry) => entry.bytesDownPerParticipant)),
    engine: undefined,
    modelHash: state.head.modelHash,
    parameters: planLayout(state.plan).length,
    ledger: { records: state.head.records, abandoned: state.head.abandoned, head: state.head.recordHash },
    group: undefined,
    anonymitySet: state.smallestGroup && state.smallestGroup - 1,
    knownColluders: 0,
    culprits: state.excluded.map((id) => ({ id, name: state.names.get(id) })),
    glimpse: undefined,
    events: log,
    problem: state.problem,
    inviteLink: undefined,
  };
}

export interface Status {
  readonly to: readonly ChannelId[];
  readonly round: number;
  readonly body: Body<'status'>;
}

/** What each group is told of its own members. */
export function statusesOf(state: CoordinatorState): readonly Status[] {
  const round = shownRound(state);
  if (round === undefined) return [];
  const unmasked = STEP_SHOWN[roundTotals(round).step] === 'confirm';
  return round.groups.map((group) => {
    const sessions = group.roster.members.flatMap(({ id }) => state.sessions.get(id) ?? []);
    const body = { people: peopleIn(state, round, group), unmasked };
    return { to: sessions.map(({ channel }) => channel), round: round.number, body };
  });
}

function peopleIn(
  state: CoordinatorState,
  round: CoordinatorRound,
  { roster }: CoordinatorGroup,
): Body<'status'>['people'] {
  return roster.members.map(({ id }) => {
    const session = state.sessions.get(id);
    // In tenths, so that a little progress is no news.
    const fraction = session?.phase === 'training' ? Math.round(10 * session.fraction) / 10 : 0;
    return [id, personState(round, id, session), fraction, (session?.engine ?? '').slice(0, MAX_ENGINE_LENGTH)];
  });
}
