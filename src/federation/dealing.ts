/**
 * Step 2: a dealer's shares of its mask key and its self-mask seed, one box for each holder, under a Merkle root that
 * everybody gets; so that a share can later be shown to anyone, and nobody can show another (Bonawitz et al. 2017, figure 4,
 * round 1, with commitments added).
 *
 * Leaves 2j and 2j+1 of a dealer's tree are holder j's share of the key and of the seed. They are siblings, so that one
 * path above the pair proves both.
 */
import { concatBytes, fromHex, ownBytes, utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId } from '../core/ids.ts';
import type { Random } from '../core/ports.ts';
import { list, rawBytes, v } from '../core/schema.ts';
import type { Decoded } from '../core/schema.ts';
import { sha256, taggedHash } from '../crypto/hash.ts';
import { merkleProofs, merkleRoot, verifyProof } from '../crypto/merkle.ts';
import { splitSecret } from '../crypto/shamir.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import type { OpenedShare } from './messages.ts';
import type { Roster } from './roster.ts';

const SALT_BYTES = 16;

export type Secret = 'key' | 'seed';

const boxSchema = v.strictObject({
  key: rawBytes(32),
  keySalt: rawBytes(SALT_BYTES),
  seed: rawBytes(32),
  seedSalt: rawBytes(SALT_BYTES),
  /** Above the pair. */
  path: list(rawBytes(32), 9),
});

export type HeldShares = Decoded<typeof boxSchema>;

/** A share with all that shows it to be the dealer's. */
function leafOf(secret: Secret, holder: ParticipantId, share: Uint8Array, salt: Uint8Array): Bytes {
  return concatBytes(utf8(`hushgrad/1 ${secret} share`), fromHex(holder), salt, share);
}

/** RFC 6962, section 2.1: the hash of a leaf, which is its sibling's first proof element. */
function leafHash(leaf: Uint8Array): Bytes {
  return sha256(new Uint8Array([0]), leaf);
}

export function seedCommitmentOf(seed: Uint8Array): Hash {
  return taggedHash('hushgrad/1 seed commitment', seed);
}

export interface Deal {
  readonly shareRoot: Hash;
  /** Plain content of the box for each member, in roster order. */
  readonly plainBoxes: readonly Bytes[];
}

export function deal(roster: Roster, maskSecretKey: Bytes, selfSeed: Bytes, random: Random): Deal {
  const n = roster.members.length;
  const keyShares = splitSecret(maskSecretKey, n, roster.threshold, random);
  const seedShares = splitSecret(selfSeed, n, roster.threshold, random);
  const held = roster.members.map((member, j) => {
    const key = keyShares[j] ?? new Uint8Array();
    const seed = seedShares[j] ?? new Uint8Array();
    const keySalt = random.bytes(SALT_BYTES);
    const seedSalt = random.bytes(SALT_BYTES);
    const leaves = [leafOf('key', member.id, key, keySalt), leafOf('seed', member.id, seed, seedSalt)];
    return { key, keySalt, seed, seedSalt, leaves };
  });
  const leaves = held.flatMap((shares) => shares.leaves);
  const proofs = merkleProofs(leaves);
  return {
    shareRoot: merkleRoot(leaves),
    plainBoxes: held.map(({ key, keySalt, seed, seedSalt }, j) =>
      encodeCbor({ key, keySalt, seed, seedSalt, path: (proofs[2 * j] ?? []).slice(1) }),
    ),
  };
}

/** Reads a holder's box. @throws HushError `share/box` when it is malformed, `share/proof` when it is not under the root. */
export function readBox(plain: Uint8Array, roster: Roster, holderIndex: number, shareRoot: Hash): HeldShares {
  const parsed = v.safeParse(boxSchema, decodeCbor(plain));
  if (!parsed.success) throw new HushError('share/box', 'A box of shares is malformed.');
  const shares = parsed.output;
  for (const secret of ['key', 'seed'] as const) {
    if (!provesShare(secret, evidenceOf(secret, shares, roster, holderIndex), roster, holderIndex, shareRoot)) {
      throw new HushError('share/proof', `A share of the ${secret} is not under the dealer's root.`);
    }
  }
  return shares;
}

/** One share with its salt and its proof. */
export interface Evidence {
  readonly share: Uint8Array;
  readonly salt: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

function evidenceOf(secret: Secret, shares: HeldShares, roster: Roster, holderIndex: number): Evidence {
  const holder = roster.members[holderIndex]?.id;
  if (holder === undefined) throw new HushError('share/holder', `No member ${holderIndex} in the roster.`);
  const isKey = secret === 'key';
  const sibling = isKey
    ? leafOf('seed', holder, shares.seed, shares.seedSalt)
    : leafOf('key', holder, shares.key, shares.keySalt);
  return {
    share: isKey ? shares.key : shares.seed,
    salt: isKey ? shares.keySalt : shares.seedSalt,
    proof: [leafHash(sibling), ...shares.path],
  };
}

/** What a holder sends in step 5 for one dealer. */
export function openShare(
  secret: Secret,
  dealer: ParticipantId,
  shares: HeldShares,
  roster: Roster,
  holderIndex: number,
): OpenedShare {
  const { share, salt, proof } = evidenceOf(secret, shares, roster, holderIndex);
  return [dealer, ownBytes(share), ownBytes(salt), proof.map((hash) => ownBytes(hash))];
}

/** Whether an opened share is what its dealer gave this holder. */
export function provesShare(
  secret: Secret,
  { share, salt, proof }: Evidence,
  roster: Roster,
  holderIndex: number,
  shareRoot: Hash,
): boolean {
  const holder = roster.members[holderIndex]?.id;
  if (holder === undefined || share.length !== 32) return false;
  const leafIndex = 2 * holderIndex + (secret === 'key' ? 0 : 1);
  return verifyProof(shareRoot, leafOf(secret, holder, share, salt), leafIndex, 2 * roster.members.length, proof);
}
