import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/bytes.ts';
import { amountsOf } from '../../src/core/counts.ts';
import type { Hash } from '../../src/core/ids.ts';
import type { Plan } from '../../src/core/plan.ts';
import { figuresOf } from '../../src/core/predictions.ts';
import { NO_FIGURES } from '../../src/core/figures.ts';
import { ringBits, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import type { PartFigures } from '../../src/core/figures.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { AggregateSum, RawUpdate } from '../../src/core/updateStages.ts';
import { Accumulator } from '../../src/update/accumulator.ts';
import { clip } from '../../src/update/clip.ts';
import { readGroupSum } from '../../src/update/groupSum.ts';
import { packWords } from '../../src/update/pack.ts';
import { quantise } from '../../src/update/quantise.ts';
import { readSum } from '../../src/update/readSum.ts';
import { rotationSeed } from '../../src/update/rotation.ts';
import { samplePlan } from '../reference/samplePlan.ts';
import { seededPort } from '../reference/seededPort.ts';
import { slowSum } from '../reference/slowSum.ts';

const norm = (values: Iterable<number>): number =>
  Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0));

describe('clipping', () => {
  it('never leaves a norm above the bound, and never turns the update', () => {
    const updates = fc.float32Array({ minLength: 1, maxLength: 50, noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(updates, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (values, clipNorm) => {
        const raw = new Float32Array(values) as RawUpdate;
        const { clipped, norm: before } = clip(raw, clipNorm);
        expect(before).toBe(norm(raw));
        expect(norm(clipped)).toBeLessThanOrEqual(clipNorm);
        const factor = before > clipNorm ? clipNorm / before : 1;
        clipped.forEach((value, i) => {
          expect(Math.abs(value - raw[i]! * factor)).toBeLessThanOrEqual(Math.abs(raw[i]!) * factor * 3e-7 + 1e-44);
        });
      }),
      { numRuns: 300 },
    );
  });
});

/** Up to 40 people in up to four groups; the smaller ring is for four rotated bits and more, as plans say. */
const cases = fc
  .record({
    n: fc.integer({ min: 1, max: 40 }),
    groups: fc.integer({ min: 1, max: 4 }),
    bits: fc.integer({ min: 2, max: 24 }),
    rotation: fc.boolean(),
    ring: fc.constantFrom('full' as const, 'half' as const),
    parameters: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 250, max: 600 })),
    weightCap: fc.integer({ min: 1, max: 1_000_000 }),
    values: fc.boolean(),
    seed: fc.integer({ min: 0, max: 1e9 }),
  })
  .filter(({ ring, rotation, bits }) => ring === 'full' || (rotation && bits >= 4));

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function cohortOf({ n, groups, weightCap, seed, parameters, values, ...aggregation }: Case) {
  const classes = samplePlan({ ...aggregation, weightCap, clipRange: 0.25, clipNorm: 0.25 });
  const plan: Plan = values ? { ...classes, task: { kind: 'regression' } } : classes;
  const sumSpec = trainingSumSpec(plan, parameters);
  const random = SeededRandom.of(seed);
  const turn = rotationSeed(toHex(random.bytes(32)) as Hash, 1 + random.below(100));
  const members = Array.from({ length: n }, (_, i) => {
    const samples = 1 + random.below(2 * weightCap);
    const raw = Float32Array.from({ length: parameters }, () => random.normal()) as RawUpdate;
    const { clipped: update } = clip(raw, plan.aggregation.clipNorm);
    const training = { lossSum: random.below(1000) / 1024, correct: random.below(samples + 1), samples };
    const validation = countedFigures(plan, random);
    const figures = { training, validation, test: NO_FIGURES };
    const input = { sumSpec, plan, update, weight: samples, figures, rotationSeed: turn };
    const { vector, saturated } = quantise(input, seededPort(seed + i));
    expect(saturated).toBe(0);
    const weight = Math.min(samples, weightCap);
    return { group: random.below(groups), samples, weight, update, training, validation, vector };
  });
  return { plan, sumSpec, members, turn };
}

/** Random predictions on up to 200 samples. */
function countedFigures(plan: Plan, random: SeededRandom): PartFigures {
  const samples = random.below(200);
  const classification = plan.task.kind === 'classification';
  const width = classification ? 3 : 1;
  const outputs = Float32Array.from({ length: width * samples }, () => 3 * random.normal());
  const labels = Float32Array.from({ length: samples }, () => (classification ? random.below(3) : random.normal()));
  const loss = classification ? 'softmax-cross-entropy' : 'mean-squared-error';
  return figuresOf(loss, outputs, width, { labels }, classification ? 'classes' : 'values');
}

