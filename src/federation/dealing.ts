/**
 * Step 2: a dealer's shares of its mask key and its self-mask seed, one box for each holder, under a Merkle root that
 * everybody gets; so that a share can later be shown to anyone, and nobody can show another (Bonawitz et al. 2017, figure 4,
 * round 1, with commitments added).
 *
 * Leaves 2j and 2j+1 of a dealer's tree are holder j's share of the key and of the seed. They are siblings, so that one
 * path above the pair proves both.
 */
import { concatBytes, fromHex, utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId } from '../core/ids.ts';
import type { Random } from '../core/ports.ts';
import { list, rawBytes, v } from '../core/schema.ts';
import type { Decoded } from '../core/schema.ts';
import { taggedHash } from '../crypto/hash.ts';
import { leafHash, merkleTree, nodeHash, rootAbove } from '../crypto/merkle.ts';
import { ProvenTree } from '../crypto/provenTree.ts';
import { splitSecret } from '../crypto/shamir.ts';
import type { OpenedShare } from './messages.ts';
import type { Roster } from './roster.ts';
import { decodeAs } from './schemaReader.ts';
import { encodeAs } from './schemaWriter.ts';

const SALT_BYTES = 16;
const SHARE_BYTES = 32;

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

const LABELS = { key: utf8('hushgrad/1 key share'), seed: utf8('hushgrad/1 seed share') };

/** What of a share is in its dealer's tree. */
function leafOf(secret: Secret, holder: ParticipantId, share: Uint8Array, salt: Uint8Array): Bytes {
  return concatBytes(LABELS[secret], fromHex(holder), salt, share);
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
  const salts = random.bytes(2 * n * SALT_BYTES);
  const salt = (index: number): Bytes => salts.slice(index * SALT_BYTES, (index + 1) * SALT_BYTES);
  const held = roster.members.map((member, j) => {
    const key = keyShares[j] ?? new Uint8Array();
    const seed = seedShares[j] ?? new Uint8Array();
    const [keySalt, seedSalt] = [salt(2 * j), salt(2 * j + 1)];
    const leaves = [leafOf('key', member.id, key, keySalt), leafOf('seed', member.id, seed, seedSalt)];
    return { key, keySalt, seed, seedSalt, leaves };
  });
  const { root, proofs } = merkleTree(held.flatMap((shares) => shares.leaves));
  return {
    shareRoot: root,
    plainBoxes: held.map(({ key, keySalt, seed, seedSalt }, j) =>
      encodeAs(boxSchema, { key, keySalt, seed, seedSalt, path: (proofs[2 * j] ?? []).slice(1) }),
    ),
  };
}

/** Checks a holder's box. @throws HushError `share/box` when it is malformed, `share/proof` when it is not under the root. */
export function checkBox(plain: Uint8Array, roster: Roster, holderIndex: number, shareRoot: Hash): void {
  const { key, keySalt, seed, seedSalt, path } = readBox(plain);
  const holder = holderAt(roster, holderIndex);
  const [keyLeaf, seedLeaf] = [leafOf('key', holder, key, keySalt), leafOf('seed', holder, seed, seedSalt)];
  const pair = nodeHash(leafHash(keyLeaf), leafHash(seedLeaf));
  const isWhole = key.length === SHARE_BYTES && seed.length === SHARE_BYTES;
  if (!isWhole || rootAbove(pair, holderIndex, roster.members.length, path) !== shareRoot) {
    throw new HushError('share/proof', "The shares in a box are not under the dealer's root.");
  }
}

function readBox(plain: Uint8Array): HeldShares {
  const parsed = decodeAs(boxSchema, plain);
  if (parsed.success) return parsed.output;
  throw new HushError('share/box', 'A box of shares is malformed.');
}

function holderAt(roster: Roster, holderIndex: number): ParticipantId {
  const holder = roster.members[holderIndex]?.id;
  if (holder === undefined) throw new HushError('share/holder', `No member ${holderIndex} in the roster.`);
  return holder;
}

/** One share with its salt and its proof. */
export interface Evidence {
  readonly share: Bytes;
  readonly salt: Bytes;
  readonly proof: readonly Bytes[];
}

function evidenceOf(secret: Secret, shares: HeldShares, roster: Roster, holderIndex: number): Evidence {
  const holder = holderAt(roster, holderIndex);
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

/** What a holder sends in step 5 for one dealer, of whose box it holds the plain content. */
export function openShare(
  secret: Secret,
  dealer: ParticipantId,
  plain: Uint8Array,
  roster: Roster,
  holderIndex: number,
): OpenedShare {
  const { share, salt, proof } = evidenceOf(secret, readBox(plain), roster, holderIndex);
  return [dealer, share, salt, [...proof]];
}

/** Where a dealer's shares are proven; one for all who hold some. */
export function shareTree(roster: Roster, shareRoot: Hash): ProvenTree {
  return new ProvenTree(shareRoot, 2 * roster.members.length);
}

/** Whether an opened share is what its dealer gave this holder. */
export function provesShare(
  secret: Secret,
  { share, salt, proof }: Evidence,
  roster: Roster,
  holderIndex: number,
  tree: ProvenTree,
): boolean {
  const holder = roster.members[holderIndex]?.id;
  if (holder === undefined || share.length !== SHARE_BYTES) return false;
  return tree.proves(leafOf(secret, holder, share, salt), 2 * holderIndex + (secret === 'key' ? 0 : 1), proof);
}
