/** Steps 3 to 5 as the coordinator takes them: masked updates, agreement on the survivors, unmasking. */
import type { Hash, ParticipantId, RoundNumber, Signature } from '../core/ids.ts';
import { dealingsOf, isOver, membersOf } from './coordinatorDraft.ts';
import type { CoordinatorDraft } from './coordinatorDraft.ts';
import { byId, u2RootOf } from './memberSets.ts';
import type { Survivor } from './memberSets.ts';
import type { Body } from './messages.ts';

/** Starts the round whose shares are delivered, once the one before is in the ledger. */
export function beginNext(draft: CoordinatorDraft): void {
  const { upcoming, current, sealing, unsealed, head, plan, paused } = draft.state;
  if (upcoming?.step !== 'ready' || !isOver(current) || sealing || unsealed.length > 0 || paused) return;
  if (upcoming.roster === undefined) return;
  const kind = head.completed < plan.aggregation.rounds ? 'train' : 'evaluate';
  const begun = { ...upcoming, kind, modelHash: head.modelHash, beganMs: draft.nowMs } as const;
  draft.patch({ current: begun, upcoming: undefined });
  draft.move(begun.number, 'training', plan.aggregation.deadlines.trainMs);
  const mark = { round: begun.number, stage: 'begun', participants: membersOf(begun) } as const;
  draft.task('beginSum', begun.number, { kind, groupSize: upcoming.roster.members.length, mark });
}

export function onSumBegun(draft: CoordinatorDraft, number: RoundNumber, sumSpecHash: Hash): void {
  const round = draft.roundAt(number, 'training');
  if (round?.modelHash === undefined) return;
  draft.patchRound(number, { sumSpecHash });
  draft.sendTo(round.u1, 'begin', number, {
    kind: round.kind,
    modelHash: round.modelHash,
    completed: draft.state.head.completed,
    deadlineMs: draft.state.plan.aggregation.deadlines.trainMs,
  });
}

export function onMasked(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: Body<'masked'>): void {
  const round = draft.roundAt(number, 'training');
  const known = round?.u1.includes(id) ?? false;
  if (!round || !known || round.adding.includes(id) || Object.hasOwn(round.masked, id) || round.absent.includes(id)) {
    // Among them what comes late: discarded unread, so that the self mask is all that anyone ever sees of it.
    return draft.refused('round/unexpected-masked', id);
  }
  draft.patchRound(number, { adding: [...round.adding, id] });
  draft.task('addMasked', number, body, id);
}

export function onAdded(draft: CoordinatorDraft, number: RoundNumber, id: ParticipantId, root: Hash | undefined): void {
  const round = draft.roundAt(number, 'training');
  if (round === undefined) return;
  const adding = round.adding.filter((other) => other !== id);
  if (root !== undefined) return draft.patchRound(number, { adding, masked: { ...round.masked, [id]: root } });
  draft.patchRound(number, { adding, absent: [...round.absent, id] });
  draft.refused('round/masked', id);
}

/** Fixes the survivors once every masked update is in, or the time for them is over. */
export function closeTraining(draft: CoordinatorDraft, timeIsOver: boolean): void {
  const round = draft.state.current;
  if (round?.step !== 'training' || round.sumSpecHash === undefined || round.adding.length > 0) return;
  const awaited = draft.awaited(round, round.u1, round.masked);
  const late = timeIsOver || (round.untilMs !== undefined && draft.nowMs >= round.untilMs);
  const needed = draft.quorumOf(round);
  const arrived = Object.keys(round.masked).length;
  if (!late && awaited.length > 0 && arrived + awaited.length >= needed) return;
  if (arrived < needed) return draft.abandon(round, `${arrived} masked updates arrived, ${needed} are needed.`);
  const survivors = byId(Object.entries(round.masked) as [ParticipantId, Hash][]) as readonly Survivor[];
  const { roster, u1Root, modelHash, sumSpecHash } = round;
  if (roster === undefined || u1Root === undefined || modelHash === undefined) return;
  const tuple = { rosterRoot: roster.rosterRoot, u1Root, u2Root: u2RootOf(survivors), modelHash, sumSpecHash };
  draft.patchRound(round.number, { survivors, tuple });
  const trainMs = draft.nowMs - round.beganMs;
  draft.patch({ lastTrainMs: trainMs });
  const { deadlines } = draft.state.plan.aggregation;
  if (draft.state.plan.security.mode !== 'active') return askToUnmask(draft, round.number);
  draft.move(round.number, 'agreeing', deadlines.consistencyMs);
  const ids = survivors.map(([id]) => id);
  draft.sendTo(ids, 'survivors', round.number, { survivors: survivors.map(([id, root]) => [id, root]) });
}

