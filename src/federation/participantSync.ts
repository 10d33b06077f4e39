/** How a participant meets the coordinator and catches up: plan, ledger and model, each by hash and each verified. */
import { HushError } from '../core/errors.ts';
import type { Hash } from '../core/ids.ts';
import { startHash } from '../core/plan.ts';
import type { DoneEvent, FailedEvent } from './machine.ts';
import { PROTOCOL_VERSION } from './messages.ts';
import type { Body } from './messages.ts';
import type { ParticipantDraft } from './participantDraft.ts';
import { answerCall } from './participantKeys.ts';
import { isWithoutData } from './participantState.ts';
import { tryTrain } from './participantRound.ts';
import type { ParticipantStep, ParticipantTasks } from './participantState.ts';

export function onChallenge(draft: ParticipantDraft, body: Body<'challenge'>): void {
  if (!body.versions.includes(PROTOCOL_VERSION)) {
    const theirs = body.versions.join(', ');
    return draft.end(
      'refused',
      new HushError(
        'meeting/version',
        `The coordinator speaks version ${theirs}, this page version ${PROTOCOL_VERSION}.`,
        {
          advice: 'Reload the page; if that does not help, the coordinator must update.',
        },
      ),
    );
  }
  draft.task('greet', 0, body);
}

export function onWelcome(draft: ParticipantDraft, body: Body<'welcome'>): void {
  if (body.nonce !== draft.state.ownNonce) return draft.refused('meeting/nonce');
  draft.patch({
    welcome: body,
    wantedHead: body.head,
    attempt: 0,
    problem: undefined,
    phase: draft.state.paused ? 'paused' : body.finished ? 'finished' : 'preparing',
  });
  draft.log('Connected to the coordinator, whose key is the one in the link.', 'good');
  choose(draft);
  catchUp(draft);
  draft.progress();
}

function choose(draft: ParticipantDraft): void {
  if (draft.state.phase === 'preparing' && isWithoutData(draft.state)) draft.patch({ phase: 'choosing' });
}

export function onUnwelcome(draft: ParticipantDraft, body: Body<'unwelcome'>): void {
  if (body.nonce !== draft.state.ownNonce) return draft.refused('meeting/nonce');
  draft.end(
    'refused',
    new HushError('meeting/unwelcome', `The coordinator does not admit this participant: ${body.reason}.`, {
      advice: 'Ask whoever sent the link; copy all of it.',
    }),
  );
}

/** Asks for the next thing that is missing, one at a time. */
export function catchUp(draft: ParticipantDraft): void {
  const { state } = draft;
  if (state.fetching !== undefined || state.welcome === undefined) return;
  if (state.plan === undefined) return fetch(draft, 'plan', state.binding.planHash);
  if (state.trainer === 'closed') prepare(draft);
  if (state.wantedHead !== undefined && state.head?.recordHash !== state.wantedHead) {
    if (state.welcome.records === 0 && state.wantedHead === state.welcome.head) {
      draft.patch({ fetching: { what: 'ledger', hash: state.wantedHead } });
      return readLedger(draft, undefined, state.wantedHead);
    }
    return fetch(draft, 'ledger', state.wantedHead);
  }
  if (state.head === undefined) return;
  answerCall(draft);
  if (state.trainer !== 'ready' || applying(draft)) return;
  if (state.modelHash !== state.head.modelHash) {
    const completed = state.head.records > state.head.abandoned;
    if (completed || startHash(state.plan)) return fetch(draft, 'model', state.head.modelHash);
    draft.patch({ fetching: { what: 'model', hash: state.head.modelHash } });
    return draft.task('loadModel', 0, { content: undefined, modelHash: state.head.modelHash, plan: state.plan });
  }
  if (state.phase === 'preparing') draft.patch({ phase: 'waiting' });
  tryTrain(draft);
}

/** Asks for the ledger although its head is known. */
export function fetchLedger(draft: ParticipantDraft): void {
  const { wantedHead, fetching } = draft.state;
  if (wantedHead !== undefined && fetching === undefined) fetch(draft, 'ledger', wantedHead);
}

/** A sum is being applied: the model that follows from it need not be fetched. */
function applying(draft: ParticipantDraft): boolean {
  const { rounds, head } = draft.state;
  return Object.values(rounds).some(
    ({ step, number }) =>
      ['applying', 'following', 'confirming'].includes(step) || (step === 'confirmed' && number > (head?.round ?? 0)),
  );
}

function readLedger(draft: ParticipantDraft, content: Uint8Array | undefined, head: Hash): void {
  const { head: verified, history } = draft.state;
  draft.task('readLedger', 0, { content, head, plan: draft.plan, verified, history });
}

function fetch(draft: ParticipantDraft, what: 'plan' | 'model' | 'ledger', hash: Hash): void {
  draft.patch({ fetching: { what, hash } });
  draft.effect({ effect: 'timer', name: FETCH_TIMER, delayMs: FETCH_MS });
  draft.send('fetch', 0, { what, hash });
}

/** Asks once more for what did not come: the request, or the answer, may be lost. */
export function onFetchTimer(draft: ParticipantDraft): void {
  const { fetching, welcome } = draft.state;
  if (fetching !== undefined && welcome !== undefined) fetch(draft, fetching.what, fetching.hash);
}

