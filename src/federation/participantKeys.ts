/** Steps 0 to 2 as a participant takes them: keys, roster, shares. They run while the round before still trains. */
import { HushError } from '../core/errors.ts';
import type { RoundNumber } from '../core/ids.ts';
import type { DoneEvent } from './machine.ts';
import { checkAscending } from './memberSets.ts';
import type { Body } from './messages.ts';
import { limitTimer, roundLimitMs } from './participantDraft.ts';
import type { ParticipantDraft } from './participantDraft.ts';
import { tryTrain } from './participantRound.ts';
import { isWithoutData } from './participantState.ts';
import type { ParticipantTasks } from './participantState.ts';
import { quorum } from './roster.ts';

export function onCall(draft: ParticipantDraft, round: RoundNumber): void {
  // A call for a round that is under way must not end it.
  if (draft.liveRounds().some(({ number }) => number === round)) return draft.refused('round/called-twice');
  if (round <= Math.max(draft.state.guard, draft.state.head?.round ?? 0)) {
    return draft.refuse(
      round,
      new HushError(
        'round/replayed',
        `This participant already served in round ${draft.state.guard}; round ${round} is refused.`,
      ),
    );
  }
  draft.patch({ pendingCall: round });
  answerCall(draft);
}

/** Advertises for the round that was called, once plan, ledger and model are there. */
export function answerCall(draft: ParticipantDraft): void {
  const { pendingCall, head, wantedHead, plan, finishing, paused, phase } = draft.state;
  if (pendingCall === undefined || plan === undefined || head === undefined || head.recordHash !== wantedHead) return;
  if (isWithoutData(draft.state)) return;
  draft.patch({ pendingCall: undefined });
  if (finishing || paused || phase === 'failed' || draft.round(pendingCall) !== undefined) return;
  draft.patchRound(pendingCall, { step: 'advertised' });
  draft.effect({ effect: 'timer', name: limitTimer(pendingCall), delayMs: roundLimitMs(plan) });
  draft.task('advert', pendingCall, plan);
}

/** Step 1g: from here on nobody can be added to the cohort any more, so the randomness may be known. */
export function onCohort(draft: ParticipantDraft, round: RoundNumber, body: Body<'cohort'>): void {
  const grouped = draft.state.plan?.aggregation.groupSize !== undefined;
  if (!grouped || draft.roundAt(round, 'advertised') === undefined) return draft.refused('round/unexpected-cohort');
  draft.patchRound(round, { step: 'checking-cohort', cohort: body });
  draft.task('reveal', round, { plan: draft.plan, cohort: body });
}

export function onDraw(draft: ParticipantDraft, number: RoundNumber, body: Body<'draw'>): void {
  const round = draft.roundAt(number, 'revealed');
  if (round === undefined || round.draw !== undefined) return draft.refused('round/unexpected-draw');
  draft.patchRound(number, { draw: body });
}

export function onRoster(draft: ParticipantDraft, number: RoundNumber, body: Body<'roster'>): void {
  const grouped = draft.state.plan?.aggregation.groupSize !== undefined;
  const round = draft.roundAt(number, grouped ? 'revealed' : 'advertised');
  const { cohort, draw } = round ?? {};
  const drawn = cohort && draw && { cohort, draw };
  if (round === undefined || (grouped && drawn === undefined)) return draft.refused('round/unexpected-roster');
  draft.patchRound(number, { step: 'checking-roster' });
  draft.task('checkRoster', number, { plan: draft.plan, roster: body, drawn });
}

export function onDeliver(draft: ParticipantDraft, number: RoundNumber, body: Body<'deliver'>): void {
  const round = draft.roundAt(number, 'shared');
  if (round?.roster === undefined) return draft.refused('round/unexpected-delivery');
  const u1 = body.dealings.map(([id]) => id);
  const members = new Set(round.roster.members.map((member) => member.id));
  const needed = quorum(draft.plan, members.size);
  try {
    checkAscending(u1, 'those who shared');
  } catch (error) {
    return draft.refuse(number, error as HushError);
  }
  const problem = !u1.every((id) => members.has(id))
    ? 'somebody who shared is not in the roster'
    : !u1.includes(draft.state.own)
      ? 'the own shares are left out'
      : u1.length < needed
        ? `${u1.length} shared, expected at least ${needed}`
        : undefined;
  if (problem !== undefined)
    return draft.refuse(number, new HushError('round/delivery', `The delivery is wrong: ${problem}.`));
  draft.patchRound(number, { step: 'opening', u1 });
  draft.task('open', number, { roster: round.roster, delivery: body });
}

type KeyTask = 'advert' | 'reveal' | 'checkRoster' | 'deal' | 'open';
export type KeysDone = Extract<DoneEvent<ParticipantTasks>, { readonly task: KeyTask }>;

export function onKeysDone(draft: ParticipantDraft, done: KeysDone): void {
  const number = done.round;
  switch (done.task) {
    case 'advert':
      if (draft.roundAt(number, 'advertised')) return draft.send('advert', number, done.output);
      // Given up while the keys were being made.
      return draft.effect({ effect: 'wipe', round: number });
    case 'reveal':
      if (!draft.roundAt(number, 'checking-cohort')) return;
      draft.patchRound(number, { step: 'revealed' });
      return draft.send('reveal', number, done.output);
    case 'checkRoster':
      if (!draft.roundAt(number, 'checking-roster')) return;
      draft.patchRound(number, { step: 'dealing', roster: done.output });
      return draft.task('deal', number, done.output);
    case 'deal':
      draft.patch({ guard: Math.max(draft.state.guard, number) });
      if (!draft.roundAt(number, 'dealing')) return;
      draft.patchRound(number, { step: 'shared' });
      return draft.send('share', number, done.output);
    case 'open': {
      const round = draft.roundAt(number, 'opening');
      if (round?.roster === undefined) return;
      const { good, bad, u1Root } = done.output;
      for (const dealer of bad) draft.log(`Round ${number}: the shares from ${dealer} do not open.`, 'warn');
      if (bad.length > 0) draft.send('complain', number, { dealers: [...bad] });
      if (good.length < round.roster.threshold) {
        const message = `${good.length} boxes of shares open, expected at least ${round.roster.threshold}.`;
        return draft.refuse(number, new HushError('round/shares', message));
      }
      draft.patchRound(number, { step: 'delivered', u1Root });
      return tryTrain(draft);
    }
    default:
      return done satisfies never;
  }
}
