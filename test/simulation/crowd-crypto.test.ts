/** A crowd's keys agree as others do. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { agree, createAgreementKey } from '../../src/crypto/agreement.ts';
import { CryptoBarrier } from '../../tools/simulate/cryptoBarrier.ts';
import { seededPort } from '../reference/seededPort.ts';

function barrier(): CryptoBarrier {
  const installed = new CryptoBarrier();
  installed.install();
  onTestFinished(() => installed.uninstall());
  return installed;
}

describe('crypto of a crowd', () => {
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
