/** Steps 6 and 7 as the coordinator takes them: total, result, confirmations, record; and what becomes of abandoned rounds. */
import type { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId, RoundNumber, Signature } from '../core/ids.ts';
import { threshold } from '../core/plan.ts';
import { statisticsView } from '../core/statistics.ts';
import { confirmationOf } from './confirmation.ts';
import { isOver, membersOf, participantsOf } from './coordinatorDraft.ts';
import type { CoordinatorDraft } from './coordinatorDraft.ts';
import { keyOfSurvivor } from './coordinatorRound.ts';
import type { CoordinatorGroup, CoordinatorRound } from './coordinatorRounds.ts';
import type { CoordinatorTasks, RoundMetrics, Unsealed } from './coordinatorState.ts';
import { byId } from './memberSets.ts';
import { curveOf, earlyEndOf, pointOf } from './measured.ts';
import type { Body } from './messages.ts';
import { sheetHashOf } from './record.ts';
import type { CompleteBody, GroupEntry, LedgerRecord, Sheet } from './record.ts';

/** Adds up what the groups gave, once none is under way any more. */
export function combine(draft: CoordinatorDraft): void {
  const round = draft.state.current;
  if (round?.step !== 'running') return;
  if (!round.groups.every(({ step }) => step === 'summed' || step === 'lost')) return;
  const { members, survivors } = totals(round);
  if (survivors === 0) return draft.abandon(round, round.groups.find(({ lost }) => lost)?.lost ?? 'No group is left.');
  draft.move(round.number, 'combining', undefined);
  draft.task('finish', round.number, { members, survivors });
}

function summed(round: CoordinatorRound): readonly CoordinatorGroup[] {
  return round.groups.filter(({ step }) => step === 'summed');
}

function totals(round: CoordinatorRound): { readonly members: number; readonly survivors: number } {
  const groups = summed(round);
  return {
    members: groups.reduce((sum, { roster }) => sum + roster.members.length, 0),
    survivors: groups.reduce((sum, { survivors }) => sum + survivors.length, 0),
  };
}

export function onFinished(
  draft: CoordinatorDraft,
  number: RoundNumber,
  { applied, packedSum }: CoordinatorTasks['finish']['output'],
): void {
  const round = draft.roundAt(number, 'combining');
  if (round?.modelHash === undefined) return;
  draft.patchRound(number, { applied });
  draft.move(number, 'confirming', draft.state.plan.aggregation.deadlines.confirmMs);
  const { kind, modelHash } = round;
  // To everyone, so that whoever joined meanwhile moves on too.
  draft.sendTo('all', 'result', number, { kind, modelHash, ...totals(round), packedSum });
}

export function onFinishFailed(draft: CoordinatorDraft, number: RoundNumber, error: HushError): void {
  const round = draft.roundAt(number, 'combining');
  if (round !== undefined) draft.abandon(round, error.message);
}

export function onConfirm(
  draft: CoordinatorDraft,
  id: ParticipantId,
  number: RoundNumber,
  body: Body<'confirm'>,
): void {
  const at = draft.groupOf(number, id, 'summed');
  const key = at && keyOfSurvivor(at.group, id);
  const applied = at?.round.step === 'confirming' ? at.round.applied : undefined;
  const tuple = at?.group.tuple;
  if (!at || !applied || !tuple || key === undefined || Object.hasOwn(at.group.confirmations, id)) {
    return draft.refused('round/unexpected-confirmation', id);
  }
  const result = { ...applied, sumSpecHash: tuple.sumSpecHash };
  const confirmation = confirmationOf(result, draft.state.head.recordHash, tuple, sheetHashOfSummed(at.group));
  draft.task('checkConfirm', number, { key, body, confirmation }, { about: id });
}

/** The part of a group's sheet that is hashed. */
function peopleOf(group: CoordinatorGroup): Pick<Sheet, 'participants' | 'survivors'> {
  const survivors = group.step === 'summed' ? group.survivors.map(([id]) => id) : [];
  return { participants: participantsOf(group), survivors };
}

/** By the survivors, which are fixed: everyone's confirmation is over the same sheet. */
const sheetHashes = new WeakMap<CoordinatorGroup['survivors'], Hash>();

function sheetHashOfSummed(group: CoordinatorGroup): Hash {
  const hash = sheetHashes.get(group.survivors) ?? sheetHashOf(peopleOf(group));
  sheetHashes.set(group.survivors, hash);
  return hash;
}

