/** What a secure sum is for: named segments of integers, one a ring word, so that figures travel hidden like updates. */
import { countsSpecOf } from './counts.ts';
import { HushError } from './errors.ts';
import { COUNTED_PARTS, PARTS } from './figures.ts';
import type { Plan } from './plan.ts';
import { planLayout } from './planLayout.ts';
import { statisticsLayout } from './statisticsLayout.ts';

/** What a round is for. Statistics come first, where the plan asks for them; the measurement of the final model last. */
export const ROUND_KINDS = ['statistics', 'train', 'evaluate'] as const;
export type RoundKind = (typeof ROUND_KINDS)[number];

export interface Segment {
  readonly name: string;
  /** Ring words. */
  readonly length: number;
  /** Bits of one participant's value in a word; but in statistics, at most the plan's. */
  readonly bits: number;
  /** What one integer unit stands for. */
  readonly scale: number;
  /** Size of the blocks in which the values are rotated before they are quantised; 1 when they are not. */
  readonly block: number;
  /** The ring may be too small for the range of the sum, which is then looked for around its middle. */
  readonly centred: boolean;
}

export interface SumSpec {
  readonly kind: RoundKind;
  readonly segments: readonly Segment[];
}

/** Loss travels as fixed point with this unit. */
export const LOSS_UNIT = 1 / 1024;

/** Wide integers (weights, counts, losses) are cut into limbs of `bits` bits, least significant first. */
export const WIDE_INTEGER_BITS = 40;

/** Zeros of at least this many bits: a sum under wrong masks shows in them. */
export const ZERO_BITS = 64;

const LARGEST_BLOCK = 4096;

/**
 * A ring that is too small for the range of a sum needs blocks in which many coordinates are mixed: in a block of a few
 * values a sum could wrap without anything to be seen. Shorter updates keep the full ring.
 */
const SMALLEST_CENTRED_BLOCK = 256;

/** What a word of a group's sum lacks at the most when it grows by `centredGrowth` only: 8 bits against 5 at 255 people. */
const MOST_SPARED_BITS = 3;

/** The largest power of four that fits `length`, at most 4,096: its square root is a power of two, so nothing is rounded. */
function rotationBlock(length: number): number {
  let block = 1;
  while (4 * block <= Math.min(length, LARGEST_BLOCK)) block *= 4;
  return block;
}

function plain(name: string, length: number, bits: number, scale: number): Segment {
  return { name, length, bits, scale, block: 1, centred: false };
}

function limbs(name: string, bits: number, scale: number): Segment {
  return plain(name, Math.ceil(WIDE_INTEGER_BITS / bits), bits, scale);
}

/** The limbs of each integer follow one another; see counts.ts for what they are. */
function countsSegments(plan: Plan, bits: number): Segment[] {
  const spec = countsSpecOf(plan);
  if (!spec) return [];
  const length = spec.integers * Math.ceil(spec.bits / bits);
  return COUNTED_PARTS.map((part) => plain(`${part}/counts`, length, bits, spec.unit));
}

function commonSegments(plan: Plan, bits: number): Segment[] {
  const figures = PARTS.flatMap((part) => [
    limbs(`${part}/loss`, bits, LOSS_UNIT),
    limbs(`${part}/correct`, bits, 1),
    limbs(`${part}/samples`, bits, 1),
  ]);
  return [...figures, ...countsSegments(plan, bits), ...checkSegments(bits)];
}

function checkSegments(bits: number): Segment[] {
  return [plain('count', 1, bits, 1), plain('zeros', Math.ceil(ZERO_BITS / bits), bits, 1)];
}

/**
 * The sum of a training round: the weighted update, of `sent` values, its weight, and the figures of the model that the round
 * began with.
 * In the plan's smaller ring all but the update has limbs so narrow that they cannot wrap in any group.
 */
export function trainingSumSpec(plan: Plan, sent = planLayout(plan).sentLength): SumSpec {
  const { bits, clipRange, rotation, ring } = plan.aggregation;
  const block = rotation ? rotationBlock(sent) : 1;
  const centred = ring === 'half' && block >= SMALLEST_CENTRED_BLOCK;
  const limbBits = centred ? Math.max(1, bits - MOST_SPARED_BITS) : bits;
  const scale = (2 * clipRange) / (2 ** bits - 1);
  return {
    kind: 'train',
    segments: [
      { name: 'update', length: sent, bits, scale, block, centred },
      limbs('weight', limbBits, 1),
      ...commonSegments(plan, limbBits),
    ],
  };
}

