import { ed25519 } from '@noble/curves/ed25519.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { concatBytes, fromHex, utf8 } from '../../src/core/bytes.ts';
import type { PublicKey, Signature } from '../../src/core/ids.ts';
import { participantIdOf } from '../../src/crypto/hash.ts';
import { createIdentity, identityFrom, verifySignature } from '../../src/crypto/identity.ts';
import vectors from '../vectors/rfc8032.json';

/** RFC 8410 section 7. */
const PKCS8_HEADER = fromHex('302e020100300506032b657004220420');

async function pairOf(secret: string, publicKey: string): Promise<CryptoKeyPair> {
  const document = concatBytes(PKCS8_HEADER, fromHex(secret));
  return {
    privateKey: await crypto.subtle.importKey('pkcs8', document, 'Ed25519', false, ['sign']),
    publicKey: await crypto.subtle.importKey('raw', fromHex(publicKey), 'Ed25519', true, ['verify']),
  };
}

afterEach(() => vi.restoreAllMocks());

describe('identity', () => {
  it.each(vectors.signatures)('signs and verifies "$message" as RFC 8032 does', async (vector) => {
    const identity = await identityFrom(await pairOf(vector.secret, vector.public));
    const message = fromHex(vector.message);
    expect(identity.publicKey).toBe(vector.public);
    expect(await identity.sign(message)).toBe(vector.signature);
    expect(await verifySignature(vector.public as PublicKey, vector.signature as Signature, message)).toBe(true);
    expect(await verifySignature(vector.public as PublicKey, vector.signature as Signature, utf8('other'))).toBe(false);
  });

  it('keeps the private key where nobody can read it', async () => {
    const identity = await createIdentity();
    expect(identity.keyPair.privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('pkcs8', identity.keyPair.privateKey)).rejects.toThrow();
    await expect(crypto.subtle.exportKey('jwk', identity.keyPair.privateKey)).rejects.toThrow();
    expect(identity.id).toBe(participantIdOf(identity.publicKey));
  });

  it('is the same after its key pair was stored', async () => {
    const identity = await createIdentity();
    const again = await identityFrom(identity.keyPair);
    expect(again.id).toBe(identity.id);
    const signature = await again.sign(utf8('hello'));
    expect(await verifySignature(identity.publicKey, signature, utf8('hello'))).toBe(true);
  });

  it('answers false to whatever is malformed, and does not throw', async () => {
    const identity = await createIdentity();
    const message = utf8('hello');
    const signature = await identity.sign(message);
    const other = await createIdentity();
    const wrong: readonly [string, string][] = [
      [other.publicKey, signature],
      [identity.publicKey, signature.slice(2)],
      [identity.publicKey, `${signature}00`],
      [identity.publicKey, ''],
      [identity.publicKey, 'not hexadecimal'],
      ['', signature],
      ['zz', signature],
      [identity.publicKey.slice(2), signature],
      ['ff'.repeat(32), signature],
    ];
    for (const [key, text] of wrong) {
      expect(await verifySignature(key as PublicKey, text as Signature, message)).toBe(false);
    }
  });

  it('refuses keys of small order, under which one signature fits every message', async () => {
    // The neutral element: R = it, S = 0 satisfies the equation for any message.
    const neutral = `01${'00'.repeat(31)}`;
    const signature = neutral + '00'.repeat(32);
    for (const key of [neutral, '00'.repeat(32), `ec${'ff'.repeat(30)}7f`]) {
      expect(await verifySignature(key as PublicKey, signature as Signature, utf8('anything'))).toBe(false);
    }
  });

  it('refuses exactly the keys that @noble finds to be of small order or no encoding', async () => {
    // A point of order 8 generates all of small order.
    const generator = ed25519.Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
    const torsion = [1, 2, 3, 4, 5, 6, 7].map((factor) => generator.multiplyUnsafe(BigInt(factor)).toHex());
    expect(new Set(torsion).size).toBe(7);
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    const wrong = [
      ...torsion,
      // Not reduced: p to p + 18 mean 0 to 18.
      ...Array.from({ length: 19 }, (_, i) => `${(0xed + i).toString(16)}${'ff'.repeat(30)}7f`),
      ...Array.from({ length: 19 }, (_, i) => `${(0xed + i).toString(16)}${'ff'.repeat(31)}`),
      // x = 0 with a sign.
      `01${'00'.repeat(30)}80`,
      `ec${'ff'.repeat(31)}`,
    ];
    for (const key of wrong) {
      expect(await verifySignature(key as PublicKey, '00'.repeat(64) as Signature, utf8('x'))).toBe(false);
    }
    expect(importKey).not.toHaveBeenCalled();
    // Just below p, and a sum of a good point and one of small order: keys like others.
    const mixed = ed25519.Point.BASE.add(generator).toHex();
    for (const key of [`eb${'ff'.repeat(30)}7f`, mixed]) {
      await verifySignature(key as PublicKey, '00'.repeat(64) as Signature, utf8('x'));
    }
    expect(importKey).toHaveBeenCalledTimes(2);
  });

  it('imports each key once, and forgets the oldest of many', async () => {
    const identity = await createIdentity();
    const message = utf8('hello');
    const signature = await identity.sign(message);
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    await verifySignature(identity.publicKey, signature, message);
    await verifySignature(identity.publicKey, signature, message);
    expect(importKey).toHaveBeenCalledTimes(1);
    // 600 others, none of which decodes to a key.
    for (let i = 0; i < 600; i++) {
      await verifySignature(i.toString(16).padStart(8, '0') as PublicKey, signature, message);
    }
    expect(await verifySignature(identity.publicKey, signature, message)).toBe(true);
    expect(importKey).toHaveBeenCalledTimes(2);
  });

  it('says which browsers to use where Ed25519 is missing', async () => {
    vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(new DOMException('unknown', 'NotSupportedError'));
    await expect(createIdentity()).rejects.toMatchObject({
      code: 'crypto/unsupported',
      advice: expect.stringContaining('Firefox'),
    });
  });

  it('refuses a stored pair of another kind', async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    await expect(identityFrom(pair)).rejects.toMatchObject({ code: 'crypto/key' });
  });
});
