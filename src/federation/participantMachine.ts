/** The participant's side of the protocol as one pure function. */
import { HushError } from '../core/errors.ts';
import type { RoundNumber } from '../core/ids.ts';
import type { DoneEvent, FailedEvent, Machine } from './machine.ts';
import type { Message } from './messages.ts';
import { ParticipantDraft } from './participantDraft.ts';
import { answerCall, onCall, onCohort, onDeliver, onDraw, onKeysDone, onRoster } from './participantKeys.ts';
import { onAgreed, onBegin, onResult, onRoundDone, onSurvivors, tryTrain } from './participantRound.ts';
import type {
  Known,
  ParticipantEffect,
  ParticipantEvent,
  ParticipantState,
  ParticipantTasks,
  ParticipantWish,
} from './participantState.ts';
import {
  CATCH_UP_TIMER,
  catchUp,
  FETCH_TIMER,
  fetchLedger,
  onChallenge,
  onDataAccepted,
  onFetchTimer,
  onItem,
  onSyncDone,
  onSyncFailed,
  onSyncTimer,
  onTrainerFailed,
  onUnwelcome,
  onWelcome,
} from './participantSync.ts';
import type { LedgerRecord } from './record.ts';
import { recordHash } from './record.ts';

const FOREIGN = {
  key: 'Whoever answers does not have the key that the link names.',
  plan: 'Whoever answers runs another plan or another federation than the link names.',
} as const;

/**
 * What a record can fail by and be mended: enough others signed another result than ours, and theirs is fetched by hash; or
 * it came with too few signatures to judge, and the ledger has them all.
 */
const ASK_AGAIN: readonly string[] = ['ledger/minority', 'ledger/sheets'];

const OVER: readonly ParticipantState['phase'][] = ['left', 'refused', 'failed'];

