/** Results of verifying the same bytes under the same key, shared among those who are simulated together. */
import type { Bytes } from '../../src/core/bytes.ts';
import { equalBytes } from '../../src/core/bytes.ts';
import type { PublicKey, Signature } from '../../src/core/ids.ts';
import { useVerificationCache } from '../../src/crypto/identity.ts';
import type { VerificationCache } from '../../src/crypto/identity.ts';
import { useAdvertSharing } from '../../src/federation/roster.ts';
import type { AdvertSharing, Member } from '../../src/federation/roster.ts';

/** Then the oldest results are forgotten; a signature is verified by all within one step of a round. */
const KEPT_RESULTS = 200_000;

export interface Verification {
  readonly signatures: VerificationCache;
  readonly adverts: AdvertSharing;
}

/** A participant's own: imported keys, as in its tab, and no results of others. */
export function ownVerification(): Verification {
  return { signatures: { keys: new Map() }, adverts: (_round, _advert, check) => check() };
}

/** From now on signatures and adverts are verified so. */
export function useVerification({ signatures, adverts }: Verification): void {
  useVerificationCache(signatures);
  useAdvertSharing(adverts);
}

interface Known {
  readonly publicKey: PublicKey;
  readonly message: Bytes;
  readonly valid: Promise<boolean>;
}

export function sharedVerification(): Verification {
  const known = new Map<Signature, Known>();
  const members = new Map<string, Promise<Member>>();
  return {
    signatures: {
      keys: new Map(),
      results(publicKey, signature, message, verify) {
        const before = known.get(signature);
        if (before?.publicKey === publicKey && equalBytes(before.message, message)) return before.valid;
        const valid = verify();
        known.set(signature, { publicKey, message, valid });
        forgetOldest(known);
        return valid;
      },
    },
    adverts(round, advert, check) {
      // Every field of it: whatever differs is another advert.
      const key = `${round} ${JSON.stringify(advert)}`;
      const before = members.get(key);
      if (before !== undefined) return before;
      const checked = check();
      members.set(key, checked);
      forgetOldest(members);
      return checked;
    },
  };
}

function forgetOldest(results: Map<string, unknown>): void {
  for (const oldest of results.keys()) {
    if (results.size <= KEPT_RESULTS) break;
    results.delete(oldest);
  }
}