/** As the coordinator does: each group in its own ring, then added. */
function totalOf({ sumSpec, members }: ReturnType<typeof cohortOf>): Uint32Array {
  const total = new Uint32Array(wordCount(sumSpec));
  for (const group of new Set(members.map((member) => member.group))) {
    const within = members.filter((member) => member.group === group);
    const ring = ringBits(sumSpec, within.length);
    const accumulator = new Accumulator(total.length, ring);
    for (const { vector } of within) accumulator.add(packWords(vector, ring));
    readGroupSum(accumulator.sum(), sumSpec, within.length, ring).forEach((word, i) => {
      total[i]! += word;
    });
  }
  return total;
}

describe('the way from updates to their mean', () => {
  it('adds integers exactly, whatever the groups and their rings', () => {
    fc.assert(
      fc.property(cases, (of) => {
        const cohort = cohortOf(of);
        const plain = slowSum(
          cohort.members.map(({ vector }) => Array.from(vector, BigInt)),
          32,
        );
        expect(Array.from(totalOf(cohort), BigInt)).toEqual(plain);
      }),
      { numRuns: 150 },
    );
  });

  it('gives the weighted mean within the error of rounding, and the figures exactly', () => {
    fc.assert(
      fc.property(cases, (of) => {
        const cohort = cohortOf(of);
        const { plan, sumSpec, members, turn } = cohort;
        const sum = totalOf(cohort) as AggregateSum;
        const reading = readSum({ sum, sumSpec, plan, survivors: of.n, rotationSeed: turn });
        const totalWeight = members.reduce((total, { weight }) => total + weight, 0);
        expect(reading.totalWeight).toBe(totalWeight);
        expect(reading.figures.training).toEqual({
          lossSum: members.reduce((total, { training }) => total + training.lossSum, 0),
          correct: members.reduce((total, { training }) => total + training.correct, 0),
          samples: members.reduce((total, { samples }) => total + samples, 0),
        });
        const amounts = members.map(({ validation }) => amountsOf(validation.counts!));
        const read = amountsOf(reading.figures.validation.counts!);
        // Cells are exact; sums over values are rounded once a person.
        const slack = of.values ? of.n / 2048 : 0;
        const added = amounts[0]!.map((_, i) => amounts.reduce((total, amount) => total + amount[i]!, 0));
        read.forEach((amount, i) => expect(Math.abs(amount - added[i]!)).toBeLessThanOrEqual(slack));
        const errors = Array.from(reading.update!, (value, k) => {
          const exact = members.reduce((total, { weight, update }) => total + weight * update[k]!, 0) / totalWeight;
          return value - exact;
        });
        // Each of n roundings is off by less than one scale, before the sum is scaled back by cap / total weight.
        const { scale } = sumSpec.segments[0]!;
        const bound = (of.n * scale * of.weightCap) / totalWeight + 1e-9 * of.weightCap;
        expect(norm(errors)).toBeLessThan(bound * Math.sqrt(errors.length));
        if (!of.rotation) expect(Math.max(...errors.map(Math.abs))).toBeLessThan(bound);
      }),
      { numRuns: 150 },
    );
  });

  it('costs no more than the roundings do: half a scale for each, and they are independent', () => {
    for (const rotation of [true, false]) {
      for (const bits of [2, 4, 8]) {
        const few = { n: 30, groups: 1, bits, rotation, ring: 'full' as const };
        const of = { ...few, parameters: 600, weightCap: 1, values: false, seed: 1 };
        const cohort = cohortOf(of);
        const { plan, sumSpec, members, turn } = cohort;
        const sum = totalOf(cohort) as AggregateSum;
        const { update } = readSum({ sum, sumSpec, plan, survivors: 30, rotationSeed: turn });
        const errors = Array.from(
          update!,
          (value, k) => value - members.reduce((total, member) => total + member.update[k]! / 30, 0),
        );
        const deviation = norm(errors) / Math.sqrt(errors.length);
        // The greatest standard deviation of a mean of 30 roundings, and a tenth for chance.
        expect(deviation).toBeLessThan((1.1 * sumSpec.segments[0]!.scale) / 2 / Math.sqrt(30));
        expect(deviation).toBeGreaterThan(0);
      }
    }
  });
});
