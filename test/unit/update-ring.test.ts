import { describe, expect, it } from 'vitest';
import { MAX_GROUP } from '../../src/core/plan.ts';
import {
  evaluationSumSpec,
  ringBits,
  sumBits,
  trainingSumSpec,
  WIDE_INTEGER_BITS,
  ZERO_BITS,
} from '../../src/core/sumSpec.ts';
import { samplePlan } from '../reference/samplePlan.ts';

const half = (bits: number) => trainingSumSpec(samplePlan({ bits, rotation: true, ring: 'half' }), 5000);
const full = (bits: number) => trainingSumSpec(samplePlan({ bits }), 5000);

describe('the ring of a group', () => {
  it('grows by log2 n, or by half of it and one where the update is centred', () => {
    const people = [1, 2, 3, 4, 5, 8, 9, 16, 17, 64, 65, 128, 129, 255];
    expect(people.map((n) => ringBits(full(8), n))).toEqual([8, 9, 10, 10, 11, 11, 12, 12, 13, 14, 15, 15, 16, 16]);
    expect(people.map((n) => ringBits(half(8), n))).toEqual([8, 9, 10, 10, 11, 11, 11, 11, 12, 12, 13, 13, 13, 13]);
  });

  it('is the full one unless the plan says otherwise, for updates too short to be mixed, and where nothing was trained', () => {
    const specs = [
      trainingSumSpec(samplePlan({ bits: 8, rotation: true }), 5000),
      trainingSumSpec(samplePlan({ bits: 8, rotation: true, ring: 'half' }), 255),
      evaluationSumSpec(samplePlan({ bits: 8, rotation: true, ring: 'half' })),
    ];
    for (const spec of specs) expect(ringBits(spec, 255)).toBe(16);
  });

  it('lets nothing but a centred update wrap, in a group of any size', () => {
    for (let bits = 4; bits <= 24; bits++) {
      for (const spec of [half(bits), full(bits)]) {
        for (let n = 1; n <= MAX_GROUP; n++) {
          const widest = Math.max(...spec.segments.map((segment) => (segment.centred ? 0 : segment.bits)));
          expect(n * (2 ** widest - 1)).toBeLessThan(2 ** ringBits(spec, n));
        }
      }
    }
  });

  it('leaves limbs room for every integer, and zeros their 64 bits', () => {
    for (let bits = 2; bits <= 24; bits++) {
      for (const spec of bits < 4 ? [full(bits)] : [half(bits), full(bits)]) {
        for (const segment of spec.segments.slice(1)) {
          expect(segment.bits).toBeGreaterThan(0);
          if (segment.name === 'count') continue;
          const least = segment.name === 'zeros' ? ZERO_BITS : WIDE_INTEGER_BITS;
          expect(segment.bits * segment.length).toBeGreaterThanOrEqual(least);
        }
      }
    }
  });

  it('is wide enough in a total over groups for all of them', () => {
    for (const spec of [half(8), full(8)]) {
      for (const members of [3, 255, 1000, 100_000]) {
        expect(members * 255).toBeLessThan(2 ** sumBits(spec, members));
        expect(members * 255).toBeGreaterThan(2 ** (sumBits(spec, members) - 1) - members);
      }
    }
    expect(sumBits(full(15), 100_000)).toBe(32);
  });

  it('is refused above 32 bits, with the bits and the people', () => {
    const says = (text: RegExp) => expect.objectContaining({ code: 'sum/ring', message: expect.stringMatching(text) });
    expect(() => sumBits(full(16), 100_000)).toThrow(says(/16 bits from 100000 people needs words of 33 bits/));
    expect(() => ringBits(full(24), 257)).toThrow(says(/24 bits from 257 people needs words of 33 bits/));
    expect(ringBits(full(24), 256)).toBe(32);
  });
});
