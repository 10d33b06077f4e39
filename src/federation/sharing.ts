/**
 * What many have to read and check of the same bytes. A tab has one participant and shares nothing; in a simulation of
 * thousands in one process, those of one group need not all do the same.
 */
import type { Bytes } from '../core/bytes.ts';

export interface Sharing {
  /** Reads a message's body; `digest` is SHA-256 of its bytes. */
  body(type: string, digest: Bytes, read: () => unknown): unknown;
  /** Checks something of a body that was read; `of` is the object that reading gave, `what` names the check. */
  check<T>(of: object, what: string, check: () => T): T;
}

export const NOTHING_SHARED: Sharing = {
  body: (_type, _digest, read) => read(),
  check: (_of, _what, check) => check(),
};

let sharing = NOTHING_SHARED;

/** For simulations: from now on `next` is asked. */
export function useSharing(next: Sharing): void {
  sharing = next;
}

export function shared(): Sharing {
  return sharing;
}
