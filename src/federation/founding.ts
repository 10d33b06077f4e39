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
import { curveOf } from './measured.ts';
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
  const { deed, records, metrics, marks, lastRound, kept } = stored;
  const binding = { federation: deed.federation, planHash: deed.planHash };
  const context = { binding, coordinatorKey: identity.publicKey, plan };
  const head = await verifyLedger(context, initialModelHash, records);
  const bodies = records.map(({ body }) => body);
  const last = bodies.at(-1);
  const unsealed = marks
    .filter((mark) => mark.round > head.round)
    .map(({ round, participants, stage }): Unsealed => {
      const reason = 'The coordinator was closed during the round.';
      return { round, participants, reason, spent: stage === 'spent' };
    });
  return {
    records,
    state: initialCoordinator({
      own: identity.id,
      ownKey: identity.publicKey,
      binding,
      plan,
      head,
      finished: last?.status === 'complete' && last.kind === 'evaluate',
      nextRound: Math.max(head.round, lastRound) + 1,
      unsealed,
      ...kept,
      metrics,
      curve: records.flatMap((record) => curveOf(record, plan)),
    }),
  };
}
