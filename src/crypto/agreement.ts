/** Key agreement by X25519 (RFC 7748): through WebCrypto where it is there, else through @noble, ten times slower. */
import { x25519 } from '@noble/curves/ed25519.js';
import { concatBytes, equalBytes, fromHex, ownBytes, toHex } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { PublicKey } from '../core/ids.ts';
import type { Random } from '../core/ports.ts';
import { coordinateOf, coordinateText, isReduced, P } from './curve25519.ts';

const X25519 = { name: 'X25519' } as const;
const KEY_BYTES = 32;

/** The header of a PKCS #8 document around a raw X25519 key (RFC 8410 section 7): WebCrypto imports no raw secret keys. */
const PKCS8_HEADER = fromHex('302e020100300506032b656e04220420');

const BASE_POINT = `09${'00'.repeat(KEY_BYTES - 1)}` as PublicKey;

/** RFC 7748 section 6.1. */
const ALICE_SECRET = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a';
const ALICE_PUBLIC = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a';

export interface AgreementKey {
  readonly publicKey: PublicKey;
  /** 32 bytes; raw, since it is shared out among the group. */
  readonly secretKey: Bytes;
}

export async function createAgreementKey(random: Random): Promise<AgreementKey> {
  const secretKey = random.bytes(KEY_BYTES);
  return { publicKey: await publicKeyOf(secretKey), secretKey };
}

/** The agreement with the base point (RFC 7748 section 6.1). @throws HushError `crypto/key` when not 32 bytes. */
export async function publicKeyOf(secretKey: Bytes): Promise<PublicKey> {
  return toHex(await agree(secretKey, BASE_POINT)) as PublicKey;
}

/** Public keys that were imported, for who agrees with the same ones again and again. */
export type PeerKeys = Map<PublicKey, Promise<CryptoKey>>;

/**
 * The shared secret, 32 bytes: to be put through HKDF before use.
 * @throws HushError `crypto/small-order` when the result would be the same for every secret key, `crypto/key` when a
 * key has a wrong length.
 */
export async function agree(
  secretKey: Bytes,
  publicKey: PublicKey,
  peers: PeerKeys = new Map<PublicKey, Promise<CryptoKey>>(),
): Promise<Bytes> {
  checkSecret(secretKey);
  const peer = fromHex(publicKey);
  if (peer.length !== KEY_BYTES) {
    throw new HushError('crypto/key', `The public key has ${peer.length} bytes, expected ${KEY_BYTES}.`);
  }
  if (isSmallOrder(publicKey)) throw smallOrder(publicKey);
  const shared = (await webCryptoHasX25519())
    ? await agreeInWebCrypto(secretKey, await importedPeer(publicKey, peer, peers))
    : ownBytes(x25519.getSharedSecret(secretKey, peer));
  // RFC 7748 section 6.1: not every engine checks this, and the list above must not be the only guard.
  if (shared.every((byte) => byte === 0)) throw smallOrder(publicKey);
  return shared;
}

/** The u-coordinates of all points of order 1, 2, 4 and 8, on the curve and on its twist (https://cr.yp.to/ecdh.html). */
const SMALL_ORDER_U = [
  0n,
  1n,
  P - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
];

/** Also as values from p up, which RFC 7748 section 5 reads modulo p. */
const SMALL_ORDER = new Set([...SMALL_ORDER_U, P, P + 1n].map(coordinateText));

/** Whether agreeing with this key gives zero whatever the secret key is; also in encodings that are not canonical. */
export function isSmallOrder(publicKey: PublicKey): boolean {
  return SMALL_ORDER.has(coordinateOf(fromHex(publicKey)));
}

/** Whether this is the one encoding of its point: below p and without the top bit, which RFC 7748 section 5 ignores. */
export function isCanonical(publicKey: PublicKey): boolean {
  const encoded = fromHex(publicKey);
  return isReduced(encoded) && (encoded[KEY_BYTES - 1] ?? 0) < 0x80;
}

async function agreeInWebCrypto(secretKey: Bytes, peer: CryptoKey): Promise<Bytes> {
  const own = await importedSecret(secretKey);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: X25519.name, public: peer }, own, 8 * KEY_BYTES));
}

function importPeer(raw: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', raw, X25519, true, []);
}

function importedPeer(publicKey: PublicKey, raw: Bytes, peers: PeerKeys): Promise<CryptoKey> {
  const key = peers.get(publicKey) ?? importPeer(raw);
  peers.set(publicKey, key);
  return key;
}

interface ImportedSecret {
  readonly bytes: Bytes;
  readonly key: Promise<CryptoKey>;
}

/** One key agrees with everyone in the group, and importing it costs several agreements; gone with the array itself. */
const importedSecrets = new WeakMap<Bytes, ImportedSecret>();

function importedSecret(secretKey: Bytes): Promise<CryptoKey> {
  // An array can be wiped or written anew, so that its identity alone says nothing about what is in it.
  const known = importedSecrets.get(secretKey);
  if (known && equalBytes(known.bytes, secretKey)) return known.key;
  const document = concatBytes(PKCS8_HEADER, secretKey);
  const key = crypto.subtle.importKey('pkcs8', document, X25519, false, ['deriveBits']);
  importedSecrets.set(secretKey, { bytes: secretKey.slice(), key });
  return key;
}

let probe: Promise<boolean> | undefined;

/** Once a page: whether WebCrypto knows X25519, and gives what RFC 7748 section 6.1 says. */
function webCryptoHasX25519(): Promise<boolean> {
  probe ??= (async () => {
    try {
      return (
        toHex(await agreeInWebCrypto(fromHex(ALICE_SECRET), await importPeer(fromHex(BASE_POINT)))) === ALICE_PUBLIC
      );
    } catch {
      return false;
    }
  })();
  return probe;
}

function checkSecret(secretKey: Bytes): void {
  if (secretKey.length === KEY_BYTES) return;
  throw new HushError('crypto/key', `The secret key has ${secretKey.length} bytes, expected ${KEY_BYTES}.`);
}

function smallOrder(publicKey: PublicKey): HushError {
  return new HushError('crypto/small-order', `The public key ${publicKey} is a point of small order.`);
}
