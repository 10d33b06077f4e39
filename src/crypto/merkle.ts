/** Merkle trees as in RFC 6962 section 2.1: leaves and inner nodes are hashed under different prefixes. */
import { concatBytes, toHex } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Hash } from '../core/ids.ts';
import { sha256, sha256Later } from './hash.ts';

const LEAF = Uint8Array.of(0);
const HASH_BYTES = 32;
/** What an inner node is the hash of: its prefix and two hashes. In one piece, which costs less than three; one for all. */
const node = new Uint8Array(1 + 2 * HASH_BYTES).fill(1, 0, 1);

/** The root over the leaves in their order; over none it is SHA-256 of nothing. */
export function merkleRoot(leaves: readonly Uint8Array[]): Hash {
  return rootOf(levels(leaves));
}

/** As `merkleRoot`, over large leaves, which WebCrypto hashes beside each other and off this thread. */
export async function merkleRootLater(leaves: readonly Uint8Array[]): Promise<Hash> {
  return rootOf(levelsAbove(await Promise.all(leaves.map((leaf) => sha256Later(concatBytes(LEAF, leaf))))));
}

/** The hashes beside the way from leaf `index` to the root, lowest first. @throws RangeError when there is no such leaf. */
export function merkleProof(leaves: readonly Uint8Array[], index: number): Bytes[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new RangeError(`"index" is ${index}, expected one of ${leaves.length} leaves`);
  }
  return path(levels(leaves), index);
}

/** The proofs of all leaves; the tree is hashed once. */
export function merkleProofs(leaves: readonly Uint8Array[]): Bytes[][] {
  return merkleTree(leaves).proofs;
}

/** The root and the proofs of all leaves; the tree is hashed once. */
export function merkleTree(leaves: readonly Uint8Array[]): { readonly root: Hash; readonly proofs: Bytes[][] } {
  const tree = levels(leaves);
  return { root: rootOf(tree), proofs: leaves.map((_, index) => path(tree, index)) };
}

/** Whether `leaf` is number `index` of the `size` leaves under `root` (RFC 9162 section 2.1.3.2). Never throws. */
export function verifyProof(
  root: Hash,
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): boolean {
  return rootAbove(leafHash(leaf), index, size, proof) === root;
}

/** The hash of a leaf, which is its sibling's first proof element. */
export function leafHash(leaf: Uint8Array): Bytes {
  return sha256(LEAF, leaf);
}

/** Of two hashes, 32 bytes each. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return sha256(node);
}

/**
 * The root that follows from the node `start`, number `index` of the `size` nodes of its level, and the hashes beside its way up;
 * undefined when these do not lead from there to a root. Never throws.
 */
export function rootAbove(
  start: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): Hash | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined;
  let position = index;
  let last = size - 1;
  let hash = start;
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== HASH_BYTES) return undefined;
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      // A node without a sibling is its own parent: climb past those levels.
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? (toHex(hash) as Hash) : undefined;
}

/** Hashes level by level, leaves first. A last node without a sibling moves up unchanged: RFC 6962's split, from below. */
function levels(leaves: readonly Uint8Array[]): Bytes[][] {
  return levelsAbove(leaves.map(leafHash));
}

function levelsAbove(hashes: Bytes[]): Bytes[][] {
  let level = hashes;
  const tree = [level];
  while (level.length > 1) {
    const above: Bytes[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i];
      const right = level[i + 1];
      if (left) above.push(right ? nodeHash(left, right) : left);
    }
    tree.push(above);
    level = above;
  }
  return tree;
}

function rootOf(tree: readonly (readonly Bytes[])[]): Hash {
  return toHex(tree.at(-1)?.[0] ?? sha256()) as Hash;
}

function path(tree: readonly (readonly Bytes[])[], index: number): Bytes[] {
  const siblings: Bytes[] = [];
  let position = index;
  for (const level of tree) {
    const sibling = level[position ^ 1];
    if (sibling) siblings.push(sibling);
    position >>>= 1;
  }
  return siblings;
}
