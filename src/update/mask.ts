/** Hiding a vector: the last step before anything may leave the worker. */
import type { MaskSeed } from '../core/localWork.ts';
import type { FieldVector, MaskedUpdate, NoisedFieldVector } from '../core/updateStages.ts';
import { addKeystreams } from '../crypto/prg.ts';
import { packWords } from './pack.ts';

/**
 * y = x + Σ ± PRG(seed) modulo 2^R, packed (Bonawitz et al. 2017, section 4, round 2). Each seed is one stream over the
 * whole vector: streams that start again for each tensor would leak the differences between one's own tensors.
 */
export function mask(
  vector: FieldVector | NoisedFieldVector,
  ringBits: number,
  seeds: readonly MaskSeed[],
): MaskedUpdate {
  const words = vector.slice();
  addKeystreams(words, seeds);
  return packWords(words, ringBits) as MaskedUpdate;
}
