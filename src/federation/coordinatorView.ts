/** The coordinator's state as the dashboard shows it. */
import type { ChannelId } from '../core/ids.ts';
import { parameterLayout } from '../core/modelSpec.ts';
import type { Reachability } from '../core/ports.ts';
import type { PersonView, RoundStep, RoundView, RunView, WaitView } from '../core/runView.ts';
import type { CoordinatorRound, CoordinatorState, CoordinatorStep } from './coordinatorState.ts';
import type { Body } from './messages.ts';
import type { RunCounters } from './participantView.ts';
import { personState, shownRound } from './personState.ts';

export interface CoordinatorCounters extends RunCounters {
  readonly reachability: Reachability;
  readonly bytesReceivedFrom: (channel: ChannelId) => number;
}

/** As a status holds it. */
const MAX_ENGINE_LENGTH = 16;

const STEP_SHOWN: Readonly<Record<CoordinatorStep, RoundStep>> = {
  adverts: 'keys',
  rostering: 'keys',
  sharing: 'shares',
  ready: 'shares',
  training: 'train',
  agreeing: 'agree',
  unmasking: 'unmask',
  summing: 'unmask',
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
  const sessions = Object.values(state.sessions);
  const members = round?.roster?.members.map(({ id }) => id) ?? [];
  const ids = [...new Set([...members, ...sessions.map(({ id }) => id)])];
  return ids.map((id): PersonView => {
    const session = sessions.find((other) => other.id === id);
    return {
      id,
      you: false,
      state: personState(round, id, session),
      inRound: members.includes(id),
      engine: session?.engine ?? '',
      fraction: session?.phase === 'training' ? session.fraction : undefined,
      samples: session && session.samples > 0 ? session.samples : undefined,
      bytesSent: session === undefined ? 0 : counters.bytesReceivedFrom(session.channel),
    };
  });
}

function roundView(state: CoordinatorState, round: CoordinatorRound): RoundView {
  const size = round.roster?.members.length ?? Object.keys(round.adverts).length;
  const masked = Object.keys(round.masked).length;
  const trained = Object.values(state.sessions).reduce(
    (sum, { fraction, phase }) => sum + (phase === 'training' ? fraction : 0),
    0,
  );
  const shown = STEP_SHOWN[round.step];
  const step = shown === 'train' && masked > 0 ? 'masked' : shown;
  const share = (count: number, of: number): number => (of > 0 ? Math.min(1, count / of) : 0);
  const fractions: Readonly<Record<RoundStep, number>> = {
    keys: share(Object.keys(round.adverts).length, Object.keys(state.sessions).length),
    shares: share(Object.keys(round.shares).length, size),
    train: share(trained, round.u1.length),
    masked: share(masked, round.u1.length),
    agree: share(Object.keys(round.agreements).length, round.survivors.length),
    unmask: share(Object.keys(round.answers).length, round.survivors.length),
    confirm: round.step === 'done' ? 1 : share(Object.keys(round.confirmations).length, round.survivors.length),
  };
  return {
    number: round.number,
    completed: state.head.completed,
    of: state.plan.aggregation.rounds,
    kind: round.kind,
    step,
    stepFraction: fractions[step],
    size,
    threshold: round.roster?.threshold ?? 0,
    masked,
    unmasked: step === 'confirm',
  };
}

