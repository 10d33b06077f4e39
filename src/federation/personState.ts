/** Where each person stands in the coordinator's round. */
import type { ParticipantId } from '../core/ids.ts';
import type { PersonState } from '../core/runView.ts';
import type { CoordinatorRound, CoordinatorState, Session } from './coordinatorState.ts';

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
  return upcoming?.roster !== undefined || current === undefined ? (upcoming ?? current) : current;
}

export function personState(
  round: CoordinatorRound | undefined,
  id: ParticipantId,
  session: Session | undefined,
): PersonState {
  const member = round?.roster?.members.some((other) => other.id === id) ?? false;
  if (session === undefined) return 'left';
  if (round === undefined || !member) {
    if (round?.step === 'adverts' && Object.hasOwn(round.adverts, id)) return 'ready';
    return session.phase === 'paused' ? 'asleep' : session.engine === '' ? 'joining' : 'waiting';
  }
  if (round.absent.includes(id) && !Object.hasOwn(round.masked, id)) return 'left';
  switch (round.step) {
    case 'adverts':
    case 'rostering':
      return 'ready';
    case 'sharing':
    case 'ready':
      return Object.hasOwn(round.shares, id) ? 'sharing' : 'ready';
    case 'training':
      if (Object.hasOwn(round.masked, id)) return 'masked';
      if (round.adding.includes(id)) return 'sending';
      if (session.phase === 'paused') return 'asleep';
      return session.phase === 'masking' ? 'sending' : 'training';
    case 'agreeing':
      return Object.hasOwn(round.agreements, id) ? 'agreed' : 'masked';
    case 'unmasking':
      return Object.hasOwn(round.answers, id) ? 'unmasked' : 'agreed';
    case 'summing':
      return 'unmasked';
    case 'confirming':
    case 'recording':
      return Object.hasOwn(round.confirmations, id) ? 'confirmed' : 'unmasked';
    case 'done':
      return 'confirmed';
    case 'abandoned':
      return 'waiting';
    default:
      return round.step satisfies never;
  }
}
