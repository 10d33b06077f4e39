/** Everything random of a simulation follows from one number: generators, keys, identities. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, fromHex, utf8 } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import type { Random } from '../../src/core/ports.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { identityFrom } from '../../src/crypto/identity.ts';
import type { Identity } from '../../src/crypto/identity.ts';
import { keystreamWords } from '../../src/crypto/prg.ts';

/** The header of a PKCS #8 document around an Ed25519 seed (RFC 8410 section 7). */
const PKCS8_HEADER = fromHex('302e020100300506032b657004220420');

/** Drawn ahead, since most requests are short. */
const AHEAD_WORDS = 256;

/** 32 bytes for one purpose; other purposes under the same number have nothing to do with them. */
export function seedFor(seed: number, ...purpose: readonly (string | number)[]): Bytes {
  return sha256(utf8(`hushgrad simulation ${seed} ${purpose.join(' ')}`));
}

/** For choices of the simulation itself: faults, delays. */
export function choicesFor(seed: number, ...purpose: readonly (string | number)[]): SeededRandom {
  return new SeededRandom(seedFor(seed, ...purpose));
}

/** The Random port over ChaCha20's stream under a seed. */
export function seededPort(seed: Bytes): Random {
  let ahead = new Uint8Array(0);
  let words = 0;
  const draw = (count: number): Bytes => {
    const drawn = keystreamWords(seed, count, words);
    words += count;
    return new Uint8Array(drawn.buffer as ArrayBuffer);
  };
  return {
    bytes(length) {
      if (length > 4 * AHEAD_WORDS) return draw(Math.ceil(length / 4)).subarray(0, length);
      if (ahead.length < length) ahead = draw(AHEAD_WORDS);
      const bytes = ahead.slice(0, length);
      ahead = ahead.subarray(length);
      return bytes;
    },
  };
}

export async function identityOf(seed: Bytes): Promise<Identity> {
  const document = concatBytes(PKCS8_HEADER, seed);
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('pkcs8', document, 'Ed25519', false, ['sign']),
    crypto.subtle.importKey('raw', new Uint8Array(ed25519.getPublicKey(seed)), 'Ed25519', true, ['verify']),
  ]);
  return identityFrom({ privateKey, publicKey });
}
