/** A crowd's boxes are those that WebCrypto seals and opens, and its keys agree as others do. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { agree, createAgreementKey } from '../../src/crypto/agreement.ts';
import { openBox, sealBox } from '../../src/crypto/box.ts';
import { CryptoBarrier } from '../../tools/simulate/cryptoBarrier.ts';
import { seededPort } from '../reference/seededPort.ts';

function barrier(): CryptoBarrier {
  const installed = new CryptoBarrier();
  installed.install();
  onTestFinished(() => installed.uninstall());
  return installed;
}

describe('crypto of a crowd', () => {
  it('seals and opens the same boxes as WebCrypto', async () => {
    const crypto = barrier();
    for (const text of ['', 'a share', 'x'.repeat(500)]) {
      const key = seededPort(1).bytes(32);
      crypto.isCrowd = true;
      const quick = await sealBox(key, utf8(text), seededPort(2));
      expect(await openBox(key, quick)).toEqual(utf8(text));
      crypto.isCrowd = false;
      expect(await sealBox(key, utf8(text), seededPort(2))).toEqual(quick);
      expect(await openBox(key, quick)).toEqual(utf8(text));
    }
  });

  it('opens no box that was changed, nor under another key', async () => {
    const crypto = barrier();
    crypto.isCrowd = true;
    const key = seededPort(1).bytes(32);
    const box = await sealBox(key, utf8('a share'), seededPort(2));
    await expect(openBox(seededPort(3).bytes(32), box)).rejects.toMatchObject({ code: 'crypto/box' });
    for (let i = 0; i < box.length; i++) {
      const changed = box.slice();
      changed[i]! ^= 1;
      await expect(openBox(key, changed)).rejects.toMatchObject({ code: 'crypto/box' });
    }
  });

  it('agrees on the same secrets, whoever imported a key before', async () => {
    const crypto = barrier();
    const [a, b] = [await createAgreementKey(seededPort(4)), await createAgreementKey(seededPort(5))];
    const expected = await agree(a.secretKey, b.publicKey);
    crypto.isCrowd = true;
    for (let i = 0; i < 2; i++) {
      expect(await agree(a.secretKey, b.publicKey)).toEqual(expected);
      expect(await agree(b.secretKey, a.publicKey)).toEqual(expected);
    }
  });
});
