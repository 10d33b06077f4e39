/** Steps 3 to 5 as the coordinator takes them, in each group: masked updates, agreement on the survivors, unmasking. */
import type { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId, RoundNumber, Signature } from '../core/ids.ts';
import { dealingsOf, isOver, membersOf } from './coordinatorDraft.ts';
import type { CoordinatorDraft } from './coordinatorDraft.ts';
import type { CoordinatorGroup } from './coordinatorRounds.ts';
import { kindOfNext } from './ledger.ts';
import { byId, u2RootOf } from './memberSets.ts';
import type { Survivor } from './memberSets.ts';
import type { Body } from './messages.ts';
import { indexIn } from './roster.ts';
import { DealerFault } from './unmasking.ts';

/** Goes on with a round once every group that is left has its shares delivered. */
export function closeSharing(draft: CoordinatorDraft): void {
  const round = draft.state.upcoming;
  if (round?.step !== 'sharing' || round.groups.length === 0) return;
  if (round.groups.some(({ step }) => step === 'sharing')) return;
  const lost = round.groups.filter(({ step }) => step === 'lost');
  if (lost.length === round.groups.length) return draft.abandon(round, lost[0]?.lost ?? 'No group is left.');
  draft.move(round.number, 'ready', undefined);
}

/** Starts the round whose shares are delivered, once the one before is in the ledger. */
export function beginNext(draft: CoordinatorDraft): void {
  const { upcoming, current, sealing, unsealed, head, plan, paused } = draft.state;
  if (upcoming?.step !== 'ready' || !isOver(current) || sealing || unsealed.length > 0 || paused) return;
  const kind = kindOfNext(plan, head);
  const begun = { ...upcoming, kind, modelHash: head.modelHash, beganMs: draft.nowMs } as const;
  draft.patch({ current: begun, upcoming: undefined });
  draft.move(begun.number, 'running', undefined);
  for (const { index, step } of begun.groups) {
    if (step === 'ready') draft.moveGroup(begun.number, index, 'training', plan.aggregation.deadlines.trainMs);
  }
  const mark = { round: begun.number, stage: 'begun', participants: membersOf(begun) } as const;
  const groupSizes = begun.groups.map(({ roster }) => roster.members.length);
  draft.task('beginSum', begun.number, { kind, groupSizes, mark });
}

export function onSumBegun(draft: CoordinatorDraft, number: RoundNumber, sumSpecHash: Hash): void {
  const round = draft.roundAt(number, 'running');
  if (round?.modelHash === undefined) return;
  draft.patchRound(number, { sumSpecHash });
  const u1 = round.groups.flatMap((group) => (group.step === 'training' ? group.u1 : []));
  draft.sendTo(u1, 'begin', number, {
    kind: round.kind,
    modelHash: round.modelHash,
    completed: draft.state.head.completed,
    deadlineMs: draft.state.plan.aggregation.deadlines.trainMs,
  });
}

export function onMasked(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: Body<'masked'>): void {
  const group = draft.groupOf(number, id, 'training')?.group;
  const given = group !== undefined && (group.adding.includes(id) || Object.hasOwn(group.masked, id));
  if (!group?.u1.includes(id) || given || group.absent.includes(id)) {
    // Among them what comes late: discarded unread, so that the self mask is all that anyone ever sees of it.
    return draft.refused('round/unexpected-masked', id);
  }
  draft.patchGroup(number, group.index, { adding: [...group.adding, id] });
  draft.task('addMasked', number, { group: group.index, body }, { about: id });
}

export function onAdded(draft: CoordinatorDraft, number: RoundNumber, id: ParticipantId, root: Hash | undefined): void {
  const group = draft.groupOf(number, id, 'training')?.group;
  if (group === undefined) return;
  const adding = group.adding.filter((other) => other !== id);
  if (root !== undefined) {
    return draft.patchGroup(number, group.index, { adding, masked: { ...group.masked, [id]: root } });
  }
  draft.patchGroup(number, group.index, { adding, absent: [...group.absent, id] });
  draft.refused('round/masked', id);
}

