/** A participant's state as the dashboard shows it. */
import type { ParticipantId } from '../core/ids.ts';
import { planLayout } from '../core/planLayout.ts';
import { statisticsView } from '../core/statistics.ts';
import { ROUND_STEPS } from '../core/runView.ts';
import type {
  EventView,
  GroupView,
  PersonState,
  PersonView,
  RoundStep,
  RoundView,
  RunView,
  WaitView,
} from '../core/runView.ts';
import { kindOfNext } from './ledger.ts';
import { earlyEndOf, ownScoresOf } from './measured.ts';
import type { ParticipantRound, ParticipantState, ParticipantStep } from './participantState.ts';
import { isPersonState } from './personState.ts';

export interface RunCounters {
  readonly log: readonly EventView[];
  readonly refusals: RunView['refusals'];
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly startedMs: number;
}

const SHOWN: Readonly<
  Record<ParticipantStep, { readonly step: RoundStep; readonly state: PersonState; readonly wait: string }>
> = {
  advertised: { step: 'keys', state: 'ready', wait: 'the list of people in this round' },
  'checking-cohort': { step: 'keys', state: 'ready', wait: 'the cohort to be checked' },
  revealed: { step: 'keys', state: 'ready', wait: 'the groups to be drawn' },
  'checking-roster': { step: 'keys', state: 'ready', wait: 'the list of people to be checked' },
  dealing: { step: 'shares', state: 'sharing', wait: 'the shares to be made' },
  shared: { step: 'shares', state: 'sharing', wait: "the others' shares" },
  opening: { step: 'shares', state: 'sharing', wait: "the others' shares to be checked" },
  delivered: { step: 'train', state: 'waiting', wait: 'the round before to end' },
  training: { step: 'train', state: 'training', wait: 'the training in this tab' },
  masking: { step: 'masked', state: 'sending', wait: 'the update to be masked' },
  masked: { step: 'masked', state: 'masked', wait: "the others' masked updates" },
  agreeing: { step: 'agree', state: 'masked', wait: 'the list of survivors to be signed' },
  agreed: { step: 'agree', state: 'agreed', wait: 'the others to agree on who survived' },
  'checking-agreement': { step: 'agree', state: 'agreed', wait: 'the signatures to be checked' },
  released: { step: 'unmask', state: 'unmasked', wait: 'the sum to be unmasked' },
  following: { step: 'confirm', state: 'waiting', wait: 'the sum to be checked' },
  applying: { step: 'confirm', state: 'unmasked', wait: 'the sum to be checked' },
  confirming: { step: 'confirm', state: 'unmasked', wait: 'the result to be signed' },
  confirmed: { step: 'confirm', state: 'confirmed', wait: 'the record of the round' },
  done: { step: 'confirm', state: 'confirmed', wait: 'the next round' },
  dead: { step: 'keys', state: 'waiting', wait: 'a coming round' },
};

/** The round that is furthest: training comes before the keys of the next. */
function shownRound(state: ParticipantState): ParticipantRound | undefined {
  const rounds = Object.values(state.rounds).sort((a, b) => a.number - b.number);
  const live = rounds.filter((round) => round.step !== 'dead' && round.roster !== undefined);
  return live.find((round) => round.step !== 'done' && round.step !== 'confirmed') ?? live.at(-1);
}

function peopleOf(
  state: ParticipantState,
  round: ParticipantRound | undefined,
  bytesUp: number,
): readonly PersonView[] {
  const told = new Map(
    state.status && state.status.round === round?.number
      ? state.status.body.people.map(([id, ...rest]) => [id, rest] as const)
      : [],
  );
  const survivors = round?.survivors && new Set(round.survivors.map(([id]) => id));
  const members = round?.roster?.members ?? [{ id: state.own, name: undefined }];
  return members.map(({ id, name }): PersonView => {
    const you = id === state.own;
    const [toldState = 'waiting', fraction, engine = ''] = told.get(id) ?? [];
    const known = survivors && !survivors.has(id) ? 'left' : isPersonState(toldState) ? toldState : 'waiting';
    // Nothing was told of this round any more: the survivors went the way of this tab.
    const inferred = round && survivors?.has(id) && !told.has(id) ? SHOWN[round.step].state : known;
    return {
      id,
      you,
      name,
      group: round?.roster?.place?.index,
      state: you ? (round ? SHOWN[round.step].state : 'joining') : inferred,
      inRound: round !== undefined,
      engine: you ? (state.choice?.engine ?? '') : engine,
      fraction: you ? state.progress?.fraction : fraction,
      samples: you ? state.info?.samples.training : undefined,
      bytesSent: you ? bytesUp : 0,
    };
  });
}

function roundView(state: ParticipantState, round: ParticipantRound, people: readonly PersonView[]): RoundView {
  const { step } = SHOWN[round.step];
  const masked = round.survivors?.length ?? people.filter((person) => SENT.has(person.state)).length;
  const size = round.roster?.members.length ?? people.length;
  const fraction = step === 'train' ? (state.progress?.fraction ?? 0) : step === 'masked' ? masked / size : 0.5;
  return {
    number: round.number,
    completed: state.head?.completed ?? 0,
    of: state.plan?.aggregation.rounds ?? 0,
    kind: round.begin?.kind ?? (state.plan && state.head ? kindOfNext(state.plan, state.head) : 'train'),
    step,
    stepFraction: round.step === 'done' ? 1 : fraction,
    size,
    threshold: round.roster?.threshold ?? 0,
    groups: round.roster?.place?.groups ?? 1,
    lostGroups: 0,
    masked,
    unmasked: ROUND_STEPS.indexOf(step) >= ROUND_STEPS.indexOf('confirm'),
  };
}

