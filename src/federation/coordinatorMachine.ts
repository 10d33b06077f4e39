/** The coordinator's side of the protocol as one pure function. It relays and sums; it holds nothing that protects others. */
import type { HushError } from '../core/errors.ts';
import type { ChannelId, ParticipantId } from '../core/ids.ts';
import { CoordinatorDraft, isOver, stepTimer } from './coordinatorDraft.ts';
import {
  closeConfirmation,
  onConfirm,
  onConfirmChecked,
  onSealed,
  onUnmasked,
  onUnmaskFailed,
  sealAbandoned,
} from './coordinatorEnd.ts';
import {
  callNewcomer,
  callNext,
  closeCall,
  deliver,
  onAdvert,
  onAdvertChecked,
  onCalled,
  onComplain,
  onRosterMade,
  onShare,
  onShareChecked,
} from './coordinatorKeys.ts';
import {
  beginNext,
  closeAgreement,
  closeTraining,
  closeUnmasking,
  onAdded,
  onAgree,
  onAgreementChecked,
  onMasked,
  onSpentMarked,
  onSumBegun,
  onUnmask,
  onUnmaskChecked,
} from './coordinatorRound.ts';
import type {
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorState,
  CoordinatorTasks,
  Session,
} from './coordinatorState.ts';
import type { DoneEvent, FailedEvent, Machine } from './machine.ts';
import { PROTOCOL_VERSION } from './messages.ts';
import type { Body, Message } from './messages.ts';

export const coordinatorMachine: Machine<CoordinatorState, CoordinatorEvent, CoordinatorEffect> = (
  state,
  event,
  nowMs,
) => {
  const draft = new CoordinatorDraft(state, nowMs);
  switch (event.event) {
    case 'greeted':
      onGreeted(draft, event.channel, event.id, event.hello);
      break;
    case 'closed':
      onClosed(draft, event.channel, event.reason);
      break;
    case 'message':
      onMessage(draft, event.channel, event.message);
      break;
    case 'wish':
      onWish(draft, event.wish);
      break;
    case 'summer-failed':
      onSummerFailed(draft, event.error);
      break;
    case 'timer':
      onTimer(draft, event.name);
      break;
    case 'done':
      onDone(draft, event);
      break;
    case 'failed':
      onFailed(draft, event);
      break;
    default:
      event satisfies never;
  }
  advance(draft);
  return draft.finish();
};

/** A guard further ahead than stale storage explains is a lie that would use the numbers up. */
const MAX_GUARD_LEAD = 10_000;

/** Takes every step for which everything is there. Each looks at the state alone, so the order only saves a pass. */
function advance(draft: CoordinatorDraft): void {
  closeTraining(draft, false);
  closeAgreement(draft, false);
  closeUnmasking(draft, false);
  closeConfirmation(draft, false);
  sealAbandoned(draft);
  closeCall(draft, false);
  deliver(draft, false);
  beginNext(draft);
  callNext(draft);
  const { phase, current, upcoming, nextCallMs } = draft.state;
  if (phase === 'running' && nextCallMs <= draft.nowMs && isOver(current) && isOver(upcoming))
    draft.patch({ phase: 'waiting' });
}

function onGreeted(draft: CoordinatorDraft, channel: ChannelId, id: ParticipantId, hello: Body<'hello'>): void {
  const before = draft.session(id);
  if (before !== undefined) {
    // The same identity on a new channel: its tab was reloaded, or its network changed.
    draft.effect({ effect: 'close', channel: before.channel });
    dropSession(draft, before);
  }
  const { head, shards, phase, nextRound } = draft.state;
  const shard = shards[id] ?? freeShard(Object.values(shards));
  const session: Session = {
    channel,
    id,
    publicKey: hello.publicKey,
    shard,
    phase: 'preparing',
    fraction: 0,
    fetching: false,
    engine: '',
    samples: 0,
    trainMs: 0,
    guardRound: 0,
  };
  draft.patch({ sessions: { ...draft.state.sessions, [channel]: session }, shards: { ...shards, [id]: shard } });
  draft.log(`${id.slice(0, 8)} is here.`);
  draft.sendTo([id], 'welcome', 0, {
    version: PROTOCOL_VERSION,
    nonce: hello.ownNonce,
    shard,
    records: head.records,
    head: head.recordHash,
    round: nextRound,
    finished: phase === 'finished',
  });
  callNewcomer(draft, session);
}

