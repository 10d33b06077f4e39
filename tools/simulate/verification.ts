/** What was read, checked and verified of the same bytes, shared among those who are simulated together. */
import type { Bytes } from '../../src/core/bytes.ts';
import { equalBytes, toHex } from '../../src/core/bytes.ts';
import type { PublicKey, Signature } from '../../src/core/ids.ts';
import { useVerificationCache } from '../../src/crypto/identity.ts';
import type { VerificationCache } from '../../src/crypto/identity.ts';
import type { MessageType } from '../../src/federation/messages.ts';
import { NOTHING_SHARED, useSharing } from '../../src/federation/sharing.ts';
import type { Sharing } from '../../src/federation/sharing.ts';

/** Then the oldest results are forgotten; a signature is verified by all within one step of a round. */
const KEPT_RESULTS = 200_000;

/** What everyone of a group gets within one step, for all groups whose turn it is. */
const KEPT_BODIES = 5000;

/** What many are told in the same words: anything else would be kept for nobody. */
const TOLD_TO_MANY: ReadonlySet<string> = new Set<MessageType>([
  'abandon',
  'agreed',
  'begin',
  'call',
  'cohort',
  'draw',
  'end',
  'record',
  'result',
  'roster',
  'status',
  'survivors',
]);

export interface Verification {
  readonly signatures: VerificationCache;
  readonly sharing: Sharing;
}

/** A participant's own: imported keys, as in its tab, and no results of others. */
export function ownVerification(): Verification {
  return { signatures: { keys: new Map() }, sharing: NOTHING_SHARED };
}

/** From now on messages are read, checked and verified so. */
export function useVerification({ signatures, sharing }: Verification): void {
  useVerificationCache(signatures);
  useSharing(sharing);
}

interface Known {
  readonly publicKey: PublicKey;
  readonly message: Bytes;
  readonly valid: Promise<boolean>;
}

export function sharedVerification(): Verification {
  const known = new Map<Signature, Known>();
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
    sharing: sharedReading(),
  };
}

function sharedReading(): Sharing {
  const bodies = new Map<string, unknown>();
  const checks = new WeakMap<object, Map<string, unknown>>();
  return {
    body(type, digest, read) {
      if (!TOLD_TO_MANY.has(type)) return read();
      const key = `${type} ${toHex(digest)}`;
      const before = bodies.get(key);
      if (before !== undefined) return before;
      const body = read();
      bodies.set(key, body);
      forgetOldest(bodies, KEPT_BODIES);
      return body;
    },
    check<T>(of: object, what: string, check: () => T): T {
      const known = checks.get(of) ?? new Map<string, unknown>();
      checks.set(of, known);
      if (!known.has(what)) known.set(what, check());
      return known.get(what) as T;
    },
  };
}

function forgetOldest(results: Map<string, unknown>, kept = KEPT_RESULTS): void {
  for (const oldest of results.keys()) {
    if (results.size <= kept) break;
    results.delete(oldest);
  }
}