/** The sum of a round that measures the model and changes nothing. */
export function evaluationSumSpec(plan: Plan): SumSpec {
  return { kind: 'evaluate', segments: commonSegments(plan, plan.aggregation.bits) };
}

/** Limbs of statistics are so wide that their sum over the largest cohort fits a word. */
const STATISTICS_BITS = 15;

/** Fixed point: one unit of a number, and the largest that is told apart; beyond it a value counts as this. */
export const STATISTICS_UNIT = 2 ** -32;
export const LARGEST_STATISTIC = 2 ** 32;

/** Limbs of one feature: how many values, their sum, lifted above 0, and that of their squares. */
export const MOMENT_LIMBS = { count: 3, sum: 7, squares: 12 } as const;
/** Limbs of one count. */
export const TALLY_LIMBS = 3;

const FEATURE_LIMBS = MOMENT_LIMBS.count + MOMENT_LIMBS.sum + MOMENT_LIMBS.squares;

/** The sum of the round in which the federation finds out what its data is like. */
function statisticsSumSpec(plan: Plan): SumSpec {
  const { features, tallies } = statisticsLayout(plan);
  const counts = tallies.reduce((sum, { length }) => sum + length, 0);
  const segments = [
    plain('moments', FEATURE_LIMBS * features.length, STATISTICS_BITS, 1),
    plain('tallies', TALLY_LIMBS * counts, STATISTICS_BITS, 1),
    limbs('examples', STATISTICS_BITS, 1),
    ...checkSegments(STATISTICS_BITS),
  ];
  return { kind: 'statistics', segments: segments.filter(({ length }) => length > 0) };
}

export function sumSpecFor(kind: RoundKind, plan: Plan): SumSpec {
  switch (kind) {
    case 'statistics':
      return statisticsSumSpec(plan);
    case 'train':
      return trainingSumSpec(plan);
    case 'evaluate':
      return evaluationSumSpec(plan);
    default:
      return kind satisfies never;
  }
}

/** Ring words of the whole vector. */
export function wordCount(spec: SumSpec): number {
  return spec.segments.reduce((words, segment) => words + segment.length, 0);
}

/** ceil(log2 n), in integers: everyone must come to the same ring. */
function fullGrowth(people: number): number {
  return people <= 1 ? 0 : 32 - Math.clz32(people - 1);
}

/**
 * ceil(log2(n) / 2) + 1. A rotated coordinate of a sum of n unrelated updates grows with sqrt(n), not with n: the half range
 * of such a ring is 2 · sqrt(n) clip ranges. `checkWrap` in update/wrap.ts says what that bounds, and checks it.
 */
function centredGrowth(people: number): number {
  const full = fullGrowth(people);
  return Math.min(full, Math.ceil(full / 2) + 1);
}

/**
 * R, the bits of a ring word under masks: b + ceil(log2 n), in which the sum of `groupSize` values cannot wrap, or about
 * half of log2 n where the update is centred. @throws HushError `sum/ring` above 32.
 */
export function ringBits(spec: SumSpec, groupSize: number): number {
  const grow = (centred: boolean): number => (centred ? centredGrowth : fullGrowth)(groupSize);
  return atMost32(spec, groupSize, Math.max(...spec.segments.map(({ bits, centred }) => bits + grow(centred))));
}

/** Bits of a word of the plain total over all groups, of `members` people: nothing wraps. @throws HushError `sum/ring` above 32. */
export function sumBits(spec: SumSpec, members: number): number {
  return atMost32(spec, members, valueBits(spec) + fullGrowth(members));
}

function valueBits(spec: SumSpec): number {
  return Math.max(...spec.segments.map((segment) => segment.bits));
}

function atMost32(spec: SumSpec, people: number, bits: number): number {
  if (bits <= 32) return bits;
  const values = `values of ${valueBits(spec)} bits from ${people} people`;
  throw new HushError('sum/ring', `The sum of ${values} needs words of ${bits} bits, expected at most 32.`, {
    advice: 'Lower "aggregation.bits" in the plan, or let fewer people take part.',
  });
}

/** Bytes of `words` ring words of `bits` bits, packed. */
export function packedLength(words: number, bits: number): number {
  return Math.ceil((words * bits) / 8);
}
