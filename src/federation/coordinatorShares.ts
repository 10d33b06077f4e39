/** Step 2 as the coordinator takes it, in each group: shares, delivery, complaints about boxes that do not open. */
import type { Bytes } from '../core/bytes.ts';
import type { ParticipantId, RoundNumber } from '../core/ids.ts';
import { dealingsOf } from './coordinatorDraft.ts';
import type { CoordinatorDraft } from './coordinatorDraft.ts';
import type { CoordinatorGroup } from './coordinatorRounds.ts';
import { u1RootOf } from './memberSets.ts';
import type { Body } from './messages.ts';

export function onShare(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber, body: Body<'share'>): void {
  const at = draft.groupOf(number, id, 'sharing');
  if (at === undefined || Object.hasOwn(at.group.shares, id)) return draft.refused('round/unexpected-share', id);
  draft.task('checkShare', number, { roster: at.group.roster, body }, { about: id });
}

export function onShareChecked(
  draft: CoordinatorDraft,
  number: RoundNumber,
  id: ParticipantId,
  body: Body<'share'> | undefined,
): void {
  const group = draft.groupOf(number, id, 'sharing')?.group;
  if (group === undefined) return;
  if (body !== undefined) return draft.patchGroup(number, group.index, { shares: { ...group.shares, [id]: body } });
  draft.absent(number, group, id);
  draft.refused('round/share', id);
}

/** Delivers the boxes once every member has shared, or the time for it is over. */
export function deliver(draft: CoordinatorDraft, number: RoundNumber, index: number, timeIsOver: boolean): void {
  const group = draft.groupAt(number, index, 'sharing')?.group;
  if (group === undefined) return;
  const members = group.roster.members.map(({ id }) => id);
  if (!timeIsOver && draft.awaited(group, members, group.shares).length > 0) return;
  const u1 = members.filter((id) => Object.hasOwn(group.shares, id));
  const needed = draft.quorumOf(group);
  if (u1.length < needed) {
    return draft.lose(number, group, `${u1.length} of ${members.length} sent their shares, ${needed} are needed.`);
  }
  const shared: CoordinatorGroup = { ...group, u1 };
  const dealings = dealingsOf(shared);
  // Boxes go to their holders and stay with nobody else: of all that a group sends before it trains, they take the most.
  const shares = Object.fromEntries(u1.flatMap((id) => withoutBoxes(id, group.shares[id])));
  draft.patchGroup(number, index, { u1, u1Root: u1RootOf(dealings), shares });
  draft.moveGroup(number, index, 'ready', undefined);
  const boxesOf = boxesByHolder(shared);
  for (const to of u1) draft.sendTo([to], 'deliver', number, { dealings, boxes: boxesOf.get(to) ?? [] });
}

function withoutBoxes(id: ParticipantId, share: Body<'share'> | undefined): [ParticipantId, Body<'share'>][] {
  return share === undefined ? [] : [[id, { ...share, boxes: [] }]];
}

function boxesByHolder({ u1, shares }: CoordinatorGroup): ReadonlyMap<ParticipantId, [ParticipantId, Bytes][]> {
  const byHolder = new Map(u1.map((id): [ParticipantId, [ParticipantId, Bytes][]] => [id, []]));
  for (const from of u1) {
    for (const [holder, box] of shares[from]?.boxes ?? []) byHolder.get(holder)?.push([from, box]);
  }
  return byHolder;
}

/** A dealer of whom more holders complain than may be missing could not be unmasked: it is named and left out. */
export function onComplain(
  draft: CoordinatorDraft,
  id: ParticipantId,
  number: RoundNumber,
  body: Body<'complain'>,
): void {
  const group = draft.groupOf(number, id, 'ready', 'training')?.group;
  if (!group?.u1.includes(id)) return draft.refused('round/unexpected-complaint', id);
  const complaints: Record<ParticipantId, readonly ParticipantId[]> = { ...group.complaints };
  for (const dealer of body.dealers) {
    if (!group.u1.includes(dealer)) continue;
    complaints[dealer] = [...new Set([...(complaints[dealer] ?? []), id])];
  }
  draft.patchGroup(number, group.index, { complaints });
  const spare = group.roster.members.length - group.roster.threshold;
  const guilty = group.u1.filter((dealer) => (complaints[dealer]?.length ?? 0) > spare);
  if (guilty.length === 0) return;
  draft.patch({ excluded: [...draft.state.excluded, ...guilty] });
  draft.log(`Round ${number}: the shares from ${guilty.join(', ')} do not open; left out from now on.`, 'bad');
  draft.lose(number, group, `The shares from ${guilty.length} of ${group.u1.length} do not open.`);
}
