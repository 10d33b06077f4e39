/** Results of verification are shared for the same bytes under the same key, and for nothing else. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import type { Hash, PublicKey, Signature } from '../../src/core/ids.ts';
import { createIdentity, verifySignature } from '../../src/crypto/identity.ts';
import { ownVerification, sharedVerification, useVerification } from '../../tools/simulate/verification.ts';

async function signed() {
  onTestFinished(() => useVerification(ownVerification()));
  const identity = await createIdentity();
  const message = utf8('the same bytes');
  const verify = vi.spyOn(crypto.subtle, 'verify');
  onTestFinished(() => verify.mockRestore());
  return { identity, message, signature: await identity.sign(message), verify };
}

describe('shared verification', () => {
  it('verifies the same bytes once', async () => {
    const { identity, message, signature, verify } = await signed();
    useVerification(sharedVerification());
    for (let i = 0; i < 5; i++) {
      expect(await verifySignature(identity.publicKey, signature, message.slice())).toBe(true);
    }
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it('takes no other message, key or signature for one that was verified', async () => {
    const { identity, message, signature } = await signed();
    const other = await createIdentity();
    useVerification(sharedVerification());
    expect(await verifySignature(identity.publicKey, signature, message)).toBe(true);
    expect(await verifySignature(identity.publicKey, signature, utf8('other bytes...'))).toBe(false);
    expect(await verifySignature(other.publicKey, signature, message)).toBe(false);
    expect(await verifySignature(identity.publicKey, await other.sign(message), message)).toBe(false);
    expect(await verifySignature(identity.publicKey, signature, message)).toBe(true);
  });

  it('is not there for those who share nothing', async () => {
    const { identity, message, signature, verify } = await signed();
    useVerification(ownVerification());
    for (let i = 0; i < 3; i++) expect(await verifySignature(identity.publicKey, signature, message)).toBe(true);
    expect(verify).toHaveBeenCalledTimes(3);
  });
});

describe('shared checks of adverts', () => {
  const advert = {
    publicKey: 'a1' as PublicKey,
    boxKey: 'b2' as PublicKey,
    maskKey: 'c3' as PublicKey,
    commitment: 'd4' as Hash,
    credential: 'e5' as Hash,
    signature: 'f6' as Signature,
  };

  it('check one advert of one round once, and another by itself', async () => {
    const { adverts } = sharedVerification();
    const check = vi.fn(() => Promise.reject(new Error('not good')));
    const checks = async (round: number, change: Partial<typeof advert>): Promise<number> => {
      await expect(adverts(round, { ...advert, ...change }, check)).rejects.toThrow('not good');
      return check.mock.calls.length;
    };
    expect(await checks(1, {})).toBe(1);
    expect(await checks(1, {})).toBe(1);
    expect(await checks(2, {})).toBe(2);
    expect(await checks(1, { credential: 'e6' as Hash })).toBe(3);
    expect(await checks(1, { maskKey: 'c4' as PublicKey })).toBe(4);
  });

  it('are not there for those who share nothing', async () => {
    const { adverts } = ownVerification();
    const check = vi.fn(() => Promise.reject(new Error('not good')));
    for (let i = 0; i < 2; i++) await expect(adverts(1, advert, check)).rejects.toThrow('not good');
    expect(check).toHaveBeenCalledTimes(2);
  });
});