export function onConfirmChecked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  id: ParticipantId,
  signature: Signature | undefined,
): void {
  const group = draft.groupOf(number, id, 'summed')?.group;
  if (group === undefined || draft.roundAt(number, 'confirming') === undefined) return;
  if (signature !== undefined) {
    return draft.patchGroup(number, group.index, { confirmations: { ...group.confirmations, [id]: signature } });
  }
  draft.absent(number, group, id);
  draft.refused('round/confirmation', id);
}

/** Writes the record once every survivor has confirmed, of which `changed` was the last, or enough have and the time is over. */
export function closeConfirmation(draft: CoordinatorDraft, changed: CoordinatorGroup | 'time is over'): void {
  const round = draft.state.current;
  if (round?.step !== 'confirming') return;
  const groups = summed(round);
  const isMissing = (group: CoordinatorGroup): boolean => {
    const ids = group.survivors.map(([id]) => id);
    return draft.awaited(group, ids, group.confirmations).length > 0;
  };
  if (changed !== 'time is over' && (isMissing(changed) || groups.some(isMissing))) return;
  const count = groups.reduce((sum, { confirmations }) => sum + Object.keys(confirmations).length, 0);
  const needed = threshold(draft.state.plan.security.mode, totals(round).members);
  if (count < needed) return draft.abandon(round, `${count} participants confirmed the result, ${needed} are needed.`);
  const body = recordOf(draft, round);
  if (body === undefined) return;
  draft.move(round.number, 'recording', undefined);
  draft.patch({ sealing: true });
  const sheets = round.groups
    .filter(({ roster }) => roster.members.length > 0)
    .map((group): Sheet => {
      const confirmations = byId(Object.entries(group.confirmations) as [ParticipantId, Signature][]);
      const { participants, survivors } = peopleOf(group);
      return { participants: [...participants], survivors: [...survivors], confirmations };
    });
  const metrics = metricsOf(draft, round, body);
  draft.task('seal', round.number, { head: draft.state.head, body, sheets, metrics });
}

function recordOf(draft: CoordinatorDraft, round: CoordinatorRound): CompleteBody | undefined {
  const { applied, modelHash, sumSpecHash } = round;
  const { head, binding } = draft.state;
  if (applied === undefined || modelHash === undefined || sumSpecHash === undefined) return undefined;
  const { sumHash, modelHashAfter, totalWeight, figures, statistics } = applied;
  return {
    status: 'complete',
    ...binding,
    coordinatorKey: draft.state.ownKey,
    round: round.number,
    prevRecordHash: head.recordHash,
    modelHashBefore: modelHash,
    kind: round.kind,
    completed: head.completed + (round.kind === 'train' ? 1 : 0),
    ...(round.draw === undefined ? {} : { draw: round.draw }),
    groups: round.groups.map(entryOf),
    ...totals(round),
    sumSpecHash,
    sumHash,
    modelHashAfter,
    totalWeight,
    figures,
    ...(statistics && {
      statistics: { ...statistics, features: [...statistics.features], counts: [...statistics.counts] },
    }),
  };
}

function entryOf(group: CoordinatorGroup): GroupEntry {
  const { index, roster, tuple, survivors, spent, lost } = group;
  const common = {
    group: index,
    rosterRoot: roster.rosterRoot,
    members: roster.members.length,
    sheetHash: sheetHashOf(peopleOf(group)),
  };
  if (group.step !== 'summed' || tuple === undefined) {
    return { status: 'lost', ...common, reason: lost ?? 'given up', spent };
  }
  const { u1Root, u2Root } = tuple;
  return { status: 'summed', ...common, u1Root, u2Root, survivors: survivors.length };
}

