/** What a secure sum is for: named segments of integers, one a ring word, so that figures travel hidden like updates. */
import type { Plan } from './plan.ts';

export type SumKind = 'train' | 'evaluate' | 'statistics';

export interface Segment {
  readonly name: string;
  /** Ring words. */
  readonly length: number;
  /** Bits of one participant's value in a word, at most the plan's. */
  readonly bits: number;
  /** What one integer unit stands for. */
  readonly scale: number;
}

export interface SumSpec {
  readonly kind: SumKind;
  readonly segments: readonly Segment[];
}

/** The parts of the data on which figures are taken. */
export const PARTS = ['training', 'validation', 'test'] as const;
export type Part = (typeof PARTS)[number];

/** Sums over the samples of one part; a mean is had by dividing by `samples`. */
export interface PartFigures {
  readonly lossSum: number;
  readonly correct: number;
  readonly samples: number;
}

export type Figures = Readonly<Record<Part, PartFigures>>;

export const NO_FIGURES: PartFigures = { lossSum: 0, correct: 0, samples: 0 };

/** Loss travels as fixed point with this unit. */
export const LOSS_UNIT = 1 / 1024;

/** A sample's loss counts at most this much, so that one bad sample cannot overflow the limbs. */
export const MAX_SAMPLE_LOSS = 64;

/** Wide integers (weights, counts, losses) are cut into limbs of `bits` bits, least significant first. */
export const WIDE_INTEGER_BITS = 40;

/** Zeros of at least this many bits: a sum under wrong masks shows in them. */
export const ZERO_BITS = 64;

function limbs(name: string, bits: number, scale: number): Segment {
  return { name, length: Math.ceil(WIDE_INTEGER_BITS / bits), bits, scale };
}

function commonSegments(bits: number): Segment[] {
  const figures = PARTS.flatMap((part) => [
    limbs(`${part}/loss`, bits, LOSS_UNIT),
    limbs(`${part}/correct`, bits, 1),
    limbs(`${part}/samples`, bits, 1),
  ]);
  return [
    ...figures,
    { name: 'count', length: 1, bits, scale: 1 },
    { name: 'zeros', length: Math.ceil(ZERO_BITS / bits), bits, scale: 1 },
  ];
}

/** The sum of a training round: the weighted update, its weight, and the figures of the model that the round began with. */
export function trainingSumSpec(plan: Plan, parameters: number): SumSpec {
  const { bits, clipRange } = plan.aggregation;
  return {
    kind: 'train',
    segments: [
      { name: 'update', length: parameters, bits, scale: (2 * clipRange) / (2 ** bits - 1) },
      limbs('weight', bits, 1),
      ...commonSegments(bits),
    ],
  };
}

/** The sum of a round that measures the model and changes nothing. */
export function evaluationSumSpec(plan: Plan): SumSpec {
  return { kind: 'evaluate', segments: commonSegments(plan.aggregation.bits) };
}

export function sumSpecFor(kind: 'train' | 'evaluate', plan: Plan, parameters: number): SumSpec {
  return kind === 'train' ? trainingSumSpec(plan, parameters) : evaluationSumSpec(plan);
}

/** Ring words of the whole vector. */
export function wordCount(spec: SumSpec): number {
  return spec.segments.reduce((words, segment) => words + segment.length, 0);
}

/** R = b + ceil(log2 n): bits of a ring word in which the sum of `groupSize` values cannot wrap. */
export function ringBits(spec: SumSpec, groupSize: number): number {
  const bits = Math.max(...spec.segments.map((segment) => segment.bits));
  const ring = bits + Math.ceil(Math.log2(groupSize));
  if (ring > 32) throw new RangeError(`ring of ${ring} bits for ${bits}-bit values of ${groupSize}: at most 32`);
  return ring;
}

/** Bytes of `words` ring words of `bits` bits, packed. */
export function packedLength(words: number, bits: number): number {
  return Math.ceil((words * bits) / 8);
}
