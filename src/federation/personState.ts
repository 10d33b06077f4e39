/** Where each person stands in the coordinator's round. */
import type { ParticipantId } from '../core/ids.ts';
import type { PersonState } from '../core/runView.ts';
import type { CoordinatorGroup, CoordinatorRound } from './coordinatorRounds.ts';
import type { CoordinatorState, Session } from './coordinatorState.ts';

const STATES = [
  'joining',
  'ready',
  'sharing',
  'training',
  'sending',
  'masked',
  'agreed',
  'unmasked',
  'confirmed',
  'waiting',
  'asleep',
  'left',
] as const satisfies readonly PersonState[];

export function isPersonState(text: string): text is PersonState {
  return (STATES as readonly string[]).includes(text);
}

/** The round that is shown: the one that trains, or the one whose keys are exchanged. */
export function shownRound({ current, upcoming }: CoordinatorState): CoordinatorRound | undefined {
  if (current !== undefined && current.step !== 'abandoned' && current.step !== 'done') return current;
  return (upcoming?.groups.length ?? 0) > 0 || current === undefined ? (upcoming ?? current) : current;
}

export function personState(
  round: CoordinatorRound | undefined,
  id: ParticipantId,
  session: Session | undefined,
): PersonState {
  if (session === undefined) return 'left';
  const index = round?.groupOf.get(id);
  const group = index === undefined ? undefined : round?.groups[index];
  if (round === undefined || group === undefined) {
    if (round?.step === 'adverts' && round.adverts.has(id)) return 'ready';
    return session.phase === 'paused' ? 'asleep' : session.engine === '' ? 'joining' : 'waiting';
  }
  if (round.step === 'abandoned') return 'waiting';
  if (group.absent.includes(id) && !Object.hasOwn(group.masked, id)) return 'left';
  return memberState(round, group, id, session);
}

function memberState(
  round: CoordinatorRound,
  group: CoordinatorGroup,
  id: ParticipantId,
  session: Session,
): PersonState {
  switch (group.step) {
    case 'sharing':
    case 'ready':
      return Object.hasOwn(group.shares, id) ? 'sharing' : 'ready';
    case 'training':
      if (Object.hasOwn(group.masked, id)) return 'masked';
      if (group.adding.includes(id)) return 'sending';
      if (session.phase === 'paused') return 'asleep';
      return session.phase === 'masking' ? 'sending' : 'training';
    case 'agreeing':
      return Object.hasOwn(group.agreements, id) ? 'agreed' : 'masked';
    case 'marking':
      return 'agreed';
    case 'unmasking':
      return Object.hasOwn(group.answers, id) ? 'unmasked' : 'agreed';
    case 'summing':
      return 'unmasked';
    case 'summed':
      return round.step === 'done' || Object.hasOwn(group.confirmations, id) ? 'confirmed' : 'unmasked';
    case 'lost':
      return 'waiting';
    default:
      return group.step satisfies never;
  }
}
