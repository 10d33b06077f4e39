/** What names a model: SHA-256 of its parameters as little-endian float32. */
import { float32ToBytes } from '../core/bytes.ts';
import type { Hash } from '../core/ids.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { hashOf } from '../crypto/hash.ts';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

export function modelHashOf(parameters: ModelParameters): Hash {
  // Hashed in place where memory has the right order already: no copy of a large model.
  if (LITTLE_ENDIAN) return hashOf(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength));
  return hashOf(float32ToBytes(parameters));
}
