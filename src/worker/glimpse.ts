/** A few values before and after masking, for the eyes of the person whose tab this is. */
import type { MaskedUpdate, RawUpdate } from '../core/updateStages.ts';
import { unpackWords } from '../update/pack.ts';

const RAW_VALUES = 9;
const MASKED_WORDS = 12;
/** Eight words end on a whole byte, whatever their bits. */
const ALIGNMENT = 8;

export interface RawGlimpse {
  /** Where in the vector the values stand. */
  readonly start: number;
  readonly values: readonly number[];
}

/** Of the place whose smallest value is the largest: pixels that are always black leave their weights as they were. */
export function rawGlimpse(raw: RawUpdate): RawGlimpse {
  let start = 0;
  let most = 0;
  for (let from = 0; from + RAW_VALUES <= raw.length; from += ALIGNMENT) {
    const smallest = raw
      .subarray(from, from + RAW_VALUES)
      .reduce((least, value) => Math.min(least, Math.abs(value)), Infinity);
    if (smallest <= most) continue;
    most = smallest;
    start = from;
  }
  const values = raw.subarray(start, start + RAW_VALUES);
  return { start, values: Array.from(values, (value) => Math.round(value * 1e4) / 1e4) };
}

/** Ring words of `ringBits` bits from word `start` on, hexadecimal. */
export function maskedGlimpse(masked: MaskedUpdate, ringBits: number, start: number): readonly string[] {
  const firstByte = (start / ALIGNMENT) * ringBits;
  const rest = masked.subarray(firstByte);
  const eights = Math.min(Math.ceil(MASKED_WORDS / ALIGNMENT), Math.floor(rest.length / ringBits));
  const words = unpackWords(rest.subarray(0, eights * ringBits), ALIGNMENT * eights, ringBits);
  const digits = Math.ceil(ringBits / 4);
  return Array.from(words.subarray(0, MASKED_WORDS), (word) => word.toString(16).padStart(digits, '0'));
}