function freeShard(taken: readonly number[]): number {
  const used = new Set(taken);
  let shard = 0;
  while (used.has(shard)) shard++;
  return shard;
}

function onClosed(draft: CoordinatorDraft, channel: ChannelId, reason: string): void {
  const session = draft.state.sessions[channel];
  if (session === undefined) return;
  draft.log(`${session.id.slice(0, 8)} left: ${reason}.`, 'warn');
  dropSession(draft, session);
}

function dropSession(draft: CoordinatorDraft, session: Session): void {
  const { [session.channel]: _dropped, ...sessions } = draft.state.sessions;
  draft.patch({ sessions });
  markAbsent(draft, session.id);
}

/** Out of the rounds under way: its keys of them are gone. */
function markAbsent(draft: CoordinatorDraft, id: ParticipantId, only?: number): void {
  for (const round of [draft.state.current, draft.state.upcoming]) {
    if (round === undefined || isOver(round) || (only !== undefined && round.number !== only)) continue;
    if (round.step === 'adverts') {
      const { [id]: _gone, ...adverts } = round.adverts;
      draft.patchRound(round.number, { adverts });
      if (only === undefined) continue;
    }
    if (!round.absent.includes(id)) draft.patchRound(round.number, { absent: [...round.absent, id] });
  }
}

function onMessage(draft: CoordinatorDraft, channel: ChannelId, message: Message): void {
  const session = draft.state.sessions[channel];
  if (session === undefined) return;
  const { id } = session;
  const { round } = message;
  switch (message.type) {
    case 'fetch':
      if (session.fetching) return draft.refused('sync/busy', id);
      draft.patchSession(channel, { fetching: true });
      return draft.task('item', round, message.body, id);
    case 'progress': {
      const { phase, fraction, engine, samples, trainMs } = message.body;
      return draft.patchSession(channel, { phase, fraction, engine, samples, trainMs });
    }
    case 'leave':
      draft.effect({ effect: 'close', channel });
      return onClosed(draft, channel, message.body.reason);
    case 'refuse':
      draft.log(`${id.slice(0, 8)} refuses round ${round}: ${message.body.reason}`, 'warn');
      draft.refused(message.body.code === 'round/replayed' ? 'round/replayed' : 'round/refused', id);
      if (message.body.guardRound <= draft.state.nextRound + MAX_GUARD_LEAD) {
        draft.patchSession(channel, { guardRound: Math.max(session.guardRound, message.body.guardRound) });
      }
      return markAbsent(draft, id, round);
    case 'advert':
      return onAdvert(draft, id, round, message.body);
    case 'complain':
      return onComplain(draft, id, round, message.body);
    case 'share':
      return onShare(draft, id, round, message.body);
    case 'masked':
      return onMasked(draft, id, round, message.body);
    case 'agree':
      return onAgree(draft, id, round, message.body);
    case 'unmask':
      return onUnmask(draft, id, round, message.body);
    case 'confirm':
      return onConfirm(draft, id, round, message.body);
    default:
      return draft.refused('codec/direction', id);
  }
}

function onItemRead(draft: CoordinatorDraft, id: ParticipantId, item: Body<'item'>): void {
  const session = draft.session(id);
  if (session !== undefined) draft.patchSession(session.channel, { fetching: false });
  draft.sendTo([id], 'item', 0, item);
}

function onWish(draft: CoordinatorDraft, wish: 'start' | 'pause' | 'resume'): void {
  if (wish === 'start') return draft.patch({ started: true });
  const paused = wish === 'pause';
  const { phase } = draft.state;
  draft.patch({ paused, phase: paused && phase !== 'finished' ? 'paused' : phase === 'paused' ? 'running' : phase });
}

