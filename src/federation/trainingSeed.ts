/** What fixes the order of the batches: everyone could take anyone's training again. */
import { fromHex, uint32Bytes, utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Hash, ParticipantId, RoundNumber } from '../core/ids.ts';
import { sha256 } from '../crypto/hash.ts';

export function trainingSeed(planHash: Hash, round: RoundNumber, id: ParticipantId): Bytes {
  return sha256(
    utf8('hushgrad/1 training'),
    fromHex(planHash),
    uint32Bytes(Math.floor(round / 2 ** 32)),
    uint32Bytes(round % 2 ** 32),
    fromHex(id),
  );
}
