/** The named identity of this browser: one key pair, apart from those of the federations, made only when a person asks. */
import { HushError } from '../core/errors.ts';
import type { Unsubscribe } from '../core/ports.ts';
import { createIdentity, identityFrom } from '../crypto/identity.ts';
import type { Identity } from '../crypto/identity.ts';
import type { Invite } from '../federation/invite.ts';
import type { Services } from './services.ts';

const KEY = 'named-identity';

type Kept = Pick<Services, 'store' | 'locks'>;

export async function namedIdentity({ store }: Kept): Promise<Identity | undefined> {
  const kept = await store.get<CryptoKeyPair>(KEY);
  return kept && identityFrom(kept);
}

/** Gives the one that there is, or makes one. @throws HushError `crypto/unsupported`, `store/…`. */
export async function makeNamedIdentity(services: Kept): Promise<Identity> {
  // Two tabs that make one at the same time must end up with the same.
  return services.locks.exclusive(`hushgrad/${KEY}`, async () => {
    const kept = await namedIdentity(services);
    if (kept !== undefined) return kept;
    const identity = await createIdentity();
    await services.store.set(KEY, identity.keyPair);
    return identity;
  });
}

export async function forgetNamedIdentity({ store }: Kept): Promise<void> {
  await store.delete(KEY);
}

export interface HeldName {
  readonly identity: Identity;
  /** Lets another tab go by the name. */
  readonly release: Unsubscribe;
}

/**
 * Undefined without one, and where another tab goes by it in this federation, since a name stands for one member of a round.
 * @throws HushError `identity/name-taken` in the latter case, where nobody takes part without a name.
 */
export async function holdName({ federation, admission }: Invite, services: Kept): Promise<HeldName | undefined> {
  const identity = await namedIdentity(services);
  if (identity === undefined) return undefined;
  const release = await services.locks.tryHold(`hushgrad/${KEY}/${federation}`);
  if (release === undefined && admission === 'named') {
    throw new HushError('identity/name-taken', 'Another tab of this browser takes part under your name.', {
      advice: 'Go on in that tab, or close it and join again.',
    });
  }
  return release && { identity, release };
}
