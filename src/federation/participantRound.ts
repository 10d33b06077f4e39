/** Steps 3 to 7 as a participant takes them: train, mask, agree, release, apply, confirm. */
import { HushError } from '../core/errors.ts';
import type { RoundNumber } from '../core/ids.ts';
import type { DoneEvent } from './machine.ts';
import { checkAscending, u2RootOf } from './memberSets.ts';
import type { Body } from './messages.ts';
import { limitTimer } from './participantDraft.ts';
import type { ParticipantDraft } from './participantDraft.ts';
import type { ParticipantRound, ParticipantTasks } from './participantState.ts';
import { quorum } from './roster.ts';

export function onBegin(draft: ParticipantDraft, number: RoundNumber, body: Body<'begin'>): void {
  if (draft.roundAt(number, 'shared', 'opening', 'delivered') === undefined) return;
  const { rounds } = draft.plan.aggregation;
  if (body.kind === 'train' && body.completed >= rounds) {
    return draft.refuse(number, new HushError('round/beyond-plan', `The plan has ${rounds} rounds, and all are done.`));
  }
  draft.patchRound(number, { begin: body });
  tryTrain(draft);
}

/** Trains the oldest round that has begun, once the shares are delivered and the trainer holds its model. */
export function tryTrain(draft: ParticipantDraft): void {
  const { trainer, modelHash, phase } = draft.state;
  const live = draft.liveRounds();
  if (live.some((round) => round.step === 'training' || round.step === 'masking')) return;
  const round = live.find((candidate) => candidate.step === 'delivered' && candidate.begin !== undefined);
  if (round?.begin === undefined || trainer !== 'ready' || round.begin.modelHash !== modelHash) return;
  draft.patchRound(round.number, { step: 'training' });
  draft.patch({
    progress: undefined,
    ...(phase === 'waiting' || phase === 'preparing' ? { phase: 'running' as const } : {}),
  });
  draft.task('train', round.number, { kind: round.begin.kind });
  draft.progress();
}

export function onSurvivors(draft: ParticipantDraft, number: RoundNumber, body: Body<'survivors'>): void {
  const round = draft.roundAt(number, 'masked');
  const { plan } = draft;
  if (!round?.roster || !round.u1 || !round.u1Root || !round.begin || !round.tuple) {
    return draft.refused('round/unexpected-survivors');
  }
  const problem = survivorsProblem(draft, round, body);
  if (problem !== undefined) {
    return draft.refuse(number, new HushError('round/survivors', `The list of survivors is wrong: ${problem}.`));
  }
  const tuple = { ...round.tuple, u2Root: u2RootOf(body.survivors) };
  draft.patchRound(number, { survivors: body.survivors, tuple, step: 'agreeing' });
  if (plan.security.mode === 'active') return draft.task('agree', number, tuple);
  release(draft, number);
}

function survivorsProblem(
  draft: ParticipantDraft,
  round: ParticipantRound,
  { survivors }: Body<'survivors'>,
): string | undefined {
  const { own } = draft.state;
  try {
    checkAscending(
      survivors.map(([id]) => id),
      'survivors',
    );
  } catch (error) {
    return (error as HushError).message;
  }
  const u1 = new Set(round.u1);
  const needed = quorum(draft.plan, round.roster?.members.length ?? 0);
  if (!survivors.every(([id]) => u1.has(id))) return 'somebody in it never shared';
  if (survivors.length < needed) return `${survivors.length} survivors, expected at least ${needed}`;
  const mine = survivors.find(([id]) => id === own);
  if (mine === undefined) return 'this participant, which sent its masked update, is not in it';
  if (mine[1] !== round.piecesRoot) return "this participant's masked update was changed";
  return undefined;
}

export function onAgreed(draft: ParticipantDraft, number: RoundNumber, body: Body<'agreed'>): void {
  const round = draft.roundAt(number, 'agreed');
  if (!round?.roster || !round.tuple || !round.survivors) return draft.refused('round/unexpected-agreement');
  draft.patchRound(number, { step: 'checking-agreement' });
  draft.task('checkAgreement', number, {
    roster: round.roster,
    tuple: round.tuple,
    survivors: round.survivors.map(([id]) => id),
    signatures: body.signatures,
  });
}

