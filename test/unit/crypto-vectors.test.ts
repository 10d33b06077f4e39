/** Bad points, tags and signatures from other people's hands, each put to our code and to two others. */
import { createDecipheriv, createPrivateKey, createPublicKey, diffieHellman, verify } from 'node:crypto';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import type { PublicKey, Signature } from '../../src/core/ids.ts';
import { agree } from '../../src/crypto/agreement.ts';
import { openBox } from '../../src/crypto/box.ts';
import { createIdentity, verifySignature } from '../../src/crypto/identity.ts';
import chacha from '../vectors/wycheproof-chacha20-poly1305.json';
import speccheck from '../vectors/ed25519-speccheck.json';
import ed25519Vectors from '../vectors/wycheproof-ed25519.json';
import x25519Vectors from '../vectors/wycheproof-x25519.json';

/** RFC 8410: the documents around raw keys. */
const keyOf = (header: string, key: string, kind: 'public' | 'private') => {
  const document = Buffer.concat([Buffer.from(header, 'hex'), Buffer.from(key, 'hex')]);
  return kind === 'public'
    ? createPublicKey({ key: document, format: 'der', type: 'spki' })
    : createPrivateKey({ key: document, format: 'der', type: 'pkcs8' });
};

interface Signed {
  readonly key: string;
  readonly message: string;
  readonly signature: string;
}

const ours = ({ key, message, signature }: Signed) =>
  verifySignature(key as PublicKey, signature as Signature, fromHex(message));
const openSsl = ({ key, message, signature }: Signed) =>
  verify(null, fromHex(message), keyOf('302a300506032b6570032100', key, 'public'), fromHex(signature));
const noble = ({ key, message, signature }: Signed) =>
  ed25519.verify(fromHex(signature), fromHex(message), fromHex(key), { zip215: false });

describe('signatures of Wycheproof', () => {
  it.each(ed25519Vectors.signatures)('$what: $valid', async (vector) => {
    expect(await ours(vector)).toBe(vector.valid);
    expect(openSsl(vector)).toBe(vector.valid);
    expect(noble(vector)).toBe(vector.valid);
  });

  it('cut, made longer, or of another message verify nowhere', async () => {
    for (const vector of ed25519Vectors.signatures.filter(({ valid }) => valid)) {
      for (const signature of [
        vector.signature.slice(2),
        vector.signature.slice(0, -2),
        `${vector.signature}00`,
        vector.signature.slice(0, 64),
        '',
      ]) {
        expect(await ours({ ...vector, signature })).toBe(false);
      }
      expect(await ours({ ...vector, message: `${vector.message}00` })).toBe(false);
    }
  });
});

describe('signatures on which verifiers disagree', () => {
  const [smallBoth, smallKey, , , cofactored, cofactoredToo, aboveOrder, farAbove, encoded, encodedToo] =
    speccheck.cases;

  it.each([smallBoth!, smallKey!])('$what: refused here, though OpenSSL takes it', async (vector) => {
    expect(await ours(vector)).toBe(false);
    expect(openSsl(vector)).toBe(true);
  });

  it.each([aboveOrder!, farAbove!, encoded!, encodedToo!])('$what: refused by all', async (vector) => {
    expect(await ours(vector)).toBe(false);
    expect(openSsl(vector)).toBe(false);
    expect(noble(vector)).toBe(false);
  });

  // Keys of mixed order are not refused: whoever makes one cheats nobody but itself, and an honest key has none.
  it.each([cofactored!, cofactoredToo!])('$what: as the platform has it', async (vector) => {
    expect(await ours(vector)).toBe(openSsl(vector));
    expect(noble(vector)).toBe(true);
  });

  it('takes no key in another encoding than its own: y from p up, either sign', async () => {
    const p = 2n ** 255n - 19n;
    const { signature } = ed25519Vectors.signatures[0]!;
    for (let y = p; y < 2n ** 255n; y++) {
      for (const sign of [0n, 1n]) {
        const bigEndian = (y + (sign << 255n)).toString(16).padStart(64, '0');
        const key = toHex(fromHex(bigEndian).reverse());
        // R = the neutral element, S = 0: fits any message under a key of small order.
        for (const forged of [signature, `01${'00'.repeat(63)}`]) {
          expect(await ours({ key, message: '78', signature: forged })).toBe(false);
        }
      }
    }
  });

  it('does not take S + L for S in a signature of its own', async () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const identity = await createIdentity();
    const message = '6869';
    const signature = await identity.sign(fromHex(message));
    const s = BigInt(`0x${toHex(fromHex(signature.slice(64)).reverse())}`) + order;
    const moved = signature.slice(0, 64) + toHex(fromHex(s.toString(16).padStart(64, '0')).reverse());
    expect(await ours({ key: identity.publicKey, message, signature })).toBe(true);
    expect(await ours({ key: identity.publicKey, message, signature: moved })).toBe(false);
  });
});

