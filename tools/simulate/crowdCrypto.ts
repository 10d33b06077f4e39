/** What of WebCrypto need not be done again, for thousands in one process: a public X25519 key is imported once for all. */
import { toHex } from '../../src/core/bytes.ts';

/** Those of the groups whose turn it is. */
const KEPT_KEYS = 20_000;

type Operation = (...input: unknown[]) => Promise<unknown>;

/** An operation in place of `subtle`'s, which gives undefined for what it leaves to that one. */
export type Quick = (...input: unknown[]) => Promise<unknown> | undefined;

export function crowdImportKey(importKey: Operation): Quick {
  const peers = new Map<string, Promise<unknown>>();
  return (...input) => {
    const [format, data, algorithm] = input;
    if (format !== 'raw' || !(data instanceof Uint8Array)) return undefined;
    if ((algorithm as { readonly name?: string }).name !== 'X25519') return undefined;
    const text = toHex(data);
    const key = peers.get(text) ?? importKey(...input);
    peers.set(text, key);
    for (const oldest of peers.keys()) {
      if (peers.size <= KEPT_KEYS) break;
      peers.delete(oldest);
    }
    return key;
  };
}
