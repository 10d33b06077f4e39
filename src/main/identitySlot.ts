/**
 * An identity for this tab: one key pair for each (federation, role, slot), so that one browser can hold several and nobody
 * is tracked across federations. A reloaded tab takes up its own again.
 */
import { HushError } from '../core/errors.ts';
import type { FederationId } from '../core/ids.ts';
import type { Unsubscribe } from '../core/ports.ts';
import { createIdentity, identityFrom } from '../crypto/identity.ts';
import type { Identity } from '../crypto/identity.ts';
import type { Services } from './services.ts';

/** More participants of one federation than this in one browser are refused. */
const MAX_SLOTS = 64;

export interface HeldIdentity {
  readonly identity: Identity;
  readonly slot: number;
  /** Frees the slot for another tab. */
  readonly release: Unsubscribe;
}

/** @throws HushError `identity/no-slot`. */
export async function holdIdentity(federation: FederationId, services: Services): Promise<HeldIdentity> {
  // Session storage is the tab's own and survives its reload.
  const remembered = Number(sessionStorage.getItem(slotName(federation)) ?? -1);
  const order = [...Array(MAX_SLOTS).keys()].sort((a, b) => Number(b === remembered) - Number(a === remembered));
  for (const slot of order) {
    const release = await services.locks.tryHold(`hushgrad/participant/${federation}/${slot}`);
    if (release === undefined) continue;
    sessionStorage.setItem(slotName(federation), String(slot));
    return { identity: await takeUp(federation, slot, services), slot, release };
  }
  throw new HushError('identity/no-slot', `${MAX_SLOTS} tabs of this browser take part in this federation already.`, {
    advice: 'Close one of them.',
  });
}

async function takeUp(federation: FederationId, slot: number, { store }: Services): Promise<Identity> {
  const key = `identity/${federation}/participant/${slot}`;
  const kept = await store.get<CryptoKeyPair>(key);
  if (kept !== undefined) return identityFrom(kept);
  const identity = await createIdentity();
  await store.set(key, identity.keyPair);
  return identity;
}

function slotName(federation: FederationId): string {
  return `hushgrad/slot/${federation}`;
}
