/** A box that only the holder of its key can open: AES-256-GCM (NIST SP 800-38D), IV of 12 bytes ‖ ciphertext ‖ tag of 16. */
import { concatBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Random } from '../core/ports.ts';

const AES_GCM = 'AES-GCM';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What a box is longer than its content by. */
export const BOX_OVERHEAD_BYTES = IV_BYTES + TAG_BYTES;

/** `key` is 32 bytes and used for one box only; a resend repeats the box, it does not seal again. */
export async function sealBox(key: Bytes, plaintext: Bytes, random: Random): Promise<Bytes> {
  const iv = random.bytes(IV_BYTES);
  const aes = await crypto.subtle.importKey('raw', key, AES_GCM, false, ['encrypt']);
  const sealed = await crypto.subtle.encrypt({ name: AES_GCM, iv }, aes, plaintext);
  return concatBytes(iv, new Uint8Array(sealed));
}

/** @throws HushError `crypto/box` when the box is too short, was changed, or belongs to another key. */
export async function openBox(key: Bytes, box: Bytes): Promise<Bytes> {
  if (box.length < BOX_OVERHEAD_BYTES) {
    throw new HushError('crypto/box', `The box has ${box.length} bytes, expected at least ${BOX_OVERHEAD_BYTES}.`);
  }
  try {
    const aes = await crypto.subtle.importKey('raw', key, AES_GCM, false, ['decrypt']);
    const iv = box.subarray(0, IV_BYTES);
    return new Uint8Array(await crypto.subtle.decrypt({ name: AES_GCM, iv }, aes, box.subarray(IV_BYTES)));
  } catch (cause) {
    throw new HushError('crypto/box', `The box of ${box.length} bytes does not open under its key.`, { cause });
  }
}
