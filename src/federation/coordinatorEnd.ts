/** Steps 6 and 7 as the coordinator takes them: result, confirmations, record; and what becomes of abandoned rounds. */
import type { HushError } from '../core/errors.ts';
import type { ParticipantId, RoundNumber, Signature } from '../core/ids.ts';
import { isOver, membersOf } from './coordinatorDraft.ts';
import type { CoordinatorDraft } from './coordinatorDraft.ts';
import type { CoordinatorRound, CoordinatorTasks, RoundMetrics } from './coordinatorState.ts';
import { byId } from './memberSets.ts';
import { pointOf } from './measured.ts';
import type { Body } from './messages.ts';
import type { CompleteBody } from './record.ts';
import { DealerFault } from './unmasking.ts';

export function onUnmasked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  { applied, packedSum }: CoordinatorTasks['unmask']['output'],
): void {
  const round = draft.roundAt(number, 'summing');
  if (!round?.roster || round.modelHash === undefined) return;
  draft.patchRound(number, { applied });
  draft.move(number, 'confirming', draft.state.plan.aggregation.deadlines.confirmMs);
  // To everyone, so that whoever joined meanwhile moves on too.
  draft.sendTo('all', 'result', number, {
    kind: round.kind,
    modelHash: round.modelHash,
    groupSize: round.roster.members.length,
    survivors: round.survivors.length,
    packedSum,
  });
}

export function onUnmaskFailed(draft: CoordinatorDraft, number: RoundNumber, error: HushError): void {
  const round = draft.roundAt(number, 'summing');
  if (round === undefined) return;
  if (error instanceof DealerFault) {
    draft.patch({ excluded: [...draft.state.excluded, error.dealer] });
    draft.log(`Round ${number}: participant ${error.dealer} dealt false shares and is left out from now on.`, 'bad');
  }
  draft.abandon(round, error.message);
}

export function onConfirm(
  draft: CoordinatorDraft,
  id: ParticipantId,
  number: RoundNumber,
  body: Body<'confirm'>,
): void {
  const round = draft.roundAt(number, 'confirming');
  const key = round?.roster?.members.find((member) => member.id === id)?.publicKey;
  const survived = round?.survivors.some(([other]) => other === id) ?? false;
  if (!round?.applied || key === undefined || !survived || Object.hasOwn(round.confirmations, id)) {
    return draft.refused('round/unexpected-confirmation', id);
  }
  const { applied } = round;
  const prevRecordHash = draft.state.head.recordHash;
  draft.task('checkConfirm', number, { key, body, applied, prevRecordHash }, id);
}

export function onConfirmChecked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  id: ParticipantId,
  signature: Signature | undefined,
): void {
  const round = draft.roundAt(number, 'confirming');
  if (round === undefined) return;
  if (signature !== undefined) {
    return draft.patchRound(number, { confirmations: { ...round.confirmations, [id]: signature } });
  }
  draft.patchRound(number, { absent: [...round.absent, id] });
  draft.refused('round/confirmation', id);
}

/** Writes the record once every survivor has confirmed, or enough have and the time is over. */
export function closeConfirmation(draft: CoordinatorDraft, timeIsOver: boolean): void {
  const round = draft.state.current;
  if (round?.step !== 'confirming' || !round.roster) return;
  const ids = round.survivors.map(([id]) => id);
  if (!timeIsOver && draft.awaited(round, ids, round.confirmations).length > 0) return;
  const count = Object.keys(round.confirmations).length;
  const needed = round.roster.threshold;
  if (count < needed) return draft.abandon(round, `${count} participants confirmed the result, ${needed} are needed.`);
  const body = recordOf(draft, round);
  if (body === undefined) return;
  draft.move(round.number, 'recording', undefined);
  draft.patch({ sealing: true });
  const confirmations = byId(Object.entries(round.confirmations) as [ParticipantId, Signature][]);
  draft.task('seal', round.number, {
    head: draft.state.head,
    body,
    confirmations,
    metrics: metricsOf(draft, round, body),
  });
}

