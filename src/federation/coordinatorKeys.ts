/** Steps 0 to 2 as the coordinator takes them: call, adverts, roster, shares, delivery. */
import { ownBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { ParticipantId, RoundNumber } from '../core/ids.ts';
import { MAX_GROUP } from '../core/plan.ts';
import { dealingsOf, isOver, stepTimer } from './coordinatorDraft.ts';
import type { CoordinatorDraft } from './coordinatorDraft.ts';
import { emptyRound } from './coordinatorState.ts';
import type { CoordinatorRound, Session } from './coordinatorState.ts';
import { u1RootOf } from './memberSets.ts';
import type { AdvertBody, Body } from './messages.ts';
import type { Roster } from './roster.ts';

/** How long the call stays open for newcomers while a round trains, as a part of the last training time. */
const CALL_SHARE_OF_TRAINING = 0.85;

/** Opens the next round's call when there is a next round, nobody is called yet, and enough people are here. */
export function callNext(draft: CoordinatorDraft): void {
  const { state } = draft;
  if (state.upcoming !== undefined && !isOver(state.upcoming)) return;
  if (state.phase === 'finished' || state.paused) return;
  // Only a round that measures ends a run, and only if it completes.
  if (!isOver(state.current) && (state.current?.kind === 'evaluate' || state.current?.step !== 'training')) return;
  const here = draft.eligible().length;
  if (!state.started && here >= state.plan.aggregation.cohort.target) draft.patch({ started: true });
  if (!draft.state.started || here < draft.minimum) return;
  if (draft.nowMs < state.nextCallMs) return;
  const guards = Object.values(state.sessions).map((session) => session.guardRound + 1);
  const number = Math.max(state.nextRound, ...guards);
  draft.patch({ nextRound: number + 1, upcoming: emptyRound(number, draft.nowMs), phase: 'running' });
  draft.task('mark', number, { round: number, stage: 'called', participants: [] });
}

/** The round is stored: the call may go out. */
export function onCalled(draft: CoordinatorDraft, number: RoundNumber): void {
  const round = draft.roundAt(number, 'adverts');
  if (round === undefined) return;
  const { advertMs } = draft.state.plan.aggregation.deadlines;
  draft.move(number, 'adverts', advertMs);
  draft.effect({ effect: 'timer', name: `linger ${number}`, delayMs: lingerMs(draft) });
  draft.sendTo(
    draft.eligible().map(({ id }) => id),
    'call',
    number,
    { deadlineMs: advertMs },
  );
}

/** Somebody who came while the call is open is called too. */
export function callNewcomer(draft: CoordinatorDraft, session: Session): void {
  const { upcoming, excluded } = draft.state;
  if (upcoming?.step !== 'adverts' || upcoming.untilMs === undefined || excluded.includes(session.id)) return;
  draft.sendTo([session.id], 'call', upcoming.number, { deadlineMs: Math.max(0, upcoming.untilMs - draft.nowMs) });
}

function lingerMs(draft: CoordinatorDraft): number {
  const { current, lastTrainMs, plan } = draft.state;
  if (isOver(current)) return 0;
  return Math.min(plan.aggregation.deadlines.advertMs, CALL_SHARE_OF_TRAINING * lastTrainMs);
}

export function onAdvert(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: Body<'advert'>): void {
  const round = draft.roundAt(number, 'adverts');
  if (round === undefined || Object.hasOwn(round.adverts, id)) return draft.refused('round/unexpected-advert', id);
  draft.task('checkAdvert', number, body, id);
}

/** An advert that does not hold, or uses somebody else's key, costs its sender this round. */
export function onAdvertChecked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  id: ParticipantId,
  advert: AdvertBody | undefined,
): void {
  const round = draft.roundAt(number, 'adverts');
  if (round === undefined) return;
  const taken = new Set<string>(Object.values(round.adverts).flatMap(keysOf));
  if (advert !== undefined && !keysOf(advert).some((key) => taken.has(key))) {
    return draft.patchRound(number, { adverts: { ...round.adverts, [id]: advert } });
  }
  draft.patchRound(number, { absent: [...round.absent, id] });
  draft.refused('round/advert', id);
}

function keysOf({ publicKey, boxKey, maskKey }: AdvertBody): readonly string[] {
  return [publicKey, boxKey, maskKey];
}

/** Closes the call once everybody called has answered, or its time is over. */
export function closeCall(draft: CoordinatorDraft, timeIsOver: boolean): void {
  const round = draft.state.upcoming;
  if (round?.step !== 'adverts' || round.untilMs === undefined) return;
  const guard = Math.max(...Object.values(draft.state.sessions).map((session) => session.guardRound));
  if (round.number <= guard) {
    // Stale storage: others remember rounds that are forgotten here. The next call gets a number above theirs.
    draft.log(`Round ${round.number} was served before; going on above round ${guard}.`, 'warn');
    return dropCall(draft, round);
  }
  const adverts = Object.values(round.adverts);
  const called = draft.eligible().map(({ id }) => id);
  if (!timeIsOver) {
    if (draft.awaited(round, called, round.adverts).length > 0) return;
    if (adverts.length < draft.minimum || draft.nowMs < round.stepSinceMs + lingerMs(draft)) return;
  } else if (adverts.length < draft.minimum) {
    draft.log(`Round ${round.number}: too few sent their keys; calling again.`, 'warn');
    return dropCall(draft, round);
  }
  draft.move(round.number, 'rostering', undefined);
  draft.task('makeRoster', round.number, adverts.slice(0, MAX_GROUP));
}

