/** What a participant commits to before its masked update is sent piece by piece. */
import type { Hash } from '../core/ids.ts';
import { merkleRootLater } from '../crypto/merkle.ts';

export const PIECE_BYTES = 64 * 1024;

/** The Merkle root over pieces of PIECE_BYTES; the last one may be shorter. */
export function piecesRoot(packed: Uint8Array): Promise<Hash> {
  const count = Math.ceil(packed.length / PIECE_BYTES);
  return merkleRootLater(
    Array.from({ length: count }, (_, i) => packed.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES)),
  );
}
