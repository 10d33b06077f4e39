/** Steps 0 to 1g as the coordinator takes them: call, adverts, cohort, reveals, groups. */
import { ownBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { ParticipantId, RoundNumber } from '../core/ids.ts';
import { IdMap } from '../core/idMap.ts';
import { MAX_COHORT, MAX_GROUP } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { ringBits, trainingSumSpec } from '../core/sumSpec.ts';
import { isOver, stepTimer } from './coordinatorDraft.ts';
import type { CoordinatorDraft } from './coordinatorDraft.ts';
import { emptyGroup, emptyRound } from './coordinatorRounds.ts';
import type { CoordinatorRound } from './coordinatorRounds.ts';
import type { Session } from './coordinatorState.ts';
import { commitmentOf, groupSizeProblem } from './groups.ts';
import type { Draw } from './groups.ts';
import type { AdvertBody, Body } from './messages.ts';
import { keysOf } from './roster.ts';
import type { CheckedAdvert, Cohort } from './roster.ts';

/** How long the call stays open for newcomers while a round trains, as a part of the last training time. */
const CALL_SHARE_OF_TRAINING = 0.85;

/** Opens the next round's call when there is a next round, nobody is called yet, and enough people are here. */
export function callNext(draft: CoordinatorDraft): void {
  const { state } = draft;
  const { cohort } = state.plan.aggregation;
  if (state.upcoming !== undefined && !isOver(state.upcoming)) return;
  if (state.phase === 'finished' || state.paused) return;
  // Only a round that measures ends a run, and only if it completes.
  if (!isOver(state.current) && (state.current?.kind === 'evaluate' || !isTraining(state.current))) return;
  const ready = state.sessions.size - (draft.waitsForReady ? state.preparing : 0);
  if (ready < (state.started ? draft.minimum : cohort.target) || draft.nowMs < state.nextCallMs) return;
  const here = draft.eligible();
  if (!state.started && here.length >= cohort.target) draft.patch({ started: true });
  if (!draft.state.started || here.length < draft.minimum) return;
  const number = here.reduce((most, { guardRound }) => Math.max(most, guardRound + 1), state.nextRound);
  draft.patch({ nextRound: number + 1, upcoming: emptyRound(number, draft.nowMs), phase: 'running' });
  draft.task('mark', number, { round: number, stage: 'called', participants: [] });
}

/** Some group still trains: then the next round's keys are exchanged meanwhile. */
function isTraining(round: CoordinatorRound | undefined): boolean {
  return round?.step === 'running' && round.groups.some(({ step }) => step === 'training');
}

/** The round is stored: the call may go out. */
export function onCalled(draft: CoordinatorDraft, number: RoundNumber): void {
  const round = draft.roundAt(number, 'adverts');
  if (round === undefined || round.untilMs !== undefined) return;
  const { advertMs } = draft.state.plan.aggregation.deadlines;
  const called = draft.eligible().map(({ id }) => id);
  draft.patchRound(number, { awaited: IdMap.of(called.map((id) => [id, true])) });
  draft.move(number, 'adverts', advertMs);
  draft.effect({ effect: 'timer', name: `linger ${number}`, delayMs: lingerMs(draft) });
  draft.sendTo(called, 'call', number, { deadlineMs: advertMs });
}

/** Somebody who came, or got ready, while the call is open is called too. */
export function callNewcomer(draft: CoordinatorDraft, session: Session): void {
  const { upcoming, excluded } = draft.state;
  if (!draft.isReady(session) || upcoming?.adverts.has(session.id)) return;
  if (upcoming?.step !== 'adverts' || upcoming.untilMs === undefined || excluded.includes(session.id)) return;
  draft.patchRound(upcoming.number, { awaited: upcoming.awaited.set(session.id, true) });
  draft.sendTo([session.id], 'call', upcoming.number, { deadlineMs: Math.max(0, upcoming.untilMs - draft.nowMs) });
}

function lingerMs(draft: CoordinatorDraft): number {
  const { current, lastTrainMs, plan } = draft.state;
  if (isOver(current)) return 0;
  return Math.min(plan.aggregation.deadlines.advertMs, CALL_SHARE_OF_TRAINING * lastTrainMs);
}

export function onAdvert(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: AdvertBody): void {
  const round = draft.roundAt(number, 'adverts');
  if (round === undefined || !round.awaited.has(id)) return draft.refused('round/unexpected-advert', id);
  draft.task('checkAdvert', number, body, { about: id });
}

/**
 * An advert that does not hold costs its sender this round. So does a key that stands in somebody else's advert already: the
 * earlier one stays, or anybody could push others out by copying what they advertised.
 */
export function onAdvertChecked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  id: ParticipantId,
  advert: CheckedAdvert | undefined,
): void {
  const round = draft.roundAt(number, 'adverts');
  if (!round?.awaited.has(id)) return;
  const awaited = round.awaited.delete(id);
  const own = advert === undefined ? [] : keysOf(advert.member);
  if (advert !== undefined && own.every((key) => (round.keys.get(key) ?? id) === id)) {
    const { name } = advert.member;
    if (name !== undefined) draft.patch({ names: draft.state.names.set(id, name) });
    const keys = own.reduce((taken, key) => taken.set(key, id), round.keys);
    return draft.patchRound(number, { awaited, keys, adverts: round.adverts.set(id, advert) });
  }
  draft.patchRound(number, { awaited });
  draft.refused('round/advert', id);
}

