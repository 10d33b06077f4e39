/** Results of verification are shared for the same bytes under the same key, and for nothing else. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
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

describe('shared reading', () => {
  it('reads the same bytes of one type once, and checks what was read once', () => {
    const { sharing } = sharedVerification();
    const read = vi.fn(() => ({ read: true }));
    const first = sharing.body('roster', sha256(utf8('body')), read);
    expect(sharing.body('roster', sha256(utf8('body')), read)).toBe(first);
    expect(read).toHaveBeenCalledTimes(1);
    expect(sharing.body('draw', sha256(utf8('body')), read)).not.toBe(first);
    expect(sharing.body('roster', sha256(utf8('other')), read)).not.toBe(first);
    const check = vi.fn(() => 7);
    const object = first as object;
    expect([sharing.check(object, 'a', check), sharing.check(object, 'a', check)]).toEqual([7, 7]);
    expect(check).toHaveBeenCalledTimes(1);
    sharing.check(object, 'b', check);
    sharing.check({ read: true }, 'a', check);
    expect(check).toHaveBeenCalledTimes(3);
  });

  it('keeps nothing of what one is told, or tells', () => {
    const { sharing } = sharedVerification();
    const read = vi.fn(() => ({}));
    for (const type of ['deliver', 'share', 'masked', 'unmask']) {
      for (let i = 0; i < 2; i++) sharing.body(type, sha256(utf8('body')), read);
    }
    expect(read).toHaveBeenCalledTimes(8);
  });

  it('keeps no failure to read or to check, but a promise that fails', async () => {
    const { sharing } = sharedVerification();
    const fail = vi.fn((): object => {
      throw new Error('not good');
    });
    const object = {};
    for (let i = 0; i < 2; i++) {
      expect(() => sharing.body('roster', sha256(utf8('body')), fail)).toThrow('not good');
      expect(() => sharing.check(object, 'a', fail)).toThrow('not good');
    }
    expect(fail).toHaveBeenCalledTimes(4);
    const reject = vi.fn(() => Promise.reject(new Error('not good')));
    for (let i = 0; i < 2; i++) await expect(sharing.check(object, 'a', reject)).rejects.toThrow('not good');
    expect(reject).toHaveBeenCalledTimes(1);
  });

  it('is not there for those who share nothing', () => {
    const { sharing } = ownVerification();
    const read = vi.fn(() => ({}));
    for (let i = 0; i < 2; i++) sharing.check(sharing.body('roster', sha256(utf8('body')), read) as object, 'a', read);
    expect(read).toHaveBeenCalledTimes(4);
  });
});
