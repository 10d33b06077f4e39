/** The hash of a SumSpec, which masks and signatures are bound to. */
import type { Hash } from '../core/ids.ts';
import type { SumSpec } from '../core/sumSpec.ts';
import { hashOf } from '../crypto/hash.ts';
import { encodeCbor } from './cbor.ts';

export function sumSpecHashOf({ kind, segments }: SumSpec): Hash {
  return hashOf(
    encodeCbor([
      kind,
      segments.map(({ name, length, bits, scale, block, centred }) => [name, length, bits, scale, block, centred]),
    ]),
  );
}