/** What the round waits for: how many of whom, and what from them. */
function roundWait(round: CoordinatorRound): string | undefined {
  const missing = (answered: object, of: number): string =>
    `${Math.max(0, of - Object.keys(answered).length)} of ${of}`;
  const survivors = round.survivors.length;
  switch (round.step) {
    case 'adverts':
      return 'fresh keys from everyone here';
    case 'rostering':
      return 'the keys to be checked';
    case 'sharing':
      return `shares from ${missing(round.shares, round.roster?.members.length ?? 0)}`;
    case 'ready':
      return 'the round before to end';
    case 'training':
      return `${missing(round.masked, round.u1.length)} masked updates`;
    case 'agreeing':
      return `${missing(round.agreements, survivors)} signatures under the list of survivors`;
    case 'unmasking':
      return `${missing(round.answers, survivors)} shares to unmask the sum`;
    case 'summing':
      return 'the sum to be unmasked';
    case 'confirming':
      return `${missing(round.confirmations, survivors)} confirmations of the result`;
    case 'recording':
      return 'the record to be written';
    case 'done':
    case 'abandoned':
      return undefined;
    default:
      return round.step satisfies never;
  }
}

function waitOf(state: CoordinatorState, round: CoordinatorRound | undefined): WaitView | undefined {
  const here = Object.keys(state.sessions).length;
  const { cohort } = state.plan.aggregation;
  if (state.phase === 'waiting') {
    const wanted = state.started ? Math.max(3, cohort.minimum) : cohort.target;
    const more = Math.max(0, wanted - here);
    return {
      for: more > 0 ? `${more} more ${more === 1 ? 'person' : 'people'}` : 'the first keys',
      untilMs: undefined,
    };
  }
  if (state.phase !== 'running' || round === undefined) return undefined;
  const what = roundWait(round);
  return what === undefined ? undefined : { for: what, untilMs: round.untilMs };
}

function sentenceOf(state: CoordinatorState, round: CoordinatorRound | undefined, reachability: Reachability): string {
  const here = Object.keys(state.sessions).length;
  const { rounds } = state.plan.aggregation;
  switch (state.phase) {
    case 'waiting':
      if (reachability !== 'online') return 'The signalling server cannot be reached; nobody new can join.';
      return `${here} ${here === 1 ? 'person is' : 'people are'} here.`;
    case 'running':
      if (round?.kind === 'evaluate' && round.step !== 'adverts') return 'Measuring the final model.';
      return `Round ${Math.min(state.head.completed + 1, rounds)} of ${rounds}.`;
    case 'paused':
      return `Paused after round ${state.head.completed} of ${rounds}.`;
    case 'finished':
      return `All ${rounds} rounds are done.`;
    case 'failed':
      return state.problem?.message ?? 'Something failed.';
    case 'connecting':
    case 'preparing':
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
  const survivors = trained.at(-1)?.survivors;
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
    secondsPerRound: mean(trained.map((entry) => entry.seconds)),
    trainSecondsPerRound: mean(trained.map((entry) => entry.trainSeconds)),
    bytesUpPerRound: mean(trained.map((entry) => entry.bytesUpPerParticipant)),
    bytesDownPerRound: mean(trained.map((entry) => entry.bytesDownPerParticipant)),
    engine: undefined,
    modelHash: state.head.modelHash,
    parameters: parameterLayout(state.plan.model).length,
    ledger: { records: state.head.records, abandoned: state.head.abandoned, head: state.head.recordHash },
    anonymitySet: survivors === undefined ? undefined : survivors - 1,
    glimpse: undefined,
    events: log,
    problem: state.problem,
    inviteLink: undefined,
  };
}

/** What everyone in the round is told of the others. */
export function statusOf(
  state: CoordinatorState,
): { readonly round: number; readonly body: Body<'status'> } | undefined {
  const round = shownRound(state);
  if (round?.roster === undefined) return undefined;
  const sessions = Object.values(state.sessions);
  const people = round.roster.members.map(({ id }): Body<'status'>['people'][number] => {
    const session = sessions.find((other) => other.id === id);
    // In tenths, so that a little progress is no news.
    const fraction = session?.phase === 'training' ? Math.round(10 * session.fraction) / 10 : 0;
    return [id, personState(round, id, session), fraction, (session?.engine ?? '').slice(0, MAX_ENGINE_LENGTH)];
  });
  return { round: round.number, body: { people, unmasked: STEP_SHOWN[round.step] === 'confirm' } };
}
