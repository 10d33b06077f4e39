/**
 * A box that only the holder of its key can open: ChaCha20-Poly1305 (RFC 8439 section 2.8, no additional data), nonce of 12
 * bytes ‖ ciphertext ‖ tag of 16. Through @noble: a box is a few hundred bytes, for which WebCrypto takes five times as long,
 * most of it on the way to another thread and back.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { concatBytes, ownBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Random } from '../core/ports.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a box is longer than its content by. */
export const BOX_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;

/** `key` is 32 bytes and used for one box only; a resend repeats the box, it does not seal again. */
export function sealBox(key: Bytes, plaintext: Bytes, random: Random): Bytes {
  const nonce = random.bytes(NONCE_BYTES);
  return concatBytes(nonce, chacha20poly1305(key, nonce).encrypt(plaintext));
}

/** @throws HushError `crypto/box` when the box is too short, was changed, or belongs to another key. */
export function openBox(key: Bytes, box: Bytes): Bytes {
  if (box.length < BOX_OVERHEAD_BYTES) {
    throw new HushError('crypto/box', `The box has ${box.length} bytes, expected at least ${BOX_OVERHEAD_BYTES}.`);
  }
  try {
    return ownBytes(chacha20poly1305(key, box.subarray(0, NONCE_BYTES)).decrypt(box.subarray(NONCE_BYTES)));
  } catch (cause) {
    throw new HushError('crypto/box', `The box of ${box.length} bytes does not open under its key.`, { cause });
  }
}
