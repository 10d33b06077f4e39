/** A few values before and after masking, for the eyes of the person whose tab this is. */
import type { MaskedUpdate, RawUpdate } from '../core/updateStages.ts';
import { unpackWords } from '../update/pack.ts';

const RAW_VALUES = 9;
const MASKED_WORDS = 12;

/** Rounded to four decimals. */
export function rawGlimpse(raw: RawUpdate): readonly number[] {
  return Array.from(raw.subarray(0, RAW_VALUES), (value) => Math.round(value * 1e4) / 1e4);
}

/** Ring words of `ringBits` bits, hexadecimal. */
export function maskedGlimpse(masked: MaskedUpdate, ringBits: number): readonly string[] {
  // Eight words end on a whole byte, whatever their bits.
  const eights = Math.min(Math.ceil(MASKED_WORDS / 8), Math.floor(masked.length / ringBits));
  const words = unpackWords(masked.subarray(0, eights * ringBits), 8 * eights, ringBits);
  const digits = Math.ceil(ringBits / 4);
  return Array.from(words.subarray(0, MASKED_WORDS), (word) => word.toString(16).padStart(digits, '0'));
}
