/** Founding a federation, and taking a stored one up again after its tab was closed. */
import { toHex } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Hash } from '../core/ids.ts';
import { parsePlan } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import type { Clock, Random } from '../core/ports.ts';
import { federationIdOf, hashOf } from '../crypto/hash.ts';
import { createIdentity } from '../crypto/identity.ts';
import type { Identity } from '../crypto/identity.ts';
import { initialCoordinator } from './coordinatorState.ts';
import type { CoordinatorState, Unsealed } from './coordinatorState.ts';
import type { FederationDeed, StoredFederation } from './coordinatorStore.ts';
import { secretOf } from './invite.ts';
import { verifyLedger } from './ledger.ts';
import { pointOf } from './measured.ts';
import type { LedgerRecord } from './record.ts';

/** @throws HushError `plan/…` when the plan is not valid. */
export async function foundFederation(planBytes: Bytes, random: Random, clock: Clock): Promise<FederationDeed> {
  const { plan } = parsePlan(planBytes);
  const identity = await createIdentity();
  const planHash: Hash = hashOf(planBytes);
  return {
    federation: federationIdOf(identity.publicKey, planHash, random.bytes(16)),
    planBytes,
    planHash,
    name: plan.name,
    keyPair: identity.keyPair,
    secret: secretOf(random),
    address: toHex(random.bytes(16)),
    launchedMs: clock.nowMs(),
    rounds: plan.aggregation.rounds,
  };
}

/** The state that a stored federation goes on from; a round that was under way is given up. */
export async function restoreCoordinator(
  stored: StoredFederation,
  plan: Plan,
  identity: Identity,
  initialModelHash: Hash,
): Promise<{ readonly state: CoordinatorState; readonly records: readonly LedgerRecord[] }> {
  const { deed, records, metrics, mark, shards } = stored;
  const binding = { federation: deed.federation, planHash: deed.planHash };
  const context = { binding, coordinatorKey: identity.publicKey, plan };
  const head = await verifyLedger(context, initialModelHash, records);
  const bodies = records.map(({ body }) => body);
  const last = bodies.at(-1);
  const underWay = mark !== undefined && mark.round > head.round;
  const unsealed: readonly Unsealed[] = underWay
    ? [
        {
          round: mark.round,
          participants: [],
          reason: 'The coordinator was closed during the round.',
          spent: mark.spent,
        },
      ]
    : [];
  return {
    records,
    state: initialCoordinator({
      own: identity.id,
      ownKey: identity.publicKey,
      binding,
      plan,
      head,
      finished: last?.status === 'complete' && last.kind === 'evaluate',
      nextRound: Math.max(head.round, mark?.round ?? 0) + 1,
      unsealed,
      shards,
      metrics,
      curve: bodies.flatMap((body) => (body.status === 'complete' ? [pointOf(body)] : [])),
    }),
  };
}