export const participantMachine: Machine<ParticipantState, ParticipantEvent, ParticipantEffect> = (
  state,
  event,
  nowMs,
) => {
  const draft = new ParticipantDraft(state, nowMs);
  if (OVER.includes(state.phase)) return draft.finish();
  switch (event.event) {
    case 'connected':
      draft.patch({ fetching: undefined, welcome: undefined });
      break;
    case 'closed':
      onClosed(draft, event.reason);
      break;
    case 'foreign':
      draft.end(
        'refused',
        new HushError(`meeting/other-${event.what}`, FOREIGN[event.what], {
          advice: 'Do not join; ask whoever sent the link.',
        }),
      );
      break;
    case 'message':
      onMessage(draft, event.message);
      break;
    case 'progress':
      draft.patch({ progress: event.progress });
      draft.progress();
      break;
    case 'trainer-failed':
      onTrainerFailed(draft, event.error);
      break;
    case 'data-accepted':
      onDataAccepted(draft);
      break;
    case 'wish':
      onWish(draft, event.wish);
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
  if (!OVER.includes(draft.state.phase)) tryTrain(draft);
  leaveWhenFinished(draft);
  return draft.finish();
};

/** Meetings come first: until the welcome, nothing else is taken. */
function onMessage(draft: ParticipantDraft, message: Message): void {
  const met = draft.state.welcome !== undefined;
  if (message.type === 'challenge') return onChallenge(draft, message.body);
  if (message.type === 'welcome') return onWelcome(draft, message.body);
  if (message.type === 'unwelcome') return onUnwelcome(draft, message.body);
  if (!met) return draft.refused('meeting/early');
  const { round } = message;
  switch (message.type) {
    case 'item':
      return onItem(draft, message.body);
    case 'call':
      return onCall(draft, round);
    case 'cohort':
      return onCohort(draft, round, message.body);
    case 'draw':
      return onDraw(draft, round, message.body);
    case 'roster':
      return onRoster(draft, round, message.body);
    case 'deliver':
      return onDeliver(draft, round, message.body);
    case 'begin':
      return onBegin(draft, round, message.body);
    case 'survivors':
      return onSurvivors(draft, round, message.body);
    case 'agreed':
      return onAgreed(draft, round, message.body);
    case 'result':
      return onResult(draft, round, message.body);
    case 'record':
      return onRecord(draft, message.body.record);
    case 'abandon': {
      draft.log(`Round ${round} was given up: ${message.body.reason}`, 'warn');
      draft.kill(round);
      if (message.body.record !== undefined) onRecord(draft, message.body.record);
      return;
    }
    case 'status':
      return draft.patch({ status: { round, body: message.body } });
    case 'end':
      draft.killAll();
      draft.patch({ phase: 'finished' });
      return draft.log(message.body.reason, 'good');
    default:
      return draft.refused('codec/direction');
  }
}

function onRecord(draft: ParticipantDraft, record: LedgerRecord): void {
  const { head } = draft.state;
  draft.patch({ wantedHead: recordHash(record.body) });
  if (head === undefined || draft.state.fetching?.what === 'ledger') return;
  if (record.body.prevRecordHash !== head.recordHash) return catchUp(draft);
  const round = draft.round(record.body.round);
  const known: Known = {
    members: round?.roster?.members,
    survivors: round?.survivors?.map(([id]) => id),
    kind: round?.begin?.kind,
    sumSpecHash: round?.tuple?.sumSpecHash,
    revealRoot: round?.draw?.revealRoot,
    rosterRoot: round?.roster?.rosterRoot,
    u1Root: round?.u1Root,
    u2Root: round?.survivors && round.tuple?.u2Root,
    applied: round?.applied,
  };
  draft.task('checkRecord', record.body.round, { plan: draft.plan, head, record, known });
}

function onDone(draft: ParticipantDraft, done: DoneEvent<ParticipantTasks>): void {
  switch (done.task) {
    case 'greet':
    case 'readPlan':
    case 'readLedger':
    case 'loadModel':
    case 'prepare':
    case 'measure':
      return onSyncDone(draft, done);
    case 'advert':
    case 'reveal':
    case 'checkRoster':
    case 'deal':
    case 'open':
      return onKeysDone(draft, done);
    case 'checkRecord':
      return onRecordChecked(draft, done.round, done.output);
    case 'train':
    case 'mask':
    case 'agree':
    case 'checkAgreement':
    case 'release':
    case 'apply':
    case 'confirm':
      onRoundDone(draft, done);
      // The own result may be another than the one that the record names: then it is fetched by hash.
      if (done.task === 'apply') catchUp(draft);
      return;
    default:
      return done satisfies never;
  }
}

function onRecordChecked(
  draft: ParticipantDraft,
  number: RoundNumber,
  { before, head, curve: added }: ParticipantTasks['checkRecord']['output'],
): void {
  const { curve, recordMs, roundsMs, history, head: old } = draft.state;
  // The chain was read anew meanwhile.
  if (old?.recordHash !== before) return catchUp(draft);
  const trained = head.completed > old.completed;
  draft.patch({
    head,
    history: [...history, head.recordHash],
    curve: [...curve, ...added],
    recordMs: draft.nowMs,
    roundsMs: trained && recordMs !== undefined ? [...roundsMs, draft.nowMs - recordMs] : roundsMs,
  });
  draft.log(`Round ${number} is in the ledger, its signatures verified.`, 'good');
  if (draft.roundAt(number, 'confirmed')) draft.patchRound(number, { step: 'done' });
  // What is recorded is over, and so is every round before it; a sum that is being applied is let finish.
  for (const round of draft.liveRounds()) {
    if (round.number <= number && !['applying', 'following', 'confirming'].includes(round.step))
      draft.kill(round.number);
  }
  catchUp(draft);
}

function onFailed(draft: ParticipantDraft, failed: FailedEvent<ParticipantTasks>): void {
  const { task, round, error } = failed;
  // The trainer tells of its own end, once for all that it leaves undone.
  if (error.code === 'worker/crashed') return;
  switch (task) {
    case 'greet':
    case 'readPlan':
    case 'readLedger':
    case 'loadModel':
    case 'prepare':
    case 'measure':
      return onSyncFailed(draft, failed);
    case 'checkRecord':
      draft.log(`Round ${round}: ${error.message}`, 'bad');
      // Whoever shows one round to some and another to others is not served any further.
      if (!ASK_AGAIN.includes(error.code)) return draft.end('refused', error);
      fetchLedger(draft);
      return;
    case 'train':
      if (error.code === 'engine/stopped') return draft.kill(round);
      draft.refuse(round, error);
      if (error.code === 'engine/lost') onTrainerFailed(draft, error);
      return;
    case 'advert':
    case 'reveal':
    case 'checkRoster':
    case 'deal':
    case 'open':
    case 'mask':
    case 'agree':
    case 'checkAgreement':
    case 'release':
    case 'confirm':
      return draft.refuse(round, error);
    case 'apply':
      // The sum fails a check of step 6: the round is over for us; the ledger will say what the others made of it.
      draft.refuse(round, error);
      draft.patch({ modelHash: undefined });
      return catchUp(draft);
    default:
      return task satisfies never;
  }
}

function onClosed(draft: ParticipantDraft, reason: string): void {
  const { attempt, phase, finishing, head, modelHash } = draft.state;
  draft.killAll();
  // Their records may never come: the ledger says from which model to go on.
  for (const { number, step } of Object.values(draft.state.rounds)) {
    if (step === 'confirmed') draft.patchRound(number, { step: 'done' });
  }
  draft.patch({ welcome: undefined, fetching: undefined, pendingCall: undefined, attempt: attempt + 1 });
  const complete = phase === 'finished' && head !== undefined && modelHash === head.modelHash;
  if (complete || finishing) return draft.patch(finishing && phase !== 'finished' ? { phase: 'left' } : {});
  const met = draft.state.plan !== undefined;
  if (phase !== 'coordinator-away') {
    draft.log(`The coordinator cannot be reached: ${reason.replace(/\.$/, '')}. Trying again.`, 'warn');
  }
  draft.patch({
    phase: 'coordinator-away',
    problem: {
      code: 'coordinator/away',
      message: 'The coordinator cannot be reached.',
      advice: met
        ? 'Your data and the last model are kept in this tab. It goes on by itself when the coordinator is back.'
        : 'Nobody answers under this link. Ask whoever sent it whether their tab is open; this one keeps trying.',
    },
  });
  draft.effect({ effect: 'connect', attempt });
}

function onWish(draft: ParticipantDraft, wish: ParticipantWish): void {
  const { phase } = draft.state;
  switch (wish) {
    case 'pause':
      draft.patch({ paused: true, phase: phase === 'running' || phase === 'waiting' ? 'paused' : phase });
      draft.effect({ effect: 'trainer', order: 'pause' });
      return draft.progress();
    case 'resume':
      draft.patch({ paused: false, phase: phase === 'paused' ? 'waiting' : phase });
      draft.effect({ effect: 'trainer', order: 'resume' });
      draft.progress();
      answerCall(draft);
      return;
    case 'finish':
      return draft.patch({ finishing: true });
    case 'measure':
      if (draft.state.trainer === 'ready') draft.task('measure', 0, undefined);
      return;
    case 'leave':
      draft.send('leave', 0, { reason: 'left' });
      return draft.end('left', undefined);
    default:
      return wish satisfies never;
  }
}

function onTimer(draft: ParticipantDraft, name: string): void {
  if (name === CATCH_UP_TIMER) return onSyncTimer(draft);
  if (name === FETCH_TIMER) return onFetchTimer(draft);
  const number = Number(name.split(' ')[1]);
  const round = draft.round(number);
  if (round === undefined || round.step === 'done' || round.step === 'dead') return;
  draft.refuse(number, new HushError('round/overdue', `Round ${number} took too long and was given up.`));
}

function leaveWhenFinished(draft: ParticipantDraft): void {
  const { finishing, phase } = draft.state;
  if (!finishing || OVER.includes(phase) || phase === 'finished' || draft.liveRounds().length > 0) return;
  draft.send('leave', 0, { reason: 'finished its rounds' });
  draft.end('left', undefined);
}
