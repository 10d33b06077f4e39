/** From a clipped update and its figures to integers that a secure sum can add. */
import type { Bytes } from '../core/bytes.ts';
import { amountsOf, countsProblem, countsSpecOf } from '../core/counts.ts';
import { HushError } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Random } from '../core/ports.ts';
import { COUNTED_PARTS, MAX_SAMPLE_LOSS, PARTS } from '../core/figures.ts';
import { LOSS_UNIT, wordCount } from '../core/sumSpec.ts';
import type { Figures, Part, PartFigures } from '../core/figures.ts';
import type { Segment, SumSpec } from '../core/sumSpec.ts';
import type { ClippedUpdate, FieldVector } from '../core/updateStages.ts';
import { rotate } from './rotation.ts';
import { integerView, MAX_WIDE_INTEGER, segmentViews, writeLimbs } from './segmentView.ts';
import type { SegmentView } from './segmentView.ts';

/** Web Crypto's getRandomValues gives at most 65,536 bytes a call: one uint32 for each coordinate of a chunk. */
const CHUNK_WORDS = 65_536 / 4;

export interface QuantiseInput {
  readonly sumSpec: SumSpec;
  readonly plan: Plan;
  /** Undefined in a round that only measures. */
  readonly update: ClippedUpdate | undefined;
  /** Of this round and the model that it began with; needed where the spec says that the update is rotated. */
  readonly rotationSeed?: Bytes;
  /** Training samples; counts at most the plan's `weightCap`. */
  readonly weight: number;
  readonly figures: Figures;
}

/**
 * Fills every segment of the spec. Coordinate Δ of the update becomes w·Δ / weightCap, is rotated where the spec says so, cut
 * off at ±clipRange, shifted by clipRange and divided by the scale, then rounded up or down at random so that its expectation
 * is itself (Alistarh et al. 2017, QSGD, section 3.1). The draws come from `random` and are nobody else's: shared ones would
 * let the server undo the rounding. `saturated` is the fraction of coordinates that were cut off.
 * @throws HushError `update/missing`, `update/length`, `update/rotation`, `update/weight`, `update/figures`,
 * `update/not-finite`, `update/segment`.
 */
export function quantise(
  input: QuantiseInput,
  random: Random,
): { readonly vector: FieldVector; readonly saturated: number } {
  const { sumSpec, plan } = input;
  const weight = cappedWeight(input);
  const integers = integersOf(weight, input.figures, plan);
  const vector = new Uint32Array(wordCount(sumSpec));
  let saturated = 0;
  for (const view of segmentViews(sumSpec, vector)) {
    const { name, length } = view.segment;
    if (name === 'update') {
      const coordinates = coordinatesOf(view.segment, input);
      saturated = countOutside(coordinates, plan) / length;
      round(view, coordinates, plan, random);
      continue;
    }
    const values = integers.get(name);
    if (values === undefined) throw new HushError('update/segment', `The sum has an unknown segment "${name}".`);
    values.forEach((value, i) => writeLimbs(integerView(view, i, values.length), value));
  }
  return { vector: vector as FieldVector, saturated };
}

/** The fraction of coordinates that `quantise` would cut off, without drawing anything; 0 where there is no update. */
export function saturation(input: QuantiseInput): number {
  const segment = input.sumSpec.segments.find(({ name }) => name === 'update');
  return segment ? countOutside(coordinatesOf(segment, input), input.plan) / segment.length : 0;
}

/** What is rounded: the update weighted and, where the spec says so, rotated. Float64, shape [parameters]. */
function coordinatesOf(segment: Segment, input: QuantiseInput): Float64Array {
  const { update, rotationSeed, plan } = input;
  if (!update) throw new HushError('update/missing', 'The sum has a segment "update" but nothing was trained.');
  if (update.length !== segment.length) {
    const expected = `the sum expects ${segment.length}`;
    throw new HushError('update/length', `The update has ${update.length} values, ${expected}.`);
  }
  const weight = cappedWeight(input);
  const { weightCap } = plan.aggregation;
  const coordinates = new Float64Array(segment.length);
  for (let i = 0; i < coordinates.length; i++) coordinates[i] = (weight * (update[i] ?? 0)) / weightCap;
  if (segment.block === 1) return coordinates;
  if (!rotationSeed) throw new HushError('update/rotation', 'The sum is of rotated updates but no seed was given.');
  rotate(coordinates, segment, rotationSeed);
  return coordinates;
}

