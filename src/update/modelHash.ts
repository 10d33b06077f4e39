/** What names a model: SHA-256 of its parameters as little-endian float32. */
import { float32ToBytes, toHex } from '../core/bytes.ts';
import type { Hash } from '../core/ids.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { hashOf, sha256Later } from '../crypto/hash.ts';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

export function modelHashOf(parameters: ModelParameters): Hash {
  return hashOf(littleEndian(parameters));
}

/** The same, without holding up the thread: for the page, where a large model's hash would take longer than a frame. */
export async function modelHashLater(parameters: ModelParameters): Promise<Hash> {
  return toHex(await sha256Later(littleEndian(parameters))) as Hash;
}

/** In place where memory has the right order already: no copy of a large model. */
function littleEndian(parameters: ModelParameters): Uint8Array {
  if (!LITTLE_ENDIAN) return float32ToBytes(parameters);
  return new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
}