/** The step after which the round is spent: shares of seeds and of dropouts' keys leave this tab, once. */
function release(draft: ParticipantDraft, number: RoundNumber): void {
  const round = draft.round(number);
  if (!round?.roster || !round.u1 || !round.survivors) return;
  draft.patchRound(number, { step: 'released' });
  const survivors = round.survivors.map(([id]) => id);
  draft.task('release', number, { roster: round.roster, u1: round.u1, survivors });
}

export function onResult(draft: ParticipantDraft, number: RoundNumber, body: Body<'result'>): void {
  const { state } = draft;
  const round = draft.round(number);
  const serving = round?.step === 'released';
  if (round !== undefined && !serving && round.step !== 'dead') return draft.refused('round/unexpected-result');
  // Whoever is not in the round follows along, so that it need not fetch the model again.
  if (!serving && state.fetching !== undefined) return;
  if (state.modelHash !== body.modelHash || state.trainer !== 'ready') return;
  if (serving && (body.survivors !== round.survivors?.length || body.groupSize !== round.roster?.members.length)) {
    return draft.refuse(
      number,
      new HushError('round/result', 'The result is for other survivors than those agreed on.'),
    );
  }
  draft.patchRound(number, { step: 'applying' });
  draft.task('apply', number, { plan: draft.plan, result: body });
}

type RoundTask = 'train' | 'mask' | 'agree' | 'checkAgreement' | 'release' | 'apply' | 'confirm';
export type RoundDone = Extract<DoneEvent<ParticipantTasks>, { readonly task: RoundTask }>;

export function onRoundDone(draft: ParticipantDraft, done: RoundDone): void {
  const number = done.round;
  const round = draft.round(number);
  if (round === undefined) return;
  switch (done.task) {
    case 'train': {
      if (round.step !== 'training' || !round.roster || !round.u1 || !round.u1Root || !round.begin) return;
      draft.patchRound(number, { step: 'masking', report: done.output });
      draft.patch({ trainMs: done.output.durationMs });
      const { roster, u1, u1Root, begin } = round;
      const { kind, modelHash } = begin;
      return draft.task('mask', number, { plan: draft.plan, kind, roster, u1, u1Root, modelHash });
    }
    case 'mask': {
      if (round.step !== 'masking' || !round.roster || !round.u1Root || !round.begin) return;
      const { masked, piecesRoot, sumSpecHash, glimpse } = done.output;
      const { rosterRoot } = round.roster;
      // u2Root is not known yet; it is put in when the survivors are.
      const tuple = {
        rosterRoot,
        u1Root: round.u1Root,
        u2Root: piecesRoot,
        modelHash: round.begin.modelHash,
        sumSpecHash,
      };
      draft.patchRound(number, { step: 'masked', piecesRoot, tuple });
      draft.patch({ glimpse });
      draft.send('masked', number, { piecesRoot, packed: masked });
      return draft.progress();
    }
    case 'agree':
      if (round.step !== 'agreeing') return;
      draft.patchRound(number, { step: 'agreed' });
      return draft.send('agree', number, { signature: done.output });
    case 'checkAgreement': {
      if (round.step !== 'checking-agreement' || !round.roster) return;
      const needed = round.roster.threshold;
      if (done.output >= needed) return release(draft, number);
      const message = `${done.output} participants signed the same survivors, expected at least ${needed}; nothing is unmasked.`;
      return draft.refuse(number, new HushError('round/agreement', message));
    }
    case 'release':
      if (round.step === 'released') draft.send('unmask', number, done.output);
      return;
    case 'apply': {
      const { modelHashAfter } = done.output;
      draft.patch({ modelHash: modelHashAfter });
      draft.patchRound(number, { applied: done.output });
      if (round.step !== 'applying') return;
      if (round.survivors === undefined || draft.state.head === undefined) {
        return draft.patchRound(number, { step: 'confirmed' });
      }
      draft.patchRound(number, { step: 'confirming' });
      draft.patch({ lastSurvivors: round.survivors.length });
      return draft.task('confirm', number, { applied: done.output, prevRecordHash: draft.state.head.recordHash });
    }
    case 'confirm':
      if (round.step !== 'confirming') return;
      draft.patchRound(number, { step: 'confirmed' });
      draft.effect({ effect: 'cancel-timer', name: limitTimer(number) });
      return draft.send('confirm', number, done.output);
    default:
      return done satisfies never;
  }
}
