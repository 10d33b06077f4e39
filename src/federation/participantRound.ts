/** Steps 3 to 7 as a participant takes them: train, mask, agree, release, apply, confirm. */
import { HushError } from '../core/errors.ts';
import type { RoundNumber } from '../core/ids.ts';
import { groupMinimum, threshold } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { kindOfNext } from './ledger.ts';
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

/**
 * Trains the round that has begun, once the shares are delivered and the trainer holds the model that the verified ledger
 * ends in: no other model is ever trained on, whatever the coordinator says.
 */
export function tryTrain(draft: ParticipantDraft): void {
  const { trainer, modelHash, phase, head, wantedHead } = draft.state;
  const live = draft.liveRounds();
  if (live.some((round) => round.step === 'training' || round.step === 'masking')) return;
  if (head === undefined || head.recordHash !== wantedHead || head.modelHash !== modelHash || trainer !== 'ready')
    return;
  const round = live.find(
    ({ step, number, begin }) =>
      step === 'delivered' &&
      number > head.round &&
      begin?.modelHash === head.modelHash &&
      begin.completed === head.completed,
  );
  if (round?.begin === undefined) return;
  const due = kindOfNext(draft.plan, head);
  if (round.begin.kind !== due) {
    const message = `The round is for "${round.begin.kind}" after ${head.completed} rounds, expected "${due}" by the plan.`;
    return draft.refuse(round.number, new HushError('round/kind', message));
  }
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
  if (!round?.roster || !round.u1 || !round.u1Root || !round.begin || !round.tuple) {
    return draft.refused('round/unexpected-survivors');
  }
  const { plan } = draft;
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
  const round = draft.round(number);
  if (round?.step === 'released') return applyOwn(draft, round, body);
  if (round !== undefined && round.step !== 'dead') return draft.refused('round/unexpected-result');
  follow(draft, number, body);
}

function applyOwn(draft: ParticipantDraft, round: ParticipantRound, body: Body<'result'>): void {
  const { begin, survivors, roster, number } = round;
  const agreed =
    body.kind === begin?.kind &&
    body.modelHash === begin.modelHash &&
    roster !== undefined &&
    (roster.place === undefined
      ? body.survivors === survivors?.length && body.members === roster.members.length
      : // The other groups' sums are in it too.
        body.survivors >= (survivors?.length ?? 0) && body.members >= roster.members.length);
  if (!agreed) {
    const message = 'The result is for other survivors, another kind or another model than those agreed on.';
    return draft.refuse(number, new HushError('round/result', message));
  }
  draft.patchRound(number, { step: 'applying' });
  draft.task('apply', number, { plan: draft.plan, result: body });
}

/**
 * Whoever is not in the round applies its sum too, so that it need not fetch the model; nothing is signed for it, and the
 * round's record decides whether it stands.
 */
function follow(draft: ParticipantDraft, number: RoundNumber, body: Body<'result'>): void {
  const { head, wantedHead, modelHash, fetching, trainer, plan } = draft.state;
  const ready = fetching === undefined && trainer === 'ready' && head !== undefined && head.recordHash === wantedHead;
  if (!ready || plan === undefined || number <= head.round || body.modelHash !== head.modelHash) return;
  if (modelHash !== head.modelHash || body.survivors < leastSurvivors(plan, body.members)) return;
  draft.patchRound(number, { step: 'following' });
  draft.task('apply', number, { plan, result: body });
}

/** Fewer cannot have completed a round of so many. */
function leastSurvivors(plan: Plan, members: number): number {
  return plan.aggregation.groupSize === undefined
    ? quorum(plan, members)
    : Math.max(groupMinimum(plan), threshold(plan.security.mode, members) - 1);
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
      draft.patchRound(number, { step: 'masking' });
      const measured = { round: round.begin.completed, figures: done.output.figures };
      draft.patch({ trainMs: done.output.durationMs, trainerFailures: 0, measured });
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
      if (round.step === 'following') return draft.patchRound(number, { step: 'confirmed' });
      const { roster, tuple } = round;
      const survivors = round.survivors?.map(([id]) => id);
      if (round.step !== 'applying' || !roster || !tuple || !survivors || draft.state.head === undefined) return;
      draft.patchRound(number, { step: 'confirming' });
      draft.patch({ lastSurvivors: survivors.length });
      const prevRecordHash = draft.state.head.recordHash;
      return draft.task('confirm', number, { applied: done.output, prevRecordHash, roster, survivors, tuple });
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
