/** U1, those who shared, and U2 ⊆ U1, those whose masked update arrived, each with the root that everybody signs. */
import { concatBytes, fromHex } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId } from '../core/ids.ts';
import { taggedHash } from '../crypto/hash.ts';
import { merkleRoot } from '../crypto/merkle.ts';
import type { Dealing } from './messages.ts';

/** [id, root over the masked update's pieces]. */
export type Survivor = readonly [id: ParticipantId, piecesRoot: Hash];

/** @throws HushError `set/order` when `ids` are not strictly ascending. */
export function checkAscending(ids: readonly ParticipantId[], what: string): void {
  ids.forEach((id, i) => {
    const before = ids[i - 1];
    if (before !== undefined && before >= id) {
      throw new HushError('set/order', `${what}: ${id} after ${before}, expected ascending ids, each once.`);
    }
  });
}

export function u1RootOf(dealings: readonly Dealing[]): Hash {
  const leaves = dealings.map(([id, shareRoot, seedCommitment]) =>
    concatBytes(fromHex(id), fromHex(shareRoot), fromHex(seedCommitment)),
  );
  return taggedHash('hushgrad/1 u1', fromHex(merkleRoot(leaves)));
}

export function u2RootOf(survivors: readonly Survivor[]): Hash {
  const leaves = survivors.map(([id, piecesRoot]) => concatBytes(fromHex(id), fromHex(piecesRoot)));
  return taggedHash('hushgrad/1 u2', fromHex(merkleRoot(leaves)));
}

/** Sorted by id, as every set on the wire is. */
export function byId<T extends readonly [ParticipantId, ...unknown[]]>(entries: Iterable<T>): T[] {
  return [...entries].sort((a, b) => (a[0] < b[0] ? -1 : 1));
}