function prepare(draft: ParticipantDraft): void {
  const { plan, state } = draft;
  const { data, seed } = plan;
  if (state.welcome === undefined) return;
  if (data.kind === 'private') {
    if (!state.dataAccepted) return;
    draft.patch({ trainer: 'preparing' });
    return draft.task('prepare', 0, { plan, shard: undefined });
  }
  const { shards, split } = data;
  draft.patch({ trainer: 'preparing' });
  draft.task('prepare', 0, { plan, shard: { index: state.welcome.shard % shards, count: shards, split, seed } });
}

/** Where people train on their own files, nothing is answered for a round before they have chosen them. */
export function onDataAccepted(draft: ParticipantDraft): void {
  draft.patch({ dataAccepted: true, ...(draft.state.phase === 'choosing' && { phase: 'preparing' }) });
  draft.log('The files to train on are chosen; they stay in this tab.', 'good');
  catchUp(draft);
}

export function onItem(draft: ParticipantDraft, body: Body<'item'>): void {
  const { state } = draft;
  const asked = state.fetching;
  if (asked === undefined || body.what !== asked.what || body.hash !== asked.hash) return draft.refused('sync/unasked');
  draft.effect({ effect: 'cancel-timer', name: FETCH_TIMER });
  if (body.content === undefined) {
    // The coordinator has moved on and keeps it no longer: what to ask for is looked at again in a while.
    draft.patch({ fetching: undefined });
    return draft.effect({ effect: 'timer', name: CATCH_UP_TIMER, delayMs: CATCH_UP_MS });
  }
  if (body.what === 'plan') return draft.task('readPlan', 0, body.content);
  if (body.what === 'ledger') {
    return readLedger(draft, body.content, body.hash);
  }
  draft.task('loadModel', 0, { content: body.content, modelHash: body.hash, plan: draft.plan });
}

type SyncTask = 'greet' | 'readPlan' | 'readLedger' | 'loadModel' | 'prepare' | 'measure';
export type SyncDone = Extract<DoneEvent<ParticipantTasks>, { readonly task: SyncTask }>;

export function onSyncDone(draft: ParticipantDraft, done: SyncDone): void {
  switch (done.task) {
    case 'greet':
      draft.patch({ ownNonce: done.output.ownNonce });
      return draft.send('hello', 0, done.output);
    case 'readPlan':
      draft.patch({ plan: done.output, fetching: undefined });
      draft.log(`The plan is the one in the link: ${done.output.name}.`, 'good');
      choose(draft);
      return catchUp(draft);
    case 'readLedger':
      if ((draft.state.head?.completed ?? 0) > done.output.head.completed) {
        const { completed } = done.output.head;
        draft.log(`The coordinator has gone back to round ${completed}: it has lost what came after.`, 'warn');
      }
      draft.patch({ ...done.output, fetching: undefined });
      if (done.output.head.records > 0)
        draft.log(`Verified ${done.output.head.records} records of the ledger.`, 'good');
      return catchUp(draft);
    case 'loadModel':
      draft.patch({ modelHash: done.output, fetching: undefined });
      return catchUp(draft);
    case 'prepare':
      draft.patch({ trainer: 'ready', info: done.output.info, choice: done.output.choice });
      draft.log(done.output.choice.reason);
      draft.progress();
      // A new worker holds no model yet.
      draft.patch({ modelHash: undefined });
      return catchUp(draft);
    case 'measure':
      draft.patch({ choice: done.output });
      draft.log(done.output.reason);
      return draft.progress();
    default:
      return done satisfies never;
  }
}

/** Asks again for what the coordinator did not have, or tries the trainer again after a rest. */
export function onSyncTimer(draft: ParticipantDraft): void {
  if (draft.state.trainer === 'resting') draft.patch({ trainer: 'closed' });
  catchUp(draft);
}

/** The worker or the device died: out of the rounds that need it, and after a rest a new worker for those to come. */
export function onTrainerFailed(draft: ParticipantDraft, error: HushError): void {
  const failures = draft.state.trainerFailures + 1;
  for (const round of draft.liveRounds()) {
    if (NEED_TRAINER.includes(round.step)) draft.refuse(round.number, error);
  }
  draft.patch({ trainerFailures: failures, modelHash: undefined, choice: undefined, fetching: undefined });
  if (failures > MAX_TRAINER_FAILURES) {
    draft.patch({ trainer: 'failed' });
    return draft.end('failed', error);
  }
  draft.log(`${error.message} Starting a new worker.`, 'warn');
  draft.patch({ trainer: 'resting' });
  draft.effect({ effect: 'timer', name: CATCH_UP_TIMER, delayMs: CATCH_UP_MS * 2 ** (failures - 1) });
}

const NEED_TRAINER: readonly ParticipantStep[] = ['training', 'masking', 'following', 'applying'];
const MAX_TRAINER_FAILURES = 3;

export const FETCH_TIMER = 'fetch';
/** Time enough for the largest model over a slow line; what comes twice is refused. */
const FETCH_MS = 60_000;

export const CATCH_UP_TIMER = 'catch up';
const CATCH_UP_MS = 500;

/** Nothing of a failed check is used; what cannot be mended by asking again ends the run here. */
export function onSyncFailed(draft: ParticipantDraft, { task, error }: FailedEvent<ParticipantTasks>): void {
  // Without an engine: the next worker finds another.
  if (task === 'measure') return onTrainerFailed(draft, error);
  if (task === 'prepare') {
    draft.patch({ trainer: 'failed' });
    return draft.end('failed', error);
  }
  const phase = task === 'readPlan' || task === 'readLedger' || task === 'greet' ? 'refused' : 'failed';
  draft.end(phase, error);
}