/** In whose company the own update is in this round. */
function groupOf({ own }: ParticipantState, round: ParticipantRound | undefined): GroupView | undefined {
  if (round?.roster === undefined) return undefined;
  const { members, place } = round.roster;
  return {
    index: place?.index ?? 0,
    of: place?.groups ?? 1,
    members: members.length,
    names: members.flatMap(({ id, name }) => (id !== own && name !== undefined ? [name] : [])),
  };
}

const SENT: ReadonlySet<PersonState> = new Set(['masked', 'agreed', 'unmasked', 'confirmed']);

function waitOf(state: ParticipantState, round: ParticipantRound | undefined): WaitView | undefined {
  const { phase, plan } = state;
  if (phase === 'preparing') {
    const fetching = state.fetching && `the ${state.fetching.what} from the coordinator`;
    return { for: fetching ?? 'the data and the fastest engine', untilMs: undefined };
  }
  if (phase === 'choosing') return { for: 'your files', untilMs: undefined };
  if (phase === 'connecting') return { for: 'the coordinator to answer', untilMs: undefined };
  if (phase === 'waiting') return { for: 'enough people for a round', untilMs: undefined };
  if (phase !== 'running' || round === undefined || plan === undefined) return undefined;
  const { deadlines } = plan.aggregation;
  const limits: Readonly<Record<RoundStep, number>> = {
    keys: deadlines.advertMs,
    shares: deadlines.shareMs,
    train: deadlines.trainMs,
    masked: deadlines.trainMs,
    agree: deadlines.consistencyMs,
    unmask: deadlines.unmaskMs,
    confirm: deadlines.confirmMs,
  };
  const { step, wait } = SHOWN[round.step];
  return { for: wait, untilMs: round.stepSinceMs + limits[step] };
}

function sentenceOf(state: ParticipantState, round: RoundView | undefined): string {
  switch (state.phase) {
    case 'connecting':
      return 'Connecting.';
    case 'preparing':
      return 'Getting ready in this tab.';
    case 'choosing':
      return 'This plan trains on your own files, which stay in this tab.';
    case 'waiting':
      return 'Ready.';
    case 'running':
      if (round === undefined) return 'Taking part from the coming round.';
      if (round.kind === 'statistics') return 'Adding up statistics of the data.';
      return round.kind === 'evaluate'
        ? 'Measuring the final model.'
        : `Round ${Math.min(round.completed + 1, round.of)} of ${round.of}.`;
    case 'paused':
      return 'Paused. Nothing is computed here; the others go on without this tab.';
    case 'finished':
      return `${(state.plan && earlyEndOf(state.plan, state.head)) ?? 'All rounds are done.'} The model is yours to save.`;
    case 'left':
      return 'You have left. Your data never did.';
    case 'coordinator-away':
      return state.plan === undefined
        ? 'Nobody answers under this link yet; this tab keeps trying.'
        : 'The coordinator cannot be reached. Your data and the last model are kept here; this tab goes on by itself when it is back.';
    case 'refused':
      return state.problem?.message ?? 'Refused.';
    case 'failed':
      return state.problem?.message ?? 'Something failed.';
    default:
      return state.phase satisfies never;
  }
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function participantView(state: ParticipantState, counters: RunCounters): RunView {
  const current = shownRound(state);
  const people = peopleOf(state, current, counters.bytesUp);
  const round = current && roundView(state, current, people);
  const rounds = Math.max(1, state.head?.completed ?? 0);
  const { log, ...counted } = counters;
  return {
    ...counted,
    role: 'participant',
    federation: state.binding.federation,
    planHash: state.binding.planHash,
    plan: state.plan,
    you: state.own satisfies ParticipantId,
    phase: state.phase,
    sentence: sentenceOf(state, round),
    waiting: waitOf(state, current),
    round,
    people,
    curve: state.curve,
    statistics: state.plan && state.head?.statistics && statisticsView(state.plan, state.head.statistics),
    own: state.plan && state.measured && ownScoresOf(state.measured.round, state.measured.figures, state.plan),
    secondsPerRound: mean(state.roundsMs.map((ms) => ms / 1000)),
    trainSecondsPerRound: state.trainMs > 0 ? state.trainMs / 1000 : undefined,
    bytesUpPerRound: state.head && state.head.completed > 0 ? counters.bytesUp / rounds : undefined,
    bytesDownPerRound: state.head && state.head.completed > 0 ? counters.bytesDown / rounds : undefined,
    engine: state.choice,
    modelHash: state.modelHash,
    parameters: state.plan && planLayout(state.plan).length,
    ledger: {
      records: state.head?.records ?? 0,
      abandoned: state.head?.abandoned ?? 0,
      head: state.head?.recordHash,
    },
    group: groupOf(state, current),
    anonymitySet: state.lastSurvivors && state.lastSurvivors - 1,
    knownColluders: 0,
    culprits: [],
    glimpse: state.glimpse,
    events: log,
    problem: state.problem,
    inviteLink: undefined,
  };
}
