/** How many of a group have signed one and the same statement. */
import type { Bytes } from '../core/bytes.ts';
import type { ParticipantId, PublicKey, Signature } from '../core/ids.ts';
import { verifySignature } from '../crypto/identity.ts';

export interface Signed {
  readonly statement: Bytes;
  readonly signatures: readonly (readonly [ParticipantId, Signature])[];
  readonly keys: ReadonlyMap<ParticipantId, PublicKey>;
  /** Whose signatures count. */
  readonly alive: ReadonlySet<ParticipantId>;
}

/** With `enough`, as many signatures are looked at as are needed, and the rest only if one of these does not hold. */
export async function countSigned(
  { statement, signatures, keys, alive }: Signed,
  enough: number = signatures.length,
): Promise<number> {
  const countValid = async (some: Signed['signatures']): Promise<number> => {
    const valid = await Promise.all(
      some.map(async ([id, signature]) => {
        const key = keys.get(id);
        return alive.has(id) && key !== undefined && (await verifySignature(key, signature, statement));
      }),
    );
    return valid.filter(Boolean).length;
  };
  const count = await countValid(signatures.slice(0, enough));
  return count >= enough ? count : count + (await countValid(signatures.slice(enough)));
}
