/** Rings that are too small for the range of a sum: finding the sum in them, and being sure that it did not wrap. */
import { HushError } from '../core/errors.ts';
import { transform } from './rotation.ts';
import { aroundMiddle } from './segmentView.ts';
import type { SegmentView } from './segmentView.ts';

/** −log2 of the probability of a wrap above which a sum is refused. */
const WRAP_SECURITY_BITS = 20;

/**
 * The integers congruent to the words modulo 2^R that lie nearest to the middle of the sum's range, survivors · (2^b − 1) / 2,
 * modulo 2^32: what a centred encoding of the values would give. Changes the words in place.
 */
export function liftToMiddle({ segment, words }: SegmentView, ringBits: number, survivors: number): void {
  const lowest = Math.ceil((survivors * (2 ** segment.bits - 1) - 2 ** ringBits) / 2);
  const unused = 32 - ringBits;
  for (let i = 0; i < words.length; i++) words[i] = lowest + ((((words[i] ?? 0) - lowest) << unused) >>> unused);
}

/**
 * Refuses a centred sum that may have wrapped.
 *
 * Let v be the block of the sum of the updates, in units of the scale, before the rotation. Its signs are drawn apart from it,
 * so each of the m coordinates of H·D·v / sqrt(m) is sub-Gaussian with variance proxy |v|² / m, however alike the updates in
 * the sum may be; independent updates only make v shorter. Stochastic rounding adds survivors / 4 to the proxy (Hoeffding's
 * lemma, values within one unit). So the probability that any of d coordinates leaves ±H, H = 2^(R − 1), is at most
 * 2d · exp(−H² / (2p)), p = |S|² / m + survivors / 4, with the decoded block S in place of v: rotation keeps norms, and the
 * rounding that S has in it is counted twice, on the safe side. Where that is above 2^−20 the sum is refused. A sum that
 * did wrap in many places is spread over the ring almost evenly, |S|² / m = H² / 3, and is far above. Saturation is left out.
 * @throws HushError `sum/wrap`.
 */
export function checkWrap(view: SegmentView, ringBits: number, survivors: number): void {
  const { segment } = view;
  if (!segment.centred || 2 ** ringBits > survivors * (2 ** segment.bits - 1)) return;
  const halfRange = 2 ** (ringBits - 1);
  // ln(2d · 2^20) from above, in whole bits: logarithms may differ from machine to machine, and verdicts must not.
  const exponent = Math.LN2 * (33 - Math.clz32(segment.length - 1) + WRAP_SECURITY_BITS);
  const largest = (halfRange * halfRange) / (2 * exponent);
  const proxy = largestBlockMean(view, survivors) + survivors / 4;
  if (proxy <= largest) return;
  const found = `${Math.sqrt(proxy).toFixed(1)} units a coordinate`;
  throw new HushError(
    'sum/wrap',
    `The sum of ${survivors} updates has ${found}, expected at most ${Math.sqrt(largest).toFixed(1)} in words of ${ringBits} bits.`,
    { advice: 'It may have wrapped: use "aggregation.ring" "full" in the plan, or a larger "aggregation.clipRange".' },
  );
}

/** The largest of |S|² / m over the blocks, in squares of the segment's scale. */
function largestBlockMean(view: SegmentView, survivors: number): number {
  const { length, block } = view.segment;
  const doubled = aroundMiddle(view, survivors);
  let largest = 0;
  const measure = (start: number): void => {
    let squares = 0;
    for (let i = start; i < start + block; i++) squares += (doubled[i] ?? 0) * (doubled[i] ?? 0);
    largest = Math.max(largest, squares / (4 * block));
  };
  if (length % block !== 0) {
    measure(length - block);
    // The block before lies in part under the last one. Squares do not depend on signs, so none are flipped back.
    transform(doubled.subarray(length - block));
  }
  for (let start = 0; start + block <= length; start += block) measure(start);
  return largest;
}