function onTimer(draft: CoordinatorDraft, name: string): void {
  for (const round of [draft.state.current, draft.state.upcoming]) {
    if (round === undefined || name !== stepTimer(round.number)) continue;
    switch (round.step) {
      case 'adverts':
        return closeCall(draft, true);
      case 'sharing':
        return deliver(draft, true);
      case 'training':
        return closeTraining(draft, true);
      case 'agreeing':
        return closeAgreement(draft, true);
      case 'unmasking':
        return closeUnmasking(draft, true);
      case 'confirming':
        return closeConfirmation(draft, true);
      case 'rostering':
      case 'ready':
      case 'summing':
      case 'recording':
      case 'done':
      case 'abandoned':
        return;
      default:
        return round.step satisfies never;
    }
  }
}

function onDone(draft: CoordinatorDraft, done: DoneEvent<CoordinatorTasks>): void {
  const about = done.about ?? ('' as ParticipantId);
  switch (done.task) {
    case 'checkAdvert':
      return onAdvertChecked(draft, done.round, about, done.output);
    case 'makeRoster':
      return onRosterMade(draft, done.round, done.output);
    case 'checkShare':
      return onShareChecked(draft, done.round, about, done.output);
    case 'mark':
      onCalled(draft, done.round);
      return onSpentMarked(draft, done.round);
    case 'beginSum':
      return onSumBegun(draft, done.round, done.output.sumSpecHash);
    case 'addMasked':
      return onAdded(draft, done.round, about, done.output);
    case 'checkAgreement':
      return onAgreementChecked(draft, done.round, about, done.output);
    case 'checkUnmask':
      return onUnmaskChecked(draft, done.round, about, done.output);
    case 'unmask':
      return onUnmasked(draft, done.round, done.output);
    case 'checkConfirm':
      return onConfirmChecked(draft, done.round, about, done.output);
    case 'seal':
      return onSealed(draft, done.round, done.output);
    case 'item':
      return onItemRead(draft, about, done.output);
    default:
      return done satisfies never;
  }
}

function onFailed(draft: CoordinatorDraft, { task, round, about, error }: FailedEvent<CoordinatorTasks>): void {
  const id = about ?? ('' as ParticipantId);
  const affected = draft.roundAt(round, 'adverts', 'rostering', 'training', 'unmasking', 'recording');
  switch (task) {
    case 'checkAdvert':
      draft.log(`Round ${round}: ${error.message}`, 'warn');
      return onAdvertChecked(draft, round, id, undefined);
    case 'checkShare':
      return onShareChecked(draft, round, id, undefined);
    case 'addMasked':
      return onAdded(draft, round, id, undefined);
    case 'checkAgreement':
      return onAgreementChecked(draft, round, id, undefined);
    case 'checkUnmask':
      draft.log(`Round ${round}: ${error.toString()}`, 'warn');
      return onUnmaskChecked(draft, round, id, undefined);
    case 'checkConfirm':
      return onConfirmChecked(draft, round, id, undefined);
    case 'unmask':
      return onUnmaskFailed(draft, round, error);
    case 'item':
      return draft.refused(error.code, id);
    case 'makeRoster':
    case 'beginSum':
      if (affected !== undefined) draft.abandon(affected, error.message);
      return;
    case 'mark':
    case 'seal':
      // Nothing may be sent that is not stored: the run stops here, and can be taken up again.
      draft.patch({
        phase: 'failed',
        paused: true,
        problem: {
          code: error.code,
          message: error.message,
          advice: error.advice || 'Make room and open the run again.',
        },
      });
      return draft.log(error.message, 'bad');
    default:
      return task satisfies never;
  }
}

function onSummerFailed(draft: CoordinatorDraft, error: HushError): void {
  const { current } = draft.state;
  if (current !== undefined && ['training', 'agreeing', 'unmasking', 'summing'].includes(current.step)) {
    draft.abandon(current, error.message);
  }
}
