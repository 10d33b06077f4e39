/** A group's words, its masks off, as checked integers that can be added to those of other groups. */
import { HushError } from '../core/errors.ts';
import type { SumSpec } from '../core/sumSpec.ts';
import { segmentViews } from './segmentView.ts';
import { checkWrap, liftToMiddle } from './wrap.ts';

/**
 * `words` are modulo 2^R, R = `ringBits`, and are checked like step 6 of the protocol demands of a group: every word in the range
 * of `survivors` values, their count, zeros, and that nothing wrapped. Makes them
 * integers modulo 2^32, in place.
 * @throws HushError `sum/range`, `sum/count`, `sum/zeros`, `sum/wrap`.
 */
export function readGroupSum(words: Uint32Array, sumSpec: SumSpec, survivors: number, ringBits: number): Uint32Array {
  for (const view of segmentViews(sumSpec, words)) {
    const { segment, words: values } = view;
    if (segment.centred) {
      liftToMiddle(view, ringBits, survivors);
      checkWrap(view, ringBits, survivors);
    }
    const largest = survivors * (2 ** segment.bits - 1);
    const at = values.findIndex((word) => word > largest);
    if (at >= 0) throw wrong('range', `${segment.name}[${at}]`, values[at], `at most ${largest}`);
    if (segment.name === 'count' && values[0] !== survivors) {
      throw wrong('count', 'count', values[0], `${survivors}, the number of survivors`);
    }
    if (segment.name === 'zeros' && values.some((word) => word !== 0)) throw wrong('zeros', 'check word', 'not 0', '0');
  }
  return words;
}

function wrong(what: 'range' | 'count' | 'zeros', field: string, value: unknown, expected: string): HushError {
  return new HushError(`sum/${what}`, `The sum's ${field} is ${String(value)}, expected ${expected}.`, {
    advice: 'The sum of this group is lost; nothing of it enters the model.',
  });
}
