/** Who signs: an Ed25519 key pair (RFC 8032) whose private half never leaves WebCrypto. */
import { fromHex, toHex } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { ParticipantId, PublicKey, Signature } from '../core/ids.ts';
import { COORDINATE_BYTES, coordinateOf, coordinateText, isReduced, P } from './curve25519.ts';
import { participantIdOf } from './hash.ts';

const ED25519 = { name: 'Ed25519' } as const;

/** Above any group with its coordinator, so that a whole round verifies without importing a key twice. */
const CACHED_KEYS = 512;

export interface Identity {
  readonly publicKey: PublicKey;
  readonly id: ParticipantId;
  /** Structured-clonable, so that a Store keeps it across reloads. */
  readonly keyPair: CryptoKeyPair;
  /** Gives 64 bytes, as hexadecimal text. */
  sign(message: Bytes): Promise<Signature>;
}

/** @throws HushError `crypto/unsupported` where WebCrypto has no Ed25519. */
export async function createIdentity(): Promise<Identity> {
  let keyPair: CryptoKeyPair;
  try {
    keyPair = await crypto.subtle.generateKey(ED25519, false, ['sign', 'verify']);
  } catch (cause) {
    throw new HushError('crypto/unsupported', 'This browser cannot make Ed25519 keys.', {
      advice: 'Use Chrome or Edge 137, Firefox 129 or Safari 17, or newer, over https or on localhost.',
      cause,
    });
  }
  return identityFrom(keyPair);
}

/** The identity of a stored key pair. @throws HushError `crypto/key` when the pair is not an Ed25519 pair. */
export async function identityFrom(keyPair: CryptoKeyPair): Promise<Identity> {
  const kind = keyPair.privateKey.algorithm.name;
  if (kind !== ED25519.name) {
    throw new HushError('crypto/key', `The stored key is of kind "${kind}", expected ${ED25519.name}.`, {
      advice: 'Clear the stored data of this site and join again.',
    });
  }
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', keyPair.publicKey));
  const publicKey = toHex(raw) as PublicKey;
  return {
    publicKey,
    id: participantIdOf(publicKey),
    keyPair,
    sign: async (message) => {
      const signature = await crypto.subtle.sign(ED25519, keyPair.privateKey, message);
      return toHex(new Uint8Array(signature)) as Signature;
    },
  };
}

/** What verifying leaves behind for the next time. */
export interface VerificationCache {
  readonly keys: Map<PublicKey, Promise<CryptoKey>>;
  /** Answers in place of verifying the same bytes again, where somebody else in this process did. */
  readonly results?: (
    publicKey: PublicKey,
    signature: Signature,
    message: Bytes,
    verify: () => Promise<boolean>,
  ) => Promise<boolean>;
}

let cache: VerificationCache = { keys: new Map() };

/** For simulations, in which thousands verify the same signature: from now on this cache is used. */
export function useVerificationCache(next: VerificationCache): void {
  cache = next;
}

/** False for whatever is not a valid signature, malformed keys and signatures included; never throws. */
export async function verifySignature(publicKey: PublicKey, signature: Signature, message: Bytes): Promise<boolean> {
  const { results } = cache;
  const verify = (): Promise<boolean> => verifyOnce(publicKey, signature, message);
  return results === undefined ? verify() : results(publicKey, signature, message, verify);
}

async function verifyOnce(publicKey: PublicKey, signature: Signature, message: Bytes): Promise<boolean> {
  try {
    const key = await importedKey(publicKey);
    return await crypto.subtle.verify(ED25519, key, fromHex(signature), message);
  } catch {
    return false;
  }
}

function importedKey(publicKey: PublicKey): Promise<CryptoKey> {
  const imported = cache.keys;
  const known = imported.get(publicKey);
  if (known) return known;
  const key = importPublic(publicKey);
  for (const oldest of imported.keys()) {
    if (imported.size < CACHED_KEYS) break;
    imported.delete(oldest);
  }
  imported.set(publicKey, key);
  return key;
}

/**
 * The y-coordinates of all points of order 1, 2, 4 and 8: 1, p − 1, 0, and those of the four points of order 8, which
 * differ in sign.
 */
const SMALL_ORDER = new Set([
  ...[0n, 1n, P - 1n].map(coordinateText),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/**
 * Under a key of small order one signature fits every message, and engines disagree on whether it verifies (Chalkias et
 * al. 2020, "Taming the many EdDSAs", section 3): such keys, and encodings that are not canonical, are refused here.
 */
async function importPublic(publicKey: PublicKey): Promise<CryptoKey> {
  const raw = fromHex(publicKey);
  if (raw.length !== COORDINATE_BYTES || !isReduced(raw) || SMALL_ORDER.has(coordinateOf(raw))) {
    throw new RangeError(`"publicKey" is ${publicKey}, expected a canonical key of large order`);
  }
  return crypto.subtle.importKey('raw', raw, ED25519, true, ['verify']);
}
