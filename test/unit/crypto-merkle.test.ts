import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import { merkleProof, merkleProofs, merkleRoot, verifyProof } from '../../src/crypto/merkle.ts';
import vectors from '../vectors/rfc6962.json';

const leaves = vectors.leaves.map(fromHex);

describe('Merkle tree', () => {
  it.each(vectors.roots.map((root, size) => ({ root, size })))(
    'of $size leaves has the root $root',
    ({ root, size }) => {
      expect(merkleRoot(leaves.slice(0, size))).toBe(root);
    },
  );

  it.each(vectors.proofs)('proves leaf $index of $size', ({ index, size, proof }) => {
    const own = leaves.slice(0, size);
    expect(merkleProof(own, index).map(toHex)).toEqual(proof);
    expect(merkleProofs(own)[index]?.map(toHex)).toEqual(proof);
    expect(verifyProof(merkleRoot(own), own[index]!, index, size, proof.map(fromHex))).toBe(true);
  });

  it('takes no inner node for a leaf', () => {
    const root = merkleRoot(leaves.slice(0, 2));
    const forged = fromHex(`00${root}`);
    expect(verifyProof(root, forged.subarray(1), 0, 1, [])).toBe(false);
  });

  it('answers false to numbers and hashes that make no sense, and does not throw', () => {
    const root = merkleRoot(leaves);
    const proof = merkleProof(leaves, 3);
    for (const [index, size] of [
      [-1, 8],
      [8, 8],
      [3, 0],
      [0.5, 8],
      [Number.NaN, 8],
      [3, Number.POSITIVE_INFINITY],
      [2 ** 40, 2 ** 41],
    ] as const) {
      expect(verifyProof(root, leaves[3]!, index, size, proof)).toBe(false);
    }
    expect(verifyProof(root, leaves[3]!, 3, 8, proof.slice(1))).toBe(false);
    expect(verifyProof(root, leaves[3]!, 3, 8, [...proof, new Uint8Array(32)])).toBe(false);
    expect(verifyProof(root, leaves[3]!, 3, 8, [new Uint8Array(31), ...proof.slice(1)])).toBe(false);
  });

  it('has no proof of a leaf that is not there', () => {
    expect(() => merkleProof(leaves, 8)).toThrow('8 leaves');
    expect(() => merkleProof([], 0)).toThrow('0 leaves');
    expect(merkleProofs([])).toEqual([]);
  });
});
