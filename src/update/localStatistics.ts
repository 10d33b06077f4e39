/** What one person's examples are like, in exact integers: those of two people add up to those of both together. */
import type { Examples } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import { statisticsLayout } from '../core/statisticsLayout.ts';
import type { MeasuredFeature, Tally } from '../core/statisticsLayout.ts';
import { LARGEST_STATISTIC, STATISTICS_UNIT } from '../core/sumSpec.ts';

/** In units of `STATISTICS_UNIT` and of its square. */
export interface ExactMoments {
  readonly count: bigint;
  readonly sum: bigint;
  readonly squares: bigint;
}

export interface ExactStatistics {
  readonly examples: number;
  /** In the order of the plan's `statisticsLayout`; tallies one after the other. */
  readonly features: readonly ExactMoments[];
  readonly counts: readonly number[];
}

/**
 * Missing numbers, NaN, are left out. A count that needs support and has less than the plan's is 0: what is added up can be
 * read by everyone. @throws HushError `statistics/label` for a label or token that the plan does not have.
 */
export function localStatistics(plan: Plan, examples: Examples): ExactStatistics {
  const { features, tallies } = statisticsLayout(plan);
  const support = plan.statistics?.minimumSupport ?? 0;
  return {
    examples: examples.count,
    features: features.map((feature) => momentsOf(feature, examples)),
    counts: tallies.flatMap((tally) => {
      const counts = countsOf(tally, examples);
      return Array.from(counts, (count) => (tally.supported && count < support ? 0 : count));
    }),
  };
}

function momentsOf({ of, first, step }: MeasuredFeature, examples: Examples): ExactMoments {
  const isInput = of === 'inputs';
  const values = isInput ? examples.inputs : examples.labels;
  const scale = isInput ? examples.inputScale : 1;
  let count = 0;
  const [above, below, squares] = [new ExactSum(), new ExactSum(), new ExactSum()];
  // A row has whole steps only, so that nothing has to begin anew in each.
  for (let i = first; i < values.length; i += step) {
    const value = Math.fround((values[i] ?? 0) * scale);
    if (Number.isNaN(value)) continue;
    const inside = Math.max(-LARGEST_STATISTIC, Math.min(LARGEST_STATISTIC, value));
    // As a float32 has 24 digits, so has this, and its square 48: neither is rounded.
    const units = Math.round(inside / STATISTICS_UNIT);
    count++;
    (units < 0 ? below : above).add(Math.abs(units));
    squares.add(units * units);
  }
  return { count: BigInt(count), sum: above.total() - below.total(), squares: squares.total() };
}

function countsOf({ of, first, length, name }: Tally, { count, width, inputs, labels }: Examples): Float64Array {
  const counts = new Float64Array(length);
  if (of === 'flags') {
    for (let row = 0; row < count; row++) {
      for (let i = 0; i < length; i++) if (inputs[row * width + first + i] === 1) counts[i] = (counts[i] ?? 0) + 1;
    }
    return counts;
  }
  for (const value of of === 'tokens' ? inputs : labels) {
    if (!Number.isInteger(value) || value < 0 || value >= length) {
      throw new HushError('statistics/label', `"${name}" is ${value}, expected an integer from 0 to ${length - 1}.`);
    }
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}

const BASE = 2 ** 32;
const LIMBS = 4;
/** So many values below 2^32 stay below 2^53. */
const CARRY_AFTER = 2 ** 20;

/** Adds integers from 0 to 2^128 that a float64 holds, without rounding any. */
class ExactSum {
  readonly #limbs = new Float64Array(LIMBS);
  #added = 0;
  #carried = 0n;

  add(value: number): void {
    let rest = value;
    for (let i = 0; i < LIMBS - 1; i++) {
      const high = Math.floor(rest / BASE);
      this.#limbs[i] = (this.#limbs[i] ?? 0) + (rest - high * BASE);
      rest = high;
    }
    this.#limbs[LIMBS - 1] = (this.#limbs[LIMBS - 1] ?? 0) + rest;
    if (++this.#added % CARRY_AFTER === 0) this.#carry();
  }

  total(): bigint {
    this.#carry();
    return this.#carried;
  }

  #carry(): void {
    this.#limbs.forEach((limb, i) => {
      this.#carried += BigInt(limb) << BigInt(32 * i);
    });
    this.#limbs.fill(0);
  }
}