describe('agreements of Wycheproof', () => {
  it.each(x25519Vectors.agreements)('with a point $what', async ({ publicKey, secret, shared }) => {
    expect(toHex(await agree(fromHex(secret), publicKey as PublicKey))).toBe(shared);
    expect(toHex(x25519.getSharedSecret(fromHex(secret), fromHex(publicKey)))).toBe(shared);
    const own = keyOf('302e020100300506032b656e04220420', secret, 'private');
    const other = keyOf('302a300506032b656e032100', publicKey, 'public');
    expect(diffieHellman({ privateKey: own, publicKey: other }).toString('hex')).toBe(shared);
  });
});

describe('boxes with a tag that was tampered with', () => {
  const { key, iv, plaintext, sealed } = chacha.boxes.at(-1)!;
  const REFUSED = expect.objectContaining({ code: 'crypto/box' });
  const box = fromHex(iv + sealed);
  const tagAt = box.length - 16;
  const flip = (bits: readonly number[]): Bytes => {
    const changed = box.slice();
    for (const bit of bits) changed[tagAt + (bit >> 3)]! ^= 1 << (bit & 7);
    return changed;
  };
  const withTag = (change: (byte: number) => number): Bytes => box.map((byte, i) => (i < tagAt ? byte : change(byte)));

  /** The changes that Wycheproof makes to tags (chacha20_poly1305_test.json, flag ModifiedTag). */
  const changed: readonly (readonly [string, Bytes])[] = [
    ...[0, 1, 7, 8, 31, 32, 33, 63, 64, 71, 77, 80, 96, 97, 103, 120, 121, 126, 127].map(
      (bit) => [`bit ${bit} flipped`, flip([bit])] as const,
    ),
    ['bits 0 and 64 flipped', flip([0, 64])],
    ['bits 31 and 63 flipped', flip([31, 63])],
    ['bits 63 and 127 flipped', flip([63, 127])],
    ['all bits flipped', withTag((byte) => byte ^ 0xff)],
    ['zero', withTag(() => 0)],
    ['all ones', withTag(() => 0xff)],
    ['every highest bit flipped', withTag((byte) => byte ^ 0x80)],
    ['every lowest bit flipped', withTag((byte) => byte ^ 1)],
  ];

  it('open as they were sealed', () => {
    expect(toHex(openBox(fromHex(key), box))).toBe(plaintext);
    expect(openSslOpens(box)).toBe(true);
  });

  it.each(changed)('do not open: %s', (_name, tampered) => {
    expect(() => openBox(fromHex(key), tampered)).toThrow(REFUSED);
    expect(openSslOpens(tampered)).toBe(false);
  });

  it('do not open with a shorter tag, though its bytes are right', () => {
    for (let bytes = 1; bytes <= 16; bytes++) {
      expect(() => openBox(fromHex(key), box.slice(0, -bytes))).toThrow(REFUSED);
    }
  });

  it('do not open with another IV, a longer one, or none', () => {
    const rest = box.subarray(12);
    for (const other of ['00'.repeat(12), iv.slice(2), `${iv}00`, '']) {
      expect(() => openBox(fromHex(key), concatBytes(fromHex(other), rest))).toThrow(REFUSED);
    }
  });

  function openSslOpens(bytes: Bytes): boolean {
    const decipher = createDecipheriv('chacha20-poly1305', fromHex(key), bytes.subarray(0, 12), { authTagLength: 16 });
    decipher.setAuthTag(bytes.subarray(tagAt));
    decipher.update(bytes.subarray(12, tagAt));
    try {
      decipher.final();
      return true;
    } catch {
      return false;
    }
  }
});
