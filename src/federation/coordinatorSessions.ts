/** Who is connected to a coordinator: coming, going, and what that means for the rounds under way. */
import type { ChannelId, ParticipantId, RoundNumber } from '../core/ids.ts';
import { isOver } from './coordinatorDraft.ts';
import type { CoordinatorDraft } from './coordinatorDraft.ts';
import { callNewcomer } from './coordinatorKeys.ts';
import { countPreparing } from './coordinatorState.ts';
import type { Session } from './coordinatorState.ts';
import { PROTOCOL_VERSION } from './messages.ts';
import type { Body } from './messages.ts';

/** A guard further ahead than stale storage explains is a lie that would use the numbers up. */
const MAX_GUARD_LEAD = 10_000;

export function onGreeted(draft: CoordinatorDraft, channel: ChannelId, id: ParticipantId, hello: Body<'hello'>): void {
  const before = draft.session(id);
  if (before !== undefined) {
    // The same identity on a new channel: its tab was reloaded, or its network changed.
    draft.effect({ effect: 'close', channel: before.channel });
    dropSession(draft, before);
  }
  const { head, shards, phase, nextRound, sessions, preparing, channels } = draft.state;
  // None is ever given back, so the next one free is their number.
  const shard = shards.get(id) ?? shards.size;
  const session: Session = {
    channel,
    id,
    publicKey: hello.publicKey,
    shard,
    phase: 'preparing',
    fraction: 0,
    fetching: false,
    engine: '',
    samples: 0,
    trainMs: 0,
    guardRound: 0,
  };
  draft.patch({
    sessions: sessions.set(id, session),
    preparing: preparing + countPreparing(session),
    channels: channels.set(channel, id),
    shards: shards.set(id, shard),
  });
  draft.log(`${id.slice(0, 8)} is here.`);
  draft.sendTo([id], 'welcome', 0, {
    version: PROTOCOL_VERSION,
    nonce: hello.ownNonce,
    shard,
    records: head.records,
    head: head.recordHash,
    round: nextRound,
    finished: phase === 'finished',
  });
  callNewcomer(draft, session);
}

export function sessionOn(draft: CoordinatorDraft, channel: ChannelId): Session | undefined {
  const id = draft.state.channels.get(channel);
  return id === undefined ? undefined : draft.session(id);
}

export function onClosed(draft: CoordinatorDraft, channel: ChannelId, reason: string): void {
  const session = sessionOn(draft, channel);
  if (session === undefined) return;
  draft.log(`${session.id.slice(0, 8)} left: ${reason}.`, 'warn');
  dropSession(draft, session);
}

function dropSession(draft: CoordinatorDraft, session: Session): void {
  const { id, channel } = session;
  const { sessions, preparing, channels } = draft.state;
  draft.patch({
    sessions: sessions.delete(id),
    preparing: preparing - countPreparing(session),
    channels: channels.delete(channel),
  });
  for (const round of [draft.state.current, draft.state.upcoming]) {
    if (round === undefined || isOver(round)) continue;
    // Its keys are gone: an advert that was not dealt for yet is taken back.
    if (round.step === 'adverts') draft.patchRound(round.number, { adverts: round.adverts.delete(id) });
    markAbsent(draft, id, round.number);
  }
}

export function onRefuse(
  draft: CoordinatorDraft,
  { id, guardRound }: Session,
  number: RoundNumber,
  body: Body<'refuse'>,
): void {
  draft.log(`${id.slice(0, 8)} refuses round ${number}: ${body.reason}`, 'warn');
  draft.refused(body.code === 'round/replayed' ? 'round/replayed' : 'round/refused', id);
  if (body.guardRound <= draft.state.nextRound + MAX_GUARD_LEAD) {
    draft.patchSession(id, { guardRound: Math.max(guardRound, body.guardRound) });
  }
  markAbsent(draft, id, number);
}

/** Not waited for any more in that round. */
function markAbsent(draft: CoordinatorDraft, id: ParticipantId, number: RoundNumber): void {
  const round = draft.roundAt(number, 'adverts', 'revealing');
  if (round?.awaited.has(id)) draft.patchRound(number, { awaited: round.awaited.delete(id) });
  const at = draft.groupOf(number, id, 'sharing', 'ready', 'training', 'agreeing', 'marking', 'unmasking', 'summed');
  if (at !== undefined) draft.absent(number, at.group, id);
}
