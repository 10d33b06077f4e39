import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { merkleTree, verifyProof } from '../../src/crypto/merkle.ts';
import { ProvenTree } from '../../src/crypto/provenTree.ts';

const trees = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 40 });

it('says of every proof what verifyProof says, whatever was proven or tried before', () => {
  const attempts = fc.array(
    fc.record({
      at: fc.nat(),
      other: fc.nat(),
      flip: fc.nat(),
      how: fc.constantFrom('right', 'right', 'hash', 'leaf', 'index', 'shorter', 'longer', 'length', 'foreign'),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(trees, attempts, (leaves, given) => {
      const { root, proofs } = merkleTree(leaves);
      const tree = new ProvenTree(root, leaves.length);
      for (const { at, other, flip, how } of given) {
        const index = at % leaves.length;
        const elsewhere = other % leaves.length;
        let leaf: Uint8Array = leaves[index]!;
        let proof: Uint8Array[] = proofs[index]!.map((hash) => hash.slice());
        let claimed = index;
        if (how === 'leaf') leaf = new Uint8Array([...leaf, flip % 256]);
        if (how === 'index') claimed = elsewhere;
        if (how === 'foreign') proof = proofs[elsewhere]!;
        if (how === 'shorter') proof = proof.slice(0, -1);
        if (how === 'longer') proof = [...proof, proof[0] ?? new Uint8Array(32)];
        if (how === 'hash' && proof.length > 0) proof[flip % proof.length]![flip % 32]! ^= 1 << (flip % 8);
        if (how === 'length' && proof.length > 0) proof[flip % proof.length] = new Uint8Array(31);
        expect(tree.proves(leaf, claimed, proof)).toBe(verifyProof(root, leaf, claimed, leaves.length, proof));
      }
      leaves.forEach((leaf, index) => expect(tree.proves(leaf, index, proofs[index]!)).toBe(true));
    }),
    { numRuns: 300 },
  );
});

it('refuses an index that is none of the tree’s', () => {
  const leaves = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
  const { root, proofs } = merkleTree(leaves);
  const tree = new ProvenTree(root, 3);
  for (const index of [-1, 3, 0.5, Number.NaN]) expect(tree.proves(leaves[0]!, index, proofs[0]!)).toBe(false);
  expect(tree.proves(leaves[0]!, 0, proofs[0]!)).toBe(true);
});