/** Fixes the survivors once every masked update is in, or the time for them is over. */
export function closeTraining(draft: CoordinatorDraft, number: RoundNumber, index: number, timeIsOver: boolean): void {
  const at = draft.groupAt(number, index, 'training');
  if (at?.round.sumSpecHash === undefined || at.group.adding.length > 0) return;
  const { round, group } = at;
  const awaited = draft.awaited(group, group.u1, group.masked);
  const late = timeIsOver || (group.untilMs !== undefined && draft.nowMs >= group.untilMs);
  const needed = draft.quorumOf(group);
  const arrived = Object.keys(group.masked).length;
  if (!late && awaited.length > 0 && arrived + awaited.length >= needed) return;
  if (arrived < needed) return draft.lose(number, group, `${arrived} masked updates arrived, ${needed} are needed.`);
  const survivors = byId(Object.entries(group.masked) as [ParticipantId, Hash][]) as readonly Survivor[];
  const { roster, u1Root } = group;
  const { modelHash, sumSpecHash } = round;
  if (u1Root === undefined || modelHash === undefined || sumSpecHash === undefined) return;
  const tuple = { rosterRoot: roster.rosterRoot, u1Root, u2Root: u2RootOf(survivors), modelHash, sumSpecHash };
  draft.patchGroup(number, index, { survivors, tuple });
  draft.patch({ lastTrainMs: draft.nowMs - round.beganMs });
  if (draft.state.plan.security.mode !== 'active') return askToUnmask(draft, number, index);
  draft.moveGroup(number, index, 'agreeing', draft.state.plan.aggregation.deadlines.consistencyMs);
  sendSurvivors(draft, number, survivors);
}

function sendSurvivors(draft: CoordinatorDraft, number: RoundNumber, survivors: readonly Survivor[]): void {
  const ids = survivors.map(([id]) => id);
  draft.sendTo(ids, 'survivors', number, { survivors: survivors.map(([id, root]) => [id, root]) });
}

export function onAgree(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: Body<'agree'>): void {
  const group = draft.groupOf(number, id, 'agreeing')?.group;
  const key = group && keyOfSurvivor(group, id);
  if (!group?.tuple || key === undefined || Object.hasOwn(group.agreements, id)) {
    return draft.refused('round/unexpected-agreement', id);
  }
  draft.task('checkAgreement', number, { key, tuple: group.tuple, signature: body.signature }, { about: id });
}

/** Undefined for whoever is no survivor. */
export function keyOfSurvivor({ roster, survivors }: CoordinatorGroup, id: ParticipantId) {
  const survived = survivors.some(([other]) => other === id);
  return survived ? roster.members[indexIn(roster, id)]?.publicKey : undefined;
}

export function onAgreementChecked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  id: ParticipantId,
  signature: Signature | undefined,
): void {
  const group = draft.groupOf(number, id, 'agreeing')?.group;
  if (group === undefined) return;
  if (signature !== undefined) {
    return draft.patchGroup(number, group.index, { agreements: { ...group.agreements, [id]: signature } });
  }
  draft.absent(number, group, id);
  draft.refused('round/agreement', id);
}

/** Asks for shares once every survivor has agreed, or enough have and the time is over. */
export function closeAgreement(draft: CoordinatorDraft, number: RoundNumber, index: number, timeIsOver: boolean): void {
  const group = draft.groupAt(number, index, 'agreeing')?.group;
  if (group === undefined) return;
  const ids = group.survivors.map(([id]) => id);
  if (!timeIsOver && draft.awaited(group, ids, group.agreements).length > 0) return;
  const count = Object.keys(group.agreements).length;
  const needed = group.roster.threshold;
  if (count < needed) {
    return draft.lose(number, group, `${count} participants agreed on the survivors, ${needed} are needed.`);
  }
  askToUnmask(draft, number, index);
}

/** From here on the round is spent; that is stored before the first group is asked for it. */
function askToUnmask(draft: CoordinatorDraft, number: RoundNumber, index: number): void {
  const at = draft.groupAt(number, index, 'training', 'agreeing');
  if (at === undefined) return;
  const asked = at.round.groups.some(({ step }) => step === 'marking');
  draft.moveGroup(number, index, 'marking', undefined);
  if (at.round.spent) return onSpentMarked(draft, number);
  if (asked) return;
  draft.task('mark', number, { round: number, stage: 'spent', participants: membersOf(at.round) });
}

