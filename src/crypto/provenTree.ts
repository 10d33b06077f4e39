/**
 * One Merkle tree of which many leaves are proven. What lies on a way to the root that was checked is the tree's own, so the
 * next proof is hashed only until it meets such a node, and compared from there on.
 */
import { fromHex } from '../core/bytes.ts';
import type { Hash } from '../core/ids.ts';
import { leafHash, nodeHash } from './merkle.ts';

const HASH_BYTES = 32;

interface Level {
  readonly size: number;
  /** Index of its first node in `#nodes`. */
  readonly start: number;
}

export class ProvenTree {
  readonly #levels: readonly Level[];
  readonly #nodes: Uint8Array;
  readonly #known: Uint8Array;

  /** A tree of `size` leaves, at least one. */
  constructor(root: Hash, size: number) {
    const levels: Level[] = [];
    let start = 0;
    for (let width = size; ; width = Math.ceil(width / 2)) {
      levels.push({ size: width, start });
      start += width;
      if (width === 1) break;
    }
    this.#levels = levels;
    this.#nodes = new Uint8Array(start * HASH_BYTES);
    this.#known = new Uint8Array(start);
    this.#keep(start - 1, fromHex(root));
  }

  /** As `verifyProof` (merkle.ts). */
  proves(leaf: Uint8Array, index: number, proof: readonly Uint8Array[]): boolean {
    if (!Number.isSafeInteger(index) || index < 0 || index >= (this.#levels[0]?.size ?? 0)) return false;
    const nodes: number[] = [];
    const hashes: Uint8Array[] = [];
    let hash = leafHash(leaf);
    let position = index;
    let used = 0;
    let met = false;
    for (const { size, start } of this.#levels) {
      if (!met && this.#known[start + position] === 1) {
        if (!this.#is(start + position, hash)) return false;
        met = true;
      }
      const beside = position ^ 1;
      const isRoot = size === 1;
      if (!isRoot && beside < size) {
        const sibling = proof[used++];
        if (sibling?.length !== HASH_BYTES) return false;
        if (met) {
          if (!this.#is(start + beside, sibling)) return false;
        } else {
          nodes.push(start + position, start + beside);
          hashes.push(hash, sibling);
          hash = position % 2 === 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
        }
      } else if (!met) {
        // A node without a sibling is its own parent.
        nodes.push(start + position);
        hashes.push(hash);
      }
      position >>>= 1;
    }
    if (used !== proof.length) return false;
    hashes.forEach((value, i) => this.#keep(nodes[i] ?? 0, value));
    return true;
  }

  #is(node: number, hash: Uint8Array): boolean {
    for (let i = 0, at = node * HASH_BYTES; i < HASH_BYTES; i++, at++) if (this.#nodes[at] !== hash[i]) return false;
    return true;
  }

  #keep(node: number, hash: Uint8Array): void {
    this.#nodes.set(hash, node * HASH_BYTES);
    this.#known[node] = 1;
  }
}
