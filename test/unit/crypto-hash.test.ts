import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '../../src/core/bytes.ts';
import type { Hash, PublicKey } from '../../src/core/ids.ts';
import {
  federationIdOf,
  hashOf,
  hkdfSha256,
  hmacSha256,
  participantIdOf,
  sha256,
  taggedHash,
} from '../../src/crypto/hash.ts';
import hkdfVectors from '../vectors/rfc5869.json';

const nodeSha256 = (...parts: Uint8Array[]): string => {
  const state = createHash('sha256');
  for (const part of parts) state.update(part);
  return state.digest('hex');
};

describe('hashing', () => {
  it('joins the parts before hashing', () => {
    expect(toHex(sha256(utf8('a'), utf8('bc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(hashOf(utf8('abc'))).toBe(nodeSha256(utf8('abc')));
    expect(hashOf()).toBe(nodeSha256());
  });

  it('gives a tag and its parts no way to be mistaken for another tag and other parts', () => {
    const hashes = [
      taggedHash('ab', utf8('c')),
      taggedHash('a', utf8('bc')),
      taggedHash('abc'),
      taggedHash('', utf8('abc')),
      hashOf(utf8('abc')),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(taggedHash('ab', utf8('c'))).toBe(nodeSha256(fromHex(nodeSha256(utf8('ab'))), utf8('c')));
  });

  it('names participants and federations by the first 16 bytes', () => {
    const key = '07'.repeat(32) as PublicKey;
    const planHash = '08'.repeat(32) as Hash;
    const random = new Uint8Array(16).fill(9);
    expect(participantIdOf(key)).toBe(nodeSha256(fromHex(key)).slice(0, 32));
    expect(federationIdOf(key, planHash, random)).toBe(
      nodeSha256(fromHex(key), fromHex(planHash), random).slice(0, 32),
    );
  });

  it('agrees with OpenSSL on HMAC', () => {
    const key = utf8('Jefe');
    expect(toHex(hmacSha256(key, utf8('what do ya want '), utf8('for nothing?')))).toBe(
      createHmac('sha256', key).update('what do ya want for nothing?').digest('hex'),
    );
  });

  it.each(hkdfVectors.derivations)(
    'derives the $length bytes of RFC 5869',
    ({ secret, salt, info, length, output }) => {
      expect(toHex(hkdfSha256(fromHex(secret), fromHex(salt), fromHex(info), length))).toBe(output);
    },
  );
});
