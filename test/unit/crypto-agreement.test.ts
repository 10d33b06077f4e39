import { x25519 } from '@noble/curves/ed25519.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import type { PublicKey } from '../../src/core/ids.ts';
import type * as Agreement from '../../src/crypto/agreement.ts';
import { seededPort } from '../reference/seededPort.ts';
import vectors from '../vectors/rfc7748.json';
import smallOrder from '../vectors/x25519-small-order.json';

const WAYS = ['WebCrypto', '@noble'] as const;

afterEach(() => vi.restoreAllMocks());

describe.each(WAYS)('X25519 through %s', (way) => {
  let agreement: typeof Agreement;
  let deriveBits: ReturnType<typeof vi.spyOn>;

  beforeEach(async () => {
    // What WebCrypto can do is found out once a page: each way gets a fresh module.
    vi.resetModules();
    agreement = await import('../../src/crypto/agreement.ts');
    deriveBits = vi.spyOn(crypto.subtle, 'deriveBits');
    if (way === '@noble') deriveBits.mockRejectedValue(new DOMException('unknown', 'NotSupportedError'));
  });

  it('goes that way', async () => {
    const key = await agreement.createAgreementKey(seededPort(1));
    await agreement.agree(key.secretKey, key.publicKey);
    // One call finds out whether WebCrypto can; only then do those for the public key and the agreement follow.
    expect(deriveBits).toHaveBeenCalledTimes(way === 'WebCrypto' ? 3 : 1);
  });

  it.each(vectors.products)('multiplies $scalar as RFC 7748 section 5.2', async ({ scalar, u, product }) => {
    expect(toHex(await agreement.agree(fromHex(scalar), u as PublicKey))).toBe(product);
  });

  it('reaches the values of RFC 7748 section 5.2 after 1 and 1,000 iterations', async () => {
    let scalar = fromHex(vectors.iterated.start);
    let u = vectors.iterated.start as PublicKey;
    for (let i = 1; i <= 1000; i++) {
      const product = await agreement.agree(scalar, u);
      if (i === 1) expect(toHex(product)).toBe(vectors.iterated.after1);
      u = toHex(scalar) as PublicKey;
      scalar = product;
    }
    expect(toHex(scalar)).toBe(vectors.iterated.after1000);
  });

  it('agrees as RFC 7748 section 6.1', async () => {
    const { aliceSecret, alicePublic, bobSecret, bobPublic, shared } = vectors.agreement;
    expect(await agreement.publicKeyOf(fromHex(aliceSecret))).toBe(alicePublic);
    expect(await agreement.publicKeyOf(fromHex(bobSecret))).toBe(bobPublic);
    expect(toHex(await agreement.agree(fromHex(aliceSecret), bobPublic as PublicKey))).toBe(shared);
    expect(toHex(await agreement.agree(fromHex(bobSecret), alicePublic as PublicKey))).toBe(shared);
  });

  it.each(smallOrder.smallOrder)('refuses the point %s', async (point) => {
    const { secretKey } = await agreement.createAgreementKey(seededPort(2));
    await expect(agreement.agree(secretKey, point as PublicKey)).rejects.toMatchObject({ code: 'crypto/small-order' });
    expect(agreement.isSmallOrder(point as PublicKey)).toBe(true);
    expect(() => x25519.getSharedSecret(secretKey, fromHex(point))).toThrow();
  });

  it.each(smallOrder.otherOrder)('takes the point %s', async (point) => {
    const { secretKey } = await agreement.createAgreementKey(seededPort(2));
    expect(agreement.isSmallOrder(point as PublicKey)).toBe(false);
    expect(await agreement.agree(secretKey, point as PublicKey)).toEqual(
      new Uint8Array(x25519.getSharedSecret(secretKey, fromHex(point))),
    );
  });

  it('takes the secret as it is now, not as it was', async () => {
    const peer = await agreement.createAgreementKey(seededPort(4));
    const { secretKey } = await agreement.createAgreementKey(seededPort(5));
    const before = await agreement.agree(secretKey, peer.publicKey);
    secretKey.set(fromHex(vectors.agreement.aliceSecret));
    const after = await agreement.agree(secretKey, peer.publicKey);
    expect(after).not.toEqual(before);
    expect(after).toEqual(await agreement.agree(peer.secretKey, vectors.agreement.alicePublic as PublicKey));
  });

  it('names a key of the wrong length', async () => {
    const { secretKey, publicKey } = await agreement.createAgreementKey(seededPort(6));
    await expect(agreement.agree(secretKey.slice(1), publicKey)).rejects.toMatchObject({ code: 'crypto/key' });
    await expect(agreement.agree(secretKey, '0909' as PublicKey)).rejects.toMatchObject({ code: 'crypto/key' });
    await expect(agreement.publicKeyOf(new Uint8Array(31))).rejects.toThrow('31 bytes');
  });
});

it('refuses zero from an engine that lets it pass', async () => {
  vi.resetModules();
  const agreement = await import('../../src/crypto/agreement.ts');
  const key = await agreement.createAgreementKey(seededPort(3));
  await agreement.agree(key.secretKey, key.publicKey);
  vi.spyOn(crypto.subtle, 'deriveBits').mockResolvedValue(new ArrayBuffer(32));
  await expect(agreement.agree(key.secretKey, key.publicKey)).rejects.toMatchObject({ code: 'crypto/small-order' });
});
