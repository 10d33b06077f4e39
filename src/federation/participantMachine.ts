/** The participant's side of the protocol as one pure function. */
import { HushError } from '../core/errors.ts';
import type { RoundNumber } from '../core/ids.ts';
import type { DoneEvent, FailedEvent, Machine } from './machine.ts';
import type { Message } from './messages.ts';
import { ParticipantDraft } from './participantDraft.ts';
import { answerCall, onCall, onDeliver, onKeysDone, onRoster } from './participantKeys.ts';
import { onAgreed, onBegin, onResult, onRoundDone, onSurvivors } from './participantRound.ts';
import type {
  Known,
  ParticipantEffect,
  ParticipantEvent,
  ParticipantState,
  ParticipantTasks,
} from './participantState.ts';
import { catchUp, onChallenge, onItem, onSyncDone, onSyncFailed, onUnwelcome, onWelcome } from './participantSync.ts';
import type { LedgerRecord } from './record.ts';
import { recordHash } from './record.ts';

const FOREIGN = {
  key: 'Whoever answers does not have the key that the link names.',
  plan: 'Whoever answers runs another plan or another federation than the link names.',
} as const;

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
      return onRecord(draft, round, message.body.record);
    case 'abandon': {
      draft.log(`Round ${round} was given up: ${message.body.reason}`, 'warn');
      draft.kill(round);
      if (message.body.record !== undefined) onRecord(draft, round, message.body.record);
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

function onRecord(draft: ParticipantDraft, number: RoundNumber, record: LedgerRecord): void {
  const { head } = draft.state;
  draft.patch({ wantedHead: recordHash(record.body) });
  if (head === undefined || draft.state.fetching === 'ledger') return;
  if (record.body.prevRecordHash !== head.recordHash) return catchUp(draft);
  const round = draft.round(number);
  const known: Known = {
    rosterRoot: round?.roster?.rosterRoot,
    u1Root: round?.u1Root,
    u2Root: round?.survivors && round.tuple?.u2Root,
    applied: round?.applied,
  };
  draft.task('checkRecord', number, { plan: draft.plan, head, record, known });
}

function onDone(draft: ParticipantDraft, done: DoneEvent<ParticipantTasks>): void {
  switch (done.task) {
    case 'greet':
    case 'readPlan':
    case 'readLedger':
    case 'loadModel':
    case 'prepare':
      return onSyncDone(draft, done);
    case 'advert':
    case 'checkRoster':
    case 'deal':
    case 'open':
      return onKeysDone(draft, done);
    case 'checkRecord': {
      const { head, point } = done.output;
      draft.log(`Round ${done.round} is in the ledger, its signatures verified.`, 'good');
      const { curve, recordMs, roundsMs } = draft.state;
      const trained = head.completed > (draft.state.head?.completed ?? 0);
      draft.patch({
        head,
        curve: point === undefined ? curve : [...curve, point],
        recordMs: draft.nowMs,
        roundsMs: trained && recordMs !== undefined ? [...roundsMs, draft.nowMs - recordMs] : roundsMs,
      });
      if (draft.roundAt(done.round, 'confirmed', 'applying', 'confirming'))
        draft.patchRound(done.round, { step: 'done' });
      return catchUp(draft);
    }
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

function onFailed(draft: ParticipantDraft, failed: FailedEvent<ParticipantTasks>): void {
  const { task, round, error } = failed;
  switch (task) {
    case 'greet':
    case 'readPlan':
    case 'readLedger':
    case 'loadModel':
    case 'prepare':
      if (error.code.startsWith('worker/')) return onTrainerFailed(draft, error);
      return onSyncFailed(draft, failed);
    case 'checkRecord':
      // Another record than ours, or a false one: what the coordinator stands by is fetched and verified from the start.
      draft.log(`Round ${round}: ${error.message}`, 'warn');
      draft.patch({ head: undefined });
      return catchUp(draft);
    case 'train':
      if (error.code === 'engine/stopped') return draft.kill(round);
      draft.refuse(round, error);
      if (error.code === 'engine/lost') onTrainerFailed(draft, error);
      return;
    case 'advert':
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

/** The worker or the device died: out of the rounds that need it, and a new worker for those to come. */
function onTrainerFailed(draft: ParticipantDraft, error: HushError): void {
  draft.log(`${error.message} Starting a new worker.`, 'warn');
  for (const round of draft.liveRounds()) {
    if (['training', 'masking'].includes(round.step)) draft.refuse(round.number, error);
  }
  draft.patch({ trainer: 'closed', modelHash: undefined, choice: undefined, fetching: undefined });
  catchUp(draft);
}

function onClosed(draft: ParticipantDraft, reason: string): void {
  const { attempt, phase, finishing } = draft.state;
  draft.killAll();
  draft.patch({ welcome: undefined, fetching: undefined, pendingCall: undefined, attempt: attempt + 1 });
  if (phase === 'finished' || finishing) return draft.patch(finishing && phase !== 'finished' ? { phase: 'left' } : {});
  if (phase !== 'coordinator-away') {
    draft.log(`The coordinator cannot be reached: ${reason}. Data and model stay here; trying again.`, 'warn');
  }
  draft.patch({
    phase: 'coordinator-away',
    problem: {
      code: 'coordinator/away',
      message: 'The coordinator cannot be reached.',
      advice: 'Your data and the last model are kept in this tab. It goes on by itself when the coordinator is back.',
    },
  });
  draft.effect({ effect: 'connect', attempt });
}

function onWish(draft: ParticipantDraft, wish: 'pause' | 'resume' | 'finish' | 'leave'): void {
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
    case 'leave':
      draft.send('leave', 0, { reason: 'left' });
      return draft.end('left', undefined);
    default:
      return wish satisfies never;
  }
}

function onTimer(draft: ParticipantDraft, name: string): void {
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