/** Closes the call once everybody called has answered, or its time is over. */
export function closeCall(draft: CoordinatorDraft, timeIsOver: boolean): void {
  const round = draft.state.upcoming;
  if (round?.step !== 'adverts' || round.untilMs === undefined) return;
  if (!timeIsOver && round.awaited.size > 0) return;
  const guard = draft.state.sessions.values().reduce((most, { guardRound }) => Math.max(most, guardRound), 0);
  if (round.number <= guard) {
    // Stale storage: others remember rounds that are forgotten here. The next call gets a number above theirs.
    draft.log(`Round ${round.number} was served before; going on above round ${guard}.`, 'warn');
    return dropCall(draft, round);
  }
  if (!timeIsOver && draft.nowMs < round.stepSinceMs + lingerMs(draft)) return;
  // Who was found out since it advertised, by the round that trains meanwhile, is in no further roster either.
  const adverts = round.adverts.values().filter(({ member }) => !draft.state.excluded.includes(member.id));
  if (adverts.length < draft.minimum) {
    if (!timeIsOver) return;
    draft.log(`Round ${round.number}: too few sent their keys; calling again.`, 'warn');
    return dropCall(draft, round);
  }
  draft.move(round.number, 'rostering', undefined);
  const limit = cohortLimit(draft.state.plan);
  const left = adverts.slice(limit).map(({ member }) => member.id);
  draft.sendTo(left, 'abandon', round.number, { reason: `This round is full, with ${limit} people.` });
  draft.task('makeCohort', round.number, adverts.slice(0, limit));
}

/** As many as one group holds; with groups, as many as the words of the total over them have room for. */
function cohortLimit(plan: Plan): number {
  if (plan.aggregation.groupSize === undefined) return MAX_GROUP;
  const spec = trainingSumSpec(plan, 1);
  return Math.min(MAX_COHORT, 2 ** (32 - ringBits(spec, 1)));
}

/** Nothing was shared yet, so nothing is recorded: the next call has another number, for whoever is here then. */
function dropCall(draft: CoordinatorDraft, round: CoordinatorRound): void {
  draft.effect({ effect: 'cancel-timer', name: stepTimer(round.number) });
  draft.sendTo('all', 'abandon', round.number, { reason: 'Too few people sent their keys.' });
  draft.patch({ upcoming: undefined });
  draft.restBeforeNext();
}

/** Everyone in the cohort learns that it is fixed, and then reveals; without groups there is nothing to draw. */
export function onCohortMade(
  draft: CoordinatorDraft,
  number: RoundNumber,
  cohort: Cohort,
  proofs: readonly (readonly Bytes[])[],
): void {
  if (draft.roundAt(number, 'rostering') === undefined) return;
  draft.patchRound(number, { cohort });
  if (draft.state.plan.aggregation.groupSize === undefined) {
    draft.move(number, 'drawing', undefined);
    return draft.task('draw', number, { cohort, reveals: undefined });
  }
  const ids = cohort.adverts.map(({ member }) => member.id);
  draft.patchRound(number, {
    awaited: IdMap.of(ids.filter((id) => draft.session(id) !== undefined).map((id) => [id, true])),
  });
  draft.move(number, 'revealing', draft.state.plan.aggregation.deadlines.advertMs);
  ids.forEach((id, index) => {
    const body = { size: ids.length, advertRoot: cohort.advertRoot, index, proof: [...(proofs[index] ?? [])] };
    draft.sendTo([id], 'cohort', number, body);
  });
}

export function onReveal(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: Body<'reveal'>): void {
  const round = draft.roundAt(number, 'revealing');
  const advert = round?.adverts.get(id)?.advert;
  if (!round?.awaited.has(id) || advert === undefined) return draft.refused('round/unexpected-reveal', id);
  const awaited = round.awaited.delete(id);
  const randomness = ownBytes(body.randomness);
  if (commitmentOf(randomness) === advert.commitment) {
    return draft.patchRound(number, { awaited, reveals: round.reveals.set(id, randomness) });
  }
  draft.patchRound(number, { awaited });
  draft.refused('round/reveal', id);
}

/** Draws the groups once everyone has revealed, or the time for it is over. */
export function closeReveal(draft: CoordinatorDraft, timeIsOver: boolean): void {
  const round = draft.state.upcoming;
  if (round?.step !== 'revealing' || round.cohort === undefined) return;
  if (!timeIsOver && round.awaited.size > 0) return;
  if (round.reveals.size < draft.minimum) {
    draft.log(`Round ${round.number}: too few revealed what they committed to; calling again.`, 'warn');
    return dropCall(draft, round);
  }
  draft.move(round.number, 'drawing', undefined);
  draft.task('draw', round.number, { cohort: round.cohort, reveals: new Map(round.reveals) });
}

/** Each group begins to exchange shares; one that chance made too small or too large is lost at once. */
export function onDrawn(draft: CoordinatorDraft, number: RoundNumber, { entry, groups, draws }: Draw): void {
  const round = draft.roundAt(number, 'drawing');
  if (round === undefined) return;
  const { plan } = draft.state;
  draft.patchRound(number, {
    draw: entry,
    groups: groups.map(({ roster }, index) => emptyGroup(index, roster, draft.nowMs)),
    groupOf: IdMap.of(groups.flatMap(({ roster }, index) => roster.members.map(({ id }) => [id, index] as const))),
  });
  draft.move(number, 'sharing', undefined);
  for (const [id, body] of draws) draft.sendTo([id], 'draw', number, body);
  groups.forEach(({ roster, message }, index) => {
    const { members, place } = roster;
    const problem = place && groupSizeProblem(plan, members.length, place.people, place.groups);
    const group = draft.groupAt(number, index, 'sharing')?.group;
    if (problem !== undefined && group !== undefined) return draft.lose(number, group, `The group has ${problem}.`);
    draft.moveGroup(number, index, 'sharing', plan.aggregation.deadlines.shareMs);
    const ids = members.map(({ id }) => id);
    draft.sendTo(ids, 'roster', number, message);
  });
}