function countOutside(coordinates: Float64Array, plan: Plan): number {
  const { clipRange } = plan.aggregation;
  let outside = 0;
  for (let i = 0; i < coordinates.length; i++) if (Math.abs(coordinates[i] ?? 0) > clipRange) outside++;
  return outside;
}

function round({ words, segment }: SegmentView, coordinates: Float64Array, plan: Plan, random: Random): void {
  const { clipRange } = plan.aggregation;
  const largest = 2 ** segment.bits - 1;
  for (let start = 0; start < coordinates.length; start += CHUNK_WORDS) {
    const end = Math.min(start + CHUNK_WORDS, coordinates.length);
    const drawn = random.bytes(4 * (end - start));
    const draws = new DataView(drawn.buffer, drawn.byteOffset, drawn.byteLength);
    for (let i = start; i < end; i++) {
      const inside = Math.max(-clipRange, Math.min(clipRange, coordinates[i] ?? 0));
      // Floating point may put the upper end of the range a hair above the largest integer.
      const exact = Math.min((inside + clipRange) / segment.scale, largest);
      const below = Math.floor(exact);
      words[i] = draws.getUint32(4 * (i - start), true) < (exact - below) * 2 ** 32 ? below + 1 : below;
    }
  }
}

function cappedWeight({ weight, plan }: QuantiseInput): number {
  return Math.min(wide('weight', weight, 'update/weight'), plan.aggregation.weightCap);
}

/** What each segment but the update carries: one integer, or several. */
function integersOf(weight: number, figures: Figures, plan: Plan): ReadonlyMap<string, readonly number[]> {
  const integers = new Map<string, readonly number[]>([
    ['weight', [weight]],
    ['count', [1]],
    ['zeros', [0]],
  ]);
  for (const part of PARTS) {
    const of = figures[part];
    integers.set(`${part}/loss`, [lossUnits(part, of)]);
    integers.set(`${part}/correct`, [wide(`${part}/correct`, of.correct, 'update/figures')]);
    integers.set(`${part}/samples`, [wide(`${part}/samples`, of.samples, 'update/figures')]);
  }
  for (const part of COUNTED_PARTS) integers.set(`${part}/counts`, countedUnits(part, figures[part], plan));
  return integers;
}

/** Who has no samples need not have counted them. */
function countedUnits(part: Part, figures: PartFigures, plan: Plan): readonly number[] {
  const spec = countsSpecOf(plan);
  if (!spec) return [];
  const { counts, samples } = figures;
  if (counts === undefined && samples === 0) return Array<number>(spec.integers).fill(0);
  const amounts = counts?.kind === spec.kind ? amountsOf(counts) : [];
  const expected = `${spec.integers} amounts of ${spec.kind} that add up`;
  const wrong = (got: string): HushError =>
    new HushError('update/figures', `"${part}/counts" has ${got}, expected ${expected}.`);
  if (amounts.length !== spec.integers) throw wrong(`${amounts.length} amounts`);
  const problem = countsProblem(figures);
  if (problem !== undefined) throw wrong(problem);
  return amounts.map((amount) => {
    const units = Math.round(amount / spec.unit);
    if (units >= 0 && units < 2 ** spec.bits && (spec.unit < 1 || units === amount)) return units;
    throw wrong(`${amount}, more than ${spec.bits} bits hold`);
  });
}

function lossUnits(part: string, { lossSum, samples }: PartFigures): number {
  if (!Number.isFinite(lossSum)) {
    throw new HushError('update/not-finite', `The loss on the ${part} data is ${lossSum}, expected a number.`, {
      advice: 'Training diverged: lower the learning rate in the plan.',
    });
  }
  const clamped = Math.max(0, Math.min(lossSum, samples * MAX_SAMPLE_LOSS));
  return Math.min(Math.round(clamped / LOSS_UNIT), MAX_WIDE_INTEGER);
}

function wide(what: string, value: number, code: 'update/weight' | 'update/figures'): number {
  if (Number.isInteger(value) && value >= 0 && value <= MAX_WIDE_INTEGER) return value;
  throw new HushError(code, `"${what}" is ${value}, expected an integer from 0 to ${MAX_WIDE_INTEGER}.`);
}
