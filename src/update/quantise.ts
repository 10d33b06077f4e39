/** From a clipped update and its figures to integers that a secure sum can add. */
import { HushError } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Random } from '../core/ports.ts';
import { LOSS_UNIT, MAX_SAMPLE_LOSS, PARTS, wordCount } from '../core/sumSpec.ts';
import type { Figures, PartFigures, SumSpec } from '../core/sumSpec.ts';
import type { ClippedUpdate, FieldVector } from '../core/updateStages.ts';
import { MAX_WIDE_INTEGER, segmentViews, writeLimbs } from './segmentView.ts';
import type { SegmentView } from './segmentView.ts';

/** Web Crypto's getRandomValues gives at most 65,536 bytes a call: one uint32 for each coordinate of a chunk. */
const CHUNK_WORDS = 65_536 / 4;

export interface QuantiseInput {
  readonly sumSpec: SumSpec;
  readonly plan: Plan;
  /** Undefined in a round that only measures. */
  readonly update: ClippedUpdate | undefined;
  /** Training samples; counts at most the plan's `weightCap`. */
  readonly weight: number;
  readonly figures: Figures;
}

/**
 * Fills every segment of the spec. Coordinate Δ of the update becomes w·Δ / weightCap, cut off at ±clipRange, shifted by
 * clipRange and divided by the scale, then rounded up or down at random so that its expectation is itself (Alistarh et
 * al. 2017, QSGD, section 3.1). The draws come from `random` and are nobody else's: shared ones would let the server
 * undo the rounding. `saturated` is the fraction of coordinates that were cut off.
 * @throws HushError `update/missing`, `update/length`, `update/weight`, `update/figures`, `update/not-finite`,
 * `update/segment`.
 */
export function quantise(
  input: QuantiseInput,
  random: Random,
): { readonly vector: FieldVector; readonly saturated: number } {
  const { sumSpec, plan, update } = input;
  const weight = Math.min(wide('weight', input.weight, 'update/weight'), plan.aggregation.weightCap);
  const scalars = scalarsOf(weight, input.figures);
  const vector = new Uint32Array(wordCount(sumSpec));
  let saturated = 0;
  for (const view of segmentViews(sumSpec, vector)) {
    const { name, length } = view.segment;
    if (name === 'update') {
      if (!update) throw new HushError('update/missing', 'The sum has a segment "update" but nothing was trained.');
      if (update.length !== length) {
        throw new HushError('update/length', `The update has ${update.length} values, the sum expects ${length}.`);
      }
      saturated = quantiseUpdate(view, update, weight, plan, random) / length;
      continue;
    }
    const value = scalars.get(name);
    if (value === undefined) throw new HushError('update/segment', `The sum has an unknown segment "${name}".`);
    writeLimbs(view, value);
  }
  return { vector: vector as FieldVector, saturated };
}

/** Gives the number of coordinates that were cut off. */
function quantiseUpdate(view: SegmentView, update: ClippedUpdate, weight: number, plan: Plan, random: Random): number {
  const { words, segment } = view;
  const { clipRange, weightCap } = plan.aggregation;
  const largest = 2 ** segment.bits - 1;
  let saturated = 0;
  for (let start = 0; start < update.length; start += CHUNK_WORDS) {
    const end = Math.min(start + CHUNK_WORDS, update.length);
    const drawn = random.bytes(4 * (end - start));
    const draws = new DataView(drawn.buffer, drawn.byteOffset, drawn.byteLength);
    for (let i = start; i < end; i++) {
      const value = (weight * (update[i] ?? 0)) / weightCap;
      const inside = Math.max(-clipRange, Math.min(clipRange, value));
      if (inside !== value) saturated++;
      // Floating point may put the upper end of the range a hair above the largest integer.
      const exact = Math.min((inside + clipRange) / segment.scale, largest);
      const below = Math.floor(exact);
      words[i] = draws.getUint32(4 * (i - start), true) < (exact - below) * 2 ** 32 ? below + 1 : below;
    }
  }
  return saturated;
}

/** What each segment of one integer carries. */
function scalarsOf(weight: number, figures: Figures): ReadonlyMap<string, number> {
  const scalars = new Map([
    ['weight', weight],
    ['count', 1],
    ['zeros', 0],
  ]);
  for (const part of PARTS) {
    const of = figures[part];
    scalars.set(`${part}/loss`, lossUnits(part, of));
    scalars.set(`${part}/correct`, wide(`${part}/correct`, of.correct, 'update/figures'));
    scalars.set(`${part}/samples`, wide(`${part}/samples`, of.samples, 'update/figures'));
  }
  return scalars;
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
