import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_FIGURES, ringBits, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { RawUpdate } from '../../src/core/updateStages.ts';
import { Accumulator } from '../../src/update/accumulator.ts';
import { clip } from '../../src/update/clip.ts';
import { packWords } from '../../src/update/pack.ts';
import { quantise } from '../../src/update/quantise.ts';
import { readSum } from '../../src/update/readSum.ts';
import { samplePlan } from '../reference/samplePlan.ts';
import { seededPort } from '../reference/seededPort.ts';

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

describe('the way from updates to their mean', () => {
  const cases = fc.record({
    n: fc.integer({ min: 1, max: 12 }),
    bits: fc.integer({ min: 4, max: 24 }),
    parameters: fc.integer({ min: 1, max: 30 }),
    weightCap: fc.integer({ min: 1, max: 1_000_000 }),
    seed: fc.integer({ min: 0, max: 1e9 }),
  });

  it('gives the weighted mean within the error of rounding, and the figures exactly', () => {
    fc.assert(
      fc.property(cases, ({ n, bits, parameters, weightCap, seed }) => {
        const plan = samplePlan({ bits, weightCap, clipRange: 0.25, clipNorm: 0.25 });
        const sumSpec = trainingSumSpec(plan, parameters);
        const ring = ringBits(sumSpec, n);
        const random = SeededRandom.of(seed);
        const members = Array.from({ length: n }, () => {
          const samples = 1 + random.below(2 * weightCap);
          const raw = Float32Array.from({ length: parameters }, () => random.normal()) as RawUpdate;
          return {
            samples,
            weight: Math.min(samples, weightCap),
            update: clip(raw, plan.aggregation.clipNorm).clipped,
            training: { lossSum: random.below(1000) / 1024, correct: random.below(samples + 1), samples },
          };
        });
        const accumulator = new Accumulator(wordCount(sumSpec), ring);
        members.forEach(({ samples, update, training }, i) => {
          const figures = { training, validation: NO_FIGURES, test: NO_FIGURES };
          const input = { sumSpec, plan, update, weight: samples, figures };
          const { vector, saturated } = quantise(input, seededPort(seed + i));
          expect(saturated).toBe(0);
          accumulator.add(packWords(vector, ring));
        });
        const reading = readSum({ sum: accumulator.sum(), sumSpec, plan, survivors: n });
        const totalWeight = members.reduce((sum, { weight }) => sum + weight, 0);
        expect(reading.totalWeight).toBe(totalWeight);
        expect(reading.figures.training).toEqual({
          lossSum: members.reduce((sum, { training }) => sum + training.lossSum, 0),
          correct: members.reduce((sum, { training }) => sum + training.correct, 0),
          samples: members.reduce((sum, { samples }) => sum + samples, 0),
        });
        // Each of n roundings is off by less than one scale, before the sum is scaled back by cap / total weight.
        const bound = (n * sumSpec.segments[0]!.scale * weightCap) / totalWeight + 1e-9 * weightCap;
        reading.update!.forEach((value, k) => {
          const exact = members.reduce((sum, { weight, update }) => sum + weight * update[k]!, 0) / totalWeight;
          expect(Math.abs(value - exact)).toBeLessThan(bound);
        });
      }),
      { numRuns: 200 },
    );
  });
});
