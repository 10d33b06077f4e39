/**
 * What of WebCrypto costs more around than inside, for thousands in one process: AES-256-GCM of a hundred bytes through
 * Node's own interface, which waits for no other thread, and public X25519 keys that everyone of a group imports, once.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { toHex } from '../../src/core/bytes.ts';

const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;
/** Those of the groups whose turn it is. */
const KEPT_KEYS = 20_000;

type Operation = (...input: unknown[]) => Promise<unknown>;

class AesKey {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes.slice();
  }
}

/** An operation in place of `subtle`'s, which gives undefined for what it leaves to that one. */
export type Quick = (...input: unknown[]) => Promise<unknown> | undefined;

export function crowdCrypto(importKey: Operation): Readonly<Record<string, Quick>> {
  const peers = new Map<string, Promise<unknown>>();
  return {
    importKey(...input) {
      const [format, data, algorithm] = input;
      if (format !== 'raw' || !(data instanceof Uint8Array)) return undefined;
      if (algorithm === 'AES-GCM') return Promise.resolve(new AesKey(data));
      if ((algorithm as { readonly name?: string }).name !== 'X25519') return undefined;
      const text = toHex(data);
      const key = peers.get(text) ?? importKey(...input);
      peers.set(text, key);
      for (const oldest of peers.keys()) {
        if (peers.size <= KEPT_KEYS) break;
        peers.delete(oldest);
      }
      return key;
    },
    encrypt: (...[algorithm, key, data]) => (key instanceof AesKey ? encrypt(algorithm, key, data) : undefined),
    decrypt: (...[algorithm, key, data]) => (key instanceof AesKey ? decrypt(algorithm, key, data) : undefined),
  };
}

async function encrypt(algorithm: unknown, { bytes }: AesKey, data: unknown): Promise<Uint8Array> {
  const cipher = createCipheriv(CIPHER, bytes, (algorithm as { readonly iv: Uint8Array }).iv);
  const text = cipher.update(data as Uint8Array);
  cipher.final();
  return Buffer.concat([text, cipher.getAuthTag()]);
}

async function decrypt(algorithm: unknown, { bytes }: AesKey, data: unknown): Promise<Uint8Array> {
  const sealed = data as Uint8Array;
  const decipher = createDecipheriv(CIPHER, bytes, (algorithm as { readonly iv: Uint8Array }).iv);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const text = decipher.update(sealed.subarray(0, -TAG_BYTES));
  decipher.final();
  return text;
}