function metricsOf(draft: CoordinatorDraft, round: CoordinatorRound, body: CompleteBody): RoundMetrics {
  const survivors = summed(round).flatMap((group) => group.survivors.map(([id]) => id));
  const sessions = survivors.flatMap((id) => draft.session(id) ?? []);
  const trained = sessions.filter((session) => session.trainMs > 0);
  const engines: Record<string, number> = {};
  for (const { engine } of sessions) engines[engine] = (engines[engine] ?? 0) + 1;
  const trainMs = trained.reduce((sum, session) => sum + session.trainMs, 0) / Math.max(1, trained.length);
  const participants = membersOf(round).length;
  const answered = round.groups.reduce((sum, { answers }) => sum + Object.keys(answers).length, 0);
  return {
    round: round.number,
    kind: round.kind,
    completed: body.completed,
    participants,
    survivors: survivors.length,
    dropouts: participants - answered,
    seconds: (draft.nowMs - (draft.state.sealedMs ?? round.beganMs)) / 1000,
    trainSeconds: trainMs / 1000,
    // The runner, which counts the bytes, fills these in.
    bytesUpPerParticipant: 0,
    bytesDownPerParticipant: 0,
    engines,
    point: pointOf(body, draft.state.plan),
    ...(body.statistics && { statistics: statisticsView(draft.state.plan, body.statistics) }),
  };
}

/** Writes what is still to be written of abandoned rounds, in the order of their numbers. */
export function sealAbandoned(draft: CoordinatorDraft): void {
  const { unsealed, sealing, current, binding, head } = draft.state;
  if (unsealed.length === 0 || sealing) return;
  const first = unsealed.reduce((least, entry) => (entry.round < least.round ? entry : least));
  if (current !== undefined && !isOver(current) && current.number < first.round) return;
  draft.patch({ sealing: true });
  const sheet = abandonedSheet(first);
  draft.task('seal', first.round, {
    head,
    body: {
      status: 'abandoned',
      ...binding,
      coordinatorKey: draft.state.ownKey,
      round: first.round,
      prevRecordHash: head.recordHash,
      modelHashBefore: head.modelHash,
      members: sheet.participants.length,
      sheetHash: sheetHashOf(sheet),
      reason: first.reason,
      spent: first.spent,
    },
    sheets: [sheet],
    metrics: undefined,
  });
}

function abandonedSheet({ participants }: Unsealed): Sheet {
  return { participants: participants.map(([id, key]) => [id, key]), survivors: [], confirmations: [] };
}

export function onSealed(
  draft: CoordinatorDraft,
  number: RoundNumber,
  { head, record, metrics }: CoordinatorTasks['seal']['output'],
): void {
  draft.patch({ head, sealing: false, sealedMs: draft.nowMs });
  const { body } = record;
  if (body.status === 'abandoned') {
    draft.patch({ unsealed: draft.state.unsealed.filter((entry) => entry.round !== number) });
    return draft.sendTo('all', 'abandon', number, { reason: body.reason, record });
  }
  if (metrics !== undefined) draft.patch({ metrics: [...draft.state.metrics, metrics] });
  const sizes = body.groups.flatMap((group) => (group.status === 'summed' ? [group.survivors] : []));
  draft.patch({ failures: 0, nextCallMs: 0, smallestGroup: Math.min(...sizes) });
  draft.patch({ curve: [...draft.state.curve, ...curveOf(record, draft.state.plan)] });
  const round = draft.roundAt(number, 'recording');
  draft.move(number, 'done', undefined);
  tell(draft, number, record, round);
  const seconds = metrics === undefined ? '' : `, ${metrics.seconds.toFixed(1)} s`;
  draft.log(`Round ${number} is in the ledger: ${body.survivors} of ${body.members} updates${seconds}.`, 'good');
  if (body.kind !== 'evaluate') return;
  draft.patch({ phase: 'finished' });
  const reason = earlyEndOf(draft.state.plan, head) ?? 'All rounds are done.';
  draft.log(reason, 'good');
  draft.sendTo('all', 'end', number, { reason });
}

/** Survivors get the sheet of their own group, which is enough for them; everyone else gets all. */
function tell(
  draft: CoordinatorDraft,
  number: RoundNumber,
  record: LedgerRecord,
  round: CoordinatorRound | undefined,
): void {
  if (record.sheets.length <= 1 || round === undefined) return draft.sendTo('all', 'record', number, { record });
  const others = new Set(draft.state.sessions.keys());
  for (const sheet of record.sheets) {
    const signed = new Set(sheet.confirmations.map(([id]) => id));
    const enough = signed.size >= threshold(draft.state.plan.security.mode, sheet.participants.length);
    if (!enough || sheet.survivors.length === 0) continue;
    for (const id of sheet.survivors) others.delete(id);
    draft.sendTo(sheet.survivors, 'record', number, { record: { ...record, sheets: [sheet] } });
  }
  draft.sendTo([...others], 'record', number, { record });
}
