/** SHA-256 and what is built on it: names of things, HMAC, HKDF. Synchronous, since state machines cannot wait. */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { fromHex, ownBytes, toHex, utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { FederationId, Hash, ParticipantId, PublicKey } from '../core/ids.ts';

/** Bytes of a participant's or federation's id. */
const ID_BYTES = 16;

const HASH_BYTES = 32;
const BLOCK_BYTES = 64;

const START = nobleSha256.create();
/** One for all: trees of a few hundred leaves take thousands of hashes, and making a state costs as much as hashing. */
const state = nobleSha256.create();
/** Where every digest is written first: a view is made on it, for which a small array of its own would have to move. */
const written = new Uint8Array(HASH_BYTES);

/** SHA-256 (FIPS 180-4) of the parts joined, 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  START._cloneInto(state);
  for (const part of parts) state.update(part);
  state.digestInto(written);
  return written.slice();
}

/** From here on WebCrypto, off this thread, beats a hash in JavaScript. */
const LARGE_BYTES = 4096;

/** SHA-256 of something that may be large, without holding up the thread. */
export async function sha256Later(bytes: Uint8Array): Promise<Bytes> {
  if (bytes.length < LARGE_BYTES) return sha256(bytes);
  const own = bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : ownBytes(bytes);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', own));
}

/** SHA-256 of the parts joined. The parts' borders are not hashed: give parts of fixed length, or one at most that is not. */
export function hashOf(...parts: readonly Uint8Array[]): Hash {
  return toHex(sha256(...parts)) as Hash;
}

/**
 * SHA-256(SHA-256(tag) ‖ parts): a tag of any length takes 32 bytes, so no tag together with its parts can be mistaken
 * for another. The parts' own borders are not hashed, as with `hashOf`.
 */
export function taggedHash(tag: string, ...parts: readonly Uint8Array[]): Hash {
  return hashOf(sha256(utf8(tag)), ...parts);
}

/** First 16 bytes of SHA-256 of the Ed25519 public key. */
export function participantIdOf(publicKey: PublicKey): ParticipantId {
  return toHex(sha256(fromHex(publicKey)).subarray(0, ID_BYTES)) as ParticipantId;
}

/** First 16 bytes of SHA-256(coordinator's key ‖ plan hash ‖ random); `random` is 16 bytes, drawn once for each launch. */
export function federationIdOf(coordinatorKey: PublicKey, planHash: Hash, random: Bytes): FederationId {
  const digest = sha256(fromHex(coordinatorKey), fromHex(planHash), random);
  return toHex(digest.subarray(0, ID_BYTES)) as FederationId;
}

/** The key of a MAC, padded; of all MACs, one after the other. */
const pad = new Uint8Array(BLOCK_BYTES);
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** RFC 2104 with SHA-256, 32 bytes. Made of `sha256`, since a round derives a thousand keys. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  pad.fill(0).set(key.length > BLOCK_BYTES ? sha256(key) : key);
  for (let i = 0; i < BLOCK_BYTES; i++) pad[i] = (pad[i] ?? 0) ^ INNER_PAD;
  const inner = sha256(pad, ...parts);
  for (let i = 0; i < BLOCK_BYTES; i++) pad[i] = (pad[i] ?? 0) ^ INNER_PAD ^ OUTER_PAD;
  const mac = sha256(pad, inner);
  pad.fill(0);
  return mac;
}

/** RFC 5869 with SHA-256. `length` in bytes, at most 8,160. */
export function hkdfSha256(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Bytes {
  if (length > 255 * HASH_BYTES) throw new RangeError(`"length" is ${length}, expected at most ${255 * HASH_BYTES}`);
  const key = hmacSha256(salt, secret);
  const derived = new Uint8Array(length);
  let block: Bytes = new Uint8Array();
  for (let i = 0; i * HASH_BYTES < length; i++) {
    block = hmacSha256(key, block, info, Uint8Array.of(i + 1));
    derived.set(block.subarray(0, length - i * HASH_BYTES), i * HASH_BYTES);
  }
  return derived;
}
