/** What names a model: SHA-256 of its parameters as little-endian float32. */
import { float32AsBytes, toHex } from '../core/bytes.ts';
import type { Hash } from '../core/ids.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { hashOf, sha256Later } from '../crypto/hash.ts';

export function modelHashOf(parameters: ModelParameters): Hash {
  return hashOf(float32AsBytes(parameters));
}

/** The same, without holding up the thread: for the page, where a large model's hash would take longer than a frame. */
export async function modelHashLater(parameters: ModelParameters): Promise<Hash> {
  return toHex(await sha256Later(float32AsBytes(parameters))) as Hash;
}
