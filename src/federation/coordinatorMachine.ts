/** The coordinator's side of the protocol as one pure function. It relays and sums; it holds nothing that protects others. */
import type { HushError } from '../core/errors.ts';
import type { ChannelId, ParticipantId } from '../core/ids.ts';
import { CoordinatorDraft, groupTimer, isOver, stepTimer } from './coordinatorDraft.ts';
import {
  closeConfirmation,
  combine,
  onConfirm,
  onConfirmChecked,
  onFinished,
  onFinishFailed,
  onSealed,
  sealAbandoned,
} from './coordinatorEnd.ts';
import {
  callNewcomer,
  callNext,
  closeCall,
  closeReveal,
  onAdvert,
  onAdvertChecked,
  onCalled,
  onCohortMade,
  onDrawn,
  onReveal,
} from './coordinatorKeys.ts';
import {
  beginNext,
  closeAgreement,
  closeSharing,
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
  onUnmasked,
  onUnmaskFailed,
} from './coordinatorRound.ts';
import { onClosed, onGreeted, onRefuse, sessionOn } from './coordinatorSessions.ts';
import { deliver, onComplain, onShare, onShareChecked } from './coordinatorShares.ts';
import type { CoordinatorEffect, CoordinatorEvent, CoordinatorState, CoordinatorTasks } from './coordinatorState.ts';
import type { DoneEvent, FailedEvent, Machine } from './machine.ts';
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

/** Takes every step for which everything is there; of the groups, only those that changed can have got so far. */
function advance(draft: CoordinatorDraft): void {
  for (let touched = draft.takeTouched(); touched.length > 0; touched = draft.takeTouched()) {
    for (const { number, index } of touched) advanceGroup(draft, number, index, false);
  }
  combine(draft);
  sealAbandoned(draft);
  closeCall(draft, false);
  closeReveal(draft, false);
  closeSharing(draft);
  beginNext(draft);
  callNext(draft);
  const { phase, current, upcoming, nextCallMs } = draft.state;
  if (phase === 'running' && nextCallMs <= draft.nowMs && isOver(current) && isOver(upcoming))
    draft.patch({ phase: 'waiting' });
}

function advanceGroup(draft: CoordinatorDraft, number: number, index: number, timeIsOver: boolean): void {
  const at = draft.groupAt(number, index, 'sharing', 'training', 'agreeing', 'unmasking', 'summed');
  switch (at?.group.step) {
    case 'sharing':
      return deliver(draft, number, index, timeIsOver);
    case 'training':
      return closeTraining(draft, number, index, timeIsOver);
    case 'agreeing':
      return closeAgreement(draft, number, index, timeIsOver);
    case 'unmasking':
      return closeUnmasking(draft, number, index, timeIsOver);
    case 'summed':
      return closeConfirmation(draft, at.group);
    default:
  }
}

function onMessage(draft: CoordinatorDraft, channel: ChannelId, message: Message): void {
  const session = sessionOn(draft, channel);
  if (session === undefined) return;
  const { id } = session;
  const { round } = message;
  switch (message.type) {
    case 'fetch':
      if (session.fetching) return draft.refused('sync/busy', id);
      draft.patchSession(id, { fetching: true });
      return draft.task('item', round, message.body, { about: id });
    case 'progress': {
      const { phase, fraction, engine, samples, trainMs } = message.body;
      draft.patchSession(id, { phase, fraction, engine, samples, trainMs });
      if (!draft.isReady(session)) callNewcomer(draft, { ...session, phase });
      return;
    }
    case 'leave':
      draft.effect({ effect: 'close', channel });
      return onClosed(draft, channel, message.body.reason);
    case 'refuse':
      return onRefuse(draft, session, round, message.body);
    case 'reveal':
      return onReveal(draft, id, round, message.body);
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
  draft.patchSession(id, { fetching: false });
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
    if (round === undefined) continue;
    const { number } = round;
    if (name === stepTimer(number)) {
      if (round.step === 'adverts') closeCall(draft, true);
      if (round.step === 'revealing') closeReveal(draft, true);
      if (round.step === 'confirming') closeConfirmation(draft, 'time is over');
      return;
    }
    const index = Number(name.slice(stepTimer(number).length));
    if (name === groupTimer(number, index)) return advanceGroup(draft, number, index, true);
  }
}

function onDone(draft: CoordinatorDraft, done: DoneEvent<CoordinatorTasks>): void {
  const about = done.about ?? ('' as ParticipantId);
  switch (done.task) {
    case 'checkAdvert':
      return onAdvertChecked(draft, done.round, about, done.output);
    case 'makeCohort':
      return onCohortMade(draft, done.round, done.output.cohort, done.output.proofs);
    case 'draw':
      return onDrawn(draft, done.round, done.output);
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
      return onUnmasked(draft, done.round, done.group ?? 0);
    case 'finish':
      return onFinished(draft, done.round, done.output);
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

function onFailed(draft: CoordinatorDraft, { task, round, about, group, error }: FailedEvent<CoordinatorTasks>): void {
  const id = about ?? ('' as ParticipantId);
  const affected = draft.roundAt(round, 'rostering', 'drawing', 'running');
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
      return onUnmaskFailed(draft, round, group ?? 0, error);
    case 'finish':
      return onFinishFailed(draft, round, error);
    case 'item':
      return draft.refused(error.code, id);
    case 'makeCohort':
    case 'draw':
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
  if (current !== undefined && ['running', 'combining'].includes(current.step)) {
    draft.abandon(current, error.message);
  }
}