export function onSpentMarked(draft: CoordinatorDraft, number: RoundNumber): void {
  const round = draft.roundAt(number, 'running');
  if (round === undefined) return;
  for (const { index } of round.groups.filter(({ step }) => step === 'marking')) {
    const group = draft.groupAt(number, index, 'marking')?.group;
    if (group === undefined) continue;
    draft.patchRound(number, { spent: true });
    draft.patchGroup(number, index, { spent: true });
    draft.moveGroup(number, index, 'unmasking', draft.state.plan.aggregation.deadlines.unmaskMs);
    if (draft.state.plan.security.mode !== 'active') {
      sendSurvivors(draft, number, group.survivors);
      continue;
    }
    const ids = group.survivors.map(([id]) => id);
    const signatures = byId(Object.entries(group.agreements) as [ParticipantId, Signature][]);
    draft.sendTo(ids, 'agreed', number, { signatures });
  }
}

export function onUnmask(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: Body<'unmask'>): void {
  const group = draft.groupOf(number, id, 'unmasking')?.group;
  const survivors = group?.survivors.map(([other]) => other) ?? [];
  if (group === undefined || !survivors.includes(id) || Object.hasOwn(group.answers, id)) {
    return draft.refused('round/unexpected-unmask', id);
  }
  const { roster } = group;
  draft.task('checkUnmask', number, { roster, dealings: dealingsOf(group), survivors, body }, { about: id });
}

export function onUnmaskChecked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  id: ParticipantId,
  body: Body<'unmask'> | undefined,
): void {
  const group = draft.groupOf(number, id, 'unmasking')?.group;
  if (group === undefined) return;
  if (body !== undefined) return draft.patchGroup(number, group.index, { answers: { ...group.answers, [id]: body } });
  draft.absent(number, group, id);
  draft.refused('round/unmask', id);
}

/** Unmasks once every survivor has answered, or enough have and the time is over. */
export function closeUnmasking(draft: CoordinatorDraft, number: RoundNumber, index: number, timeIsOver: boolean): void {
  const group = draft.groupAt(number, index, 'unmasking')?.group;
  if (group?.tuple === undefined) return;
  const ids = group.survivors.map(([id]) => id);
  if (!timeIsOver && draft.awaited(group, ids, group.answers).length > 0) return;
  const count = Object.keys(group.answers).length;
  const { roster, tuple, answers } = group;
  if (count < roster.threshold) {
    return draft.lose(number, group, `${count} participants sent shares to unmask, ${roster.threshold} are needed.`);
  }
  draft.moveGroup(number, index, 'summing', undefined);
  const dealings = dealingsOf(group);
  draft.task('unmask', number, { roster, dealings, survivors: ids, tuple, answers }, { group: index });
}

export function onUnmasked(draft: CoordinatorDraft, number: RoundNumber, index: number): void {
  const group = draft.groupAt(number, index, 'summing')?.group;
  if (group === undefined) return;
  // Kept no longer than needed: with a large group they are the largest part of the state.
  draft.patchGroup(number, index, { answers: onlyKeys(group.answers), shares: {} });
  draft.moveGroup(number, index, 'summed', undefined);
}

/** Who answered, without what. */
function onlyKeys(answers: CoordinatorGroup['answers']): CoordinatorGroup['answers'] {
  const nothing = { selfShares: [], keyShares: [] };
  return Object.fromEntries(Object.keys(answers).map((id) => [id, nothing]));
}

export function onUnmaskFailed(draft: CoordinatorDraft, number: RoundNumber, index: number, error: HushError): void {
  const group = draft.groupAt(number, index, 'summing')?.group;
  if (group === undefined) return;
  if (error instanceof DealerFault) {
    draft.patch({ excluded: [...draft.state.excluded, error.dealer] });
    draft.log(`Round ${number}: participant ${error.dealer} dealt false shares and is left out from now on.`, 'bad');
  }
  draft.lose(number, group, error.message);
}
