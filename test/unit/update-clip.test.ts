import { describe, expect, it } from 'vitest';
import type { ModelParameters, RawUpdate } from '../../src/core/updateStages.ts';
import { clip, differenceOf } from '../../src/update/clip.ts';

const raw = (...values: number[]): RawUpdate => Float32Array.from(values) as RawUpdate;
const model = (...values: number[]): ModelParameters => Float32Array.from(values) as ModelParameters;

describe('clipping', () => {
  it('takes the difference after − before', () => {
    expect([...differenceOf(model(1, 2, 3), model(0.5, 4, 3))]).toEqual([0.5, -2, 0]);
    expect(() => differenceOf(model(1), model(1, 2))).toThrow(expect.objectContaining({ code: 'update/length' }));
  });

  it('leaves a short update as it is, and its argument too', () => {
    const update = raw(3, 4);
    const { clipped, norm } = clip(update, 5);
    expect(norm).toBe(5);
    expect([...clipped]).toEqual([3, 4]);
    expect([...clip(raw(30, 40), 5).clipped]).toEqual([expect.closeTo(3, 5), expect.closeTo(4, 5)]);
    expect([...clip(raw(0, 0), 5).clipped]).toEqual([0, 0]);
    expect([...update]).toEqual([3, 4]);
  });

  it('names the first value that is not finite', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => clip(raw(1, bad, 2), 5)).toThrow(
        expect.objectContaining({ code: 'update/not-finite', message: expect.stringContaining('Parameter 1') }),
      );
    }
    // The largest float32 values are finite, and so is the norm of many of them.
    expect(clip(raw(3.4e38, 3.4e38, 3.4e38), 5).norm).toBeCloseTo(Math.sqrt(3) * 3.4e38, -32);
  });
});
