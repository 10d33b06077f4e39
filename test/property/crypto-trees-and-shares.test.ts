import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/bytes.ts';
import { merkleProof, merkleProofs, merkleRoot, verifyProof } from '../../src/crypto/merkle.ts';
import { addKeystream, keystreamWords } from '../../src/crypto/prg.ts';
import { combineShares, splitSecret } from '../../src/crypto/shamir.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { slowPath, slowRoot } from '../reference/slowMerkle.ts';
import { seededPort } from '../reference/seededPort.ts';
import { slowKeystream } from '../reference/slowSum.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((b) => new Uint8Array(b));

describe('Shamir sharing', () => {
  it('is undone by any t of n holders in any order, and by more than t', () => {
    const cases = fc
      .integer({ min: 1, max: 40 })
      .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n }), fc.integer({ min: 0, max: 1e6 })));
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 40 }).chain(bytes), ([n, t, seed], secret) => {
        const shares = splitSecret(secret, n, t, seededPort(seed));
        const order = [...SeededRandom.of(seed).permutation(n)];
        const pick = (count: number) => order.slice(0, count).map((index) => ({ index, share: shares[index]! }));
        expect(combineShares(pick(t))).toEqual(secret);
        expect(combineShares(pick(n))).toEqual(secret);
      }),
    );
  });

  it('lets t − 1 shares fit every secret', () => {
    // For any secret there is a t-th share that makes the others fit it: they tell nothing.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 255 }), (seed, guess) => {
        const shares = splitSecret(Uint8Array.of(42), 5, 3, seededPort(seed));
        const known = [0, 3].map((index) => ({ index, share: shares[index]! }));
        const fits = Array.from({ length: 256 }, (_, value) =>
          combineShares([...known, { index: 4, share: Uint8Array.of(value) }]),
        ).filter(([value]) => value === guess);
        expect(fits).toHaveLength(1);
      }),
      { numRuns: 20 },
    );
  });
});

describe('Merkle tree', () => {
  const trees = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 40 });

  it('is the tree of RFC 6962, and its proofs are the RFC’s', () => {
    fc.assert(
      fc.property(trees, (leaves) => {
        const root = merkleRoot(leaves);
        expect(root).toBe(toHex(slowRoot(leaves)));
        merkleProofs(leaves).forEach((proof, index) => {
          expect(proof.map(toHex)).toEqual(slowPath(leaves, index).map(toHex));
          expect(proof).toEqual(merkleProof(leaves, index));
          expect(verifyProof(root, leaves[index]!, index, leaves.length, proof)).toBe(true);
        });
      }),
    );
  });

  it('proves no other leaf, index, size or root, and no changed proof', () => {
    const tampered = fc.record({ flip: fc.nat(), at: fc.nat(), other: fc.nat() });
    fc.assert(
      fc.property(trees, tampered, (leaves, { flip, at, other }) => {
        const size = leaves.length;
        const index = at % size;
        const root = merkleRoot(leaves);
        const leaf = leaves[index]!;
        const proof = merkleProof(leaves, index);
        expect(verifyProof(root, new Uint8Array([...leaf, 0]), index, size, proof)).toBe(false);
        expect(verifyProof(merkleRoot([...leaves, leaf]), leaf, index, size, proof)).toBe(false);
        const elsewhere = other % size;
        if (elsewhere !== index) {
          // At another index the proof holds only where that leaf and its neighbours are byte for byte the same.
          const same = toHex(leaves[elsewhere]!) === toHex(leaf);
          if (!same) expect(verifyProof(root, leaf, elsewhere, size, proof)).toBe(false);
        }
        if (proof.length > 0) {
          const changed = proof.map((hash) => hash.slice());
          changed[flip % proof.length]![flip % 32]! ^= 1 << (flip % 8);
          expect(verifyProof(root, leaf, index, size, changed)).toBe(false);
          expect(verifyProof(root, leaf, index, size, proof.slice(1))).toBe(false);
        }
        expect(verifyProof(root, leaf, index, size, [...proof, new Uint8Array(32)])).toBe(false);
      }),
    );
  });
});

describe('ChaCha20', () => {
  it('is @noble’s stream, wherever it is entered', () => {
    fc.assert(
      fc.property(bytes(32), fc.nat({ max: 100 }), fc.nat({ max: 100 }), (seed, firstWord, count) => {
        const whole = slowKeystream(seed, firstWord + count).map(Number);
        expect([...keystreamWords(seed, count, firstWord)]).toEqual(whole.slice(firstWord));
      }),
    );
  });

  it('adds and subtracts modulo 2^32, so that both together change nothing', () => {
    fc.assert(
      fc.property(fc.uint32Array({ maxLength: 70 }), bytes(32), fc.nat({ max: 40 }), (start, seed, firstWord) => {
        const target = new Uint32Array(start);
        addKeystream(target, seed, 1, firstWord);
        const stream = keystreamWords(seed, start.length, firstWord);
        expect([...target]).toEqual([...start].map((word, i) => (word + stream[i]!) % 2 ** 32));
        addKeystream(target, seed, -1, firstWord);
        expect([...target]).toEqual([...start]);
      }),
    );
  });
});
