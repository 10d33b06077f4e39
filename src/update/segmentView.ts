/** A SumSpec's segments laid over a vector, and the limbs in which a segment carries one wide integer. */
import { WIDE_INTEGER_BITS } from '../core/sumSpec.ts';
import type { Segment, SumSpec } from '../core/sumSpec.ts';

export const MAX_WIDE_INTEGER = 2 ** WIDE_INTEGER_BITS - 1;

export interface SegmentView {
  readonly segment: Segment;
  /** The segment's words, in the vector's own memory. */
  readonly words: Uint32Array;
}

/** One view a segment, in the spec's order; `vector` has as many words as the spec. */
export function segmentViews(sumSpec: SumSpec, vector: Uint32Array): SegmentView[] {
  let offset = 0;
  return sumSpec.segments.map((segment) => {
    const words = vector.subarray(offset, offset + segment.length);
    offset += segment.length;
    return { segment, words };
  });
}

/** The words of one integer, where a segment carries `count` of them one after the other. */
export function integerView({ segment, words }: SegmentView, index: number, count: number): SegmentView {
  const limbs = segment.length / count;
  return { segment, words: words.subarray(index * limbs, (index + 1) * limbs) };
}

/** Cuts an integer that is not negative into limbs of the segment's bits, least significant first. */
export function writeLimbs({ segment, words }: SegmentView, value: number): void {
  const base = 2 ** segment.bits;
  let rest = value;
  for (let i = 0; i < words.length; i++) {
    words[i] = rest % base;
    rest = Math.floor(rest / base);
  }
}

/** The integer of the limbs; limbs that were added up may exceed their bits. Above 2^53 rounded, by everyone alike. */
export function readLimbs({ segment, words }: SegmentView): number {
  const base = 2 ** segment.bits;
  let value = 0;
  for (let i = words.length - 1; i >= 0; i--) value = value * base + (words[i] ?? 0);
  return value;
}

/**
 * 2s − survivors · (2^b − 1) of each word s of a sum: twice its distance from the middle of its range, so an integer, where one
 * stands for half of the segment's scale. Float64, shape [words].
 */
export function aroundMiddle({ segment, words }: SegmentView, survivors: number): Float64Array {
  const range = survivors * (2 ** segment.bits - 1);
  const doubled = new Float64Array(words.length);
  for (let i = 0; i < doubled.length; i++) doubled[i] = 2 * (words[i] ?? 0) - range;
  return doubled;
}