function recordOf(draft: CoordinatorDraft, round: CoordinatorRound): CompleteBody | undefined {
  const { roster, tuple, applied, modelHash } = round;
  const { head, binding } = draft.state;
  if (!roster || !tuple || !applied || modelHash === undefined) return undefined;
  const { rosterRoot, u1Root, u2Root, sumSpecHash } = tuple;
  const { sumHash, modelHashAfter, totalWeight, figures } = applied;
  return {
    status: 'complete',
    ...binding,
    coordinatorKey: draft.state.ownKey,
    round: round.number,
    prevRecordHash: head.recordHash,
    modelHashBefore: modelHash,
    participants: membersOf(round).map(([id, key]) => [id, key]),
    kind: round.kind,
    completed: head.completed + (round.kind === 'train' ? 1 : 0),
    survivors: round.survivors.map(([id]) => id),
    rosterRoot,
    u1Root,
    u2Root,
    sumSpecHash,
    sumHash,
    modelHashAfter,
    totalWeight,
    figures,
  };
}

function metricsOf(draft: CoordinatorDraft, round: CoordinatorRound, body: CompleteBody): RoundMetrics {
  const sessions = body.survivors.flatMap((id) => draft.session(id) ?? []);
  const trained = sessions.filter((session) => session.trainMs > 0);
  const engines: Record<string, number> = {};
  for (const { engine } of sessions) engines[engine] = (engines[engine] ?? 0) + 1;
  const trainMs = trained.reduce((sum, session) => sum + session.trainMs, 0) / Math.max(1, trained.length);
  return {
    round: round.number,
    kind: round.kind,
    completed: body.completed,
    participants: body.participants.length,
    survivors: body.survivors.length,
    dropouts: body.participants.filter(([id]) => !Object.hasOwn(round.answers, id)).length,
    seconds: (draft.nowMs - (draft.state.sealedMs ?? round.beganMs)) / 1000,
    trainSeconds: trainMs / 1000,
    // The runner, which counts the bytes, fills these in.
    bytesUpPerParticipant: 0,
    bytesDownPerParticipant: 0,
    engines,
    point: pointOf(body),
  };
}

/** Writes what is still to be written of abandoned rounds, in the order of their numbers. */
export function sealAbandoned(draft: CoordinatorDraft): void {
  const { unsealed, sealing, current, binding, head } = draft.state;
  const [first] = [...unsealed].sort((a, b) => a.round - b.round);
  if (first === undefined || sealing) return;
  if (current !== undefined && !isOver(current) && current.number < first.round) return;
  draft.patch({ sealing: true });
  draft.task('seal', first.round, {
    head,
    body: {
      status: 'abandoned',
      ...binding,
      coordinatorKey: draft.state.ownKey,
      round: first.round,
      prevRecordHash: head.recordHash,
      modelHashBefore: head.modelHash,
      participants: first.participants.map(([id, key]) => [id, key]),
      reason: first.reason,
      spent: first.spent,
    },
    confirmations: [],
    metrics: undefined,
  });
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
  draft.patch({ failures: 0, nextCallMs: 0 });
  draft.patch({ curve: [...draft.state.curve, pointOf(body)] });
  draft.move(number, 'done', undefined);
  draft.sendTo('all', 'record', number, { record });
  const seconds = metrics === undefined ? '' : `, ${metrics.seconds.toFixed(1)} s`;
  draft.log(
    `Round ${number} is in the ledger: ${body.survivors.length} of ${body.participants.length} updates${seconds}.`,
    'good',
  );
  if (body.kind !== 'evaluate') return;
  draft.patch({ phase: 'finished' });
  draft.log('All rounds are done.', 'good');
  draft.sendTo('all', 'end', number, { reason: 'All rounds are done.' });
}