export function onAgree(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: Body<'agree'>): void {
  const round = draft.roundAt(number, 'agreeing');
  const key = round?.roster?.members.find((member) => member.id === id)?.publicKey;
  const survived = round?.survivors.some(([other]) => other === id) ?? false;
  if (!round?.tuple || key === undefined || !survived || Object.hasOwn(round.agreements, id)) {
    return draft.refused('round/unexpected-agreement', id);
  }
  draft.task('checkAgreement', number, { key, tuple: round.tuple, signature: body.signature }, id);
}

export function onAgreementChecked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  id: ParticipantId,
  signature: Signature | undefined,
): void {
  const round = draft.roundAt(number, 'agreeing');
  if (round === undefined) return;
  if (signature !== undefined) {
    return draft.patchRound(number, { agreements: { ...round.agreements, [id]: signature } });
  }
  draft.patchRound(number, { absent: [...round.absent, id] });
  draft.refused('round/agreement', id);
}

/** Asks for shares once every survivor has agreed, or enough have and the time is over. */
export function closeAgreement(draft: CoordinatorDraft, timeIsOver: boolean): void {
  const round = draft.state.current;
  if (round?.step !== 'agreeing') return;
  const ids = round.survivors.map(([id]) => id);
  if (!timeIsOver && draft.awaited(round, ids, round.agreements).length > 0) return;
  const count = Object.keys(round.agreements).length;
  const needed = round.roster?.threshold ?? Infinity;
  if (count < needed)
    return draft.abandon(round, `${count} participants agreed on the survivors, ${needed} are needed.`);
  askToUnmask(draft, round.number);
}

/** From here on the round is spent; that is stored before it is asked for. */
function askToUnmask(draft: CoordinatorDraft, number: RoundNumber): void {
  draft.patchRound(number, { spent: true });
  draft.move(number, 'unmasking', draft.state.plan.aggregation.deadlines.unmaskMs);
  const round = draft.roundAt(number, 'unmasking');
  draft.task('mark', number, { round: number, stage: 'spent', participants: round ? membersOf(round) : [] });
}

export function onSpentMarked(draft: CoordinatorDraft, number: RoundNumber): void {
  const round = draft.roundAt(number, 'unmasking');
  if (round === undefined) return;
  const ids = round.survivors.map(([id]) => id);
  if (draft.state.plan.security.mode === 'active') {
    const signatures = byId(Object.entries(round.agreements) as [ParticipantId, Signature][]);
    draft.sendTo(ids, 'agreed', number, { signatures });
  } else {
    draft.sendTo(ids, 'survivors', number, { survivors: round.survivors.map(([id, root]) => [id, root]) });
  }
}

export function onUnmask(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: Body<'unmask'>): void {
  const round = draft.roundAt(number, 'unmasking');
  const survivors = round?.survivors.map(([other]) => other) ?? [];
  if (!round?.roster || !survivors.includes(id) || Object.hasOwn(round.answers, id)) {
    return draft.refused('round/unexpected-unmask', id);
  }
  const context = { roster: round.roster, dealings: dealingsOf(round), survivors };
  draft.task('checkUnmask', number, { ...context, body }, id);
}

export function onUnmaskChecked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  id: ParticipantId,
  body: Body<'unmask'> | undefined,
): void {
  const round = draft.roundAt(number, 'unmasking');
  if (round === undefined) return;
  if (body !== undefined) return draft.patchRound(number, { answers: { ...round.answers, [id]: body } });
  draft.patchRound(number, { absent: [...round.absent, id] });
  draft.refused('round/unmask', id);
}

/** Unmasks once every survivor has answered, or enough have and the time is over. */
export function closeUnmasking(draft: CoordinatorDraft, timeIsOver: boolean): void {
  const round = draft.state.current;
  if (round?.step !== 'unmasking' || !round.roster || !round.tuple) return;
  const ids = round.survivors.map(([id]) => id);
  if (!timeIsOver && draft.awaited(round, ids, round.answers).length > 0) return;
  const count = Object.keys(round.answers).length;
  const needed = round.roster.threshold;
  if (count < needed)
    return draft.abandon(round, `${count} participants sent their shares to unmask, ${needed} are needed.`);
  draft.move(round.number, 'summing', undefined);
  const { roster, tuple, answers } = round;
  draft.task('unmask', round.number, { roster, dealings: dealingsOf(round), survivors: ids, tuple, answers });
}