/** Nothing was shared yet, so nothing is recorded: the next call has another number, for whoever is here then. */
function dropCall(draft: CoordinatorDraft, round: CoordinatorRound): void {
  draft.effect({ effect: 'cancel-timer', name: stepTimer(round.number) });
  draft.sendTo('all', 'abandon', round.number, { reason: 'Too few people sent their keys.' });
  draft.patch({ upcoming: undefined });
  draft.restBeforeNext();
}

/** A dealer of whom more holders complain than may be missing could not be unmasked: it is named and left out. */
export function onComplain(
  draft: CoordinatorDraft,
  id: ParticipantId,
  number: RoundNumber,
  body: Body<'complain'>,
): void {
  const round = draft.roundAt(number, 'ready', 'training');
  if (!round?.roster || !round.u1.includes(id)) return draft.refused('round/unexpected-complaint', id);
  const complaints: Record<ParticipantId, readonly ParticipantId[]> = { ...round.complaints };
  for (const dealer of body.dealers) {
    if (!round.u1.includes(dealer)) continue;
    complaints[dealer] = [...new Set([...(complaints[dealer] ?? []), id])];
  }
  draft.patchRound(number, { complaints });
  const spare = round.roster.members.length - round.roster.threshold;
  const guilty = round.u1.filter((dealer) => (complaints[dealer]?.length ?? 0) > spare);
  if (guilty.length === 0) return;
  draft.patch({ excluded: [...draft.state.excluded, ...guilty] });
  draft.log(`Round ${number}: the shares from ${guilty.join(', ')} do not open; left out from now on.`, 'bad');
  draft.abandon({ ...round, complaints }, `The shares from ${guilty.length} of ${round.u1.length} do not open.`);
}

export function onRosterMade(draft: CoordinatorDraft, number: RoundNumber, roster: Roster): void {
  const round = draft.roundAt(number, 'rostering');
  if (round === undefined) return;
  draft.patchRound(number, { roster });
  draft.move(number, 'sharing', draft.state.plan.aggregation.deadlines.shareMs);
  const members = roster.members.map(({ id }) => id);
  const adverts = members.flatMap((id) => {
    const advert = round.adverts[id];
    return advert === undefined ? [] : [advert];
  });
  draft.sendTo(members, 'roster', number, { adverts });
}

export function onShare(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: Body<'share'>): void {
  const round = draft.roundAt(number, 'sharing');
  const known = round?.roster?.members.some((member) => member.id === id) ?? false;
  if (!round?.roster || !known || Object.hasOwn(round.shares, id)) return draft.refused('round/unexpected-share', id);
  draft.task('checkShare', number, { roster: round.roster, body }, id);
}

export function onShareChecked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  id: ParticipantId,
  body: Body<'share'> | undefined,
): void {
  const round = draft.roundAt(number, 'sharing');
  if (round === undefined) return;
  if (body !== undefined) return draft.patchRound(number, { shares: { ...round.shares, [id]: body } });
  draft.patchRound(number, { absent: [...round.absent, id] });
  draft.refused('round/share', id);
}

/** Delivers the boxes once every member has shared, or the time for it is over. */
export function deliver(draft: CoordinatorDraft, timeIsOver: boolean): void {
  const round = draft.state.upcoming;
  if (round?.step !== 'sharing' || round.roster === undefined) return;
  const members = round.roster.members.map(({ id }) => id);
  if (!timeIsOver && draft.awaited(round, members, round.shares).length > 0) return;
  const u1 = members.filter((id) => Object.hasOwn(round.shares, id));
  const needed = draft.quorumOf(round);
  if (u1.length < needed) {
    return draft.abandon(round, `${u1.length} of ${members.length} sent their shares, ${needed} are needed.`);
  }
  const shared: CoordinatorRound = { ...round, u1 };
  const dealings = dealingsOf(shared);
  draft.patchRound(round.number, { u1, u1Root: u1RootOf(dealings) });
  draft.move(round.number, 'ready', undefined);
  for (const to of u1) {
    const boxes = u1.flatMap((from): [ParticipantId, Bytes][] => {
      const box = round.shares[from]?.boxes.find(([holder]) => holder === to);
      return box === undefined ? [] : [[from, ownBytes(box[1])]];
    });
    draft.sendTo([to], 'deliver', round.number, { dealings, boxes });
  }
}
