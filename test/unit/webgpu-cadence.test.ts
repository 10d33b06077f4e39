/** Submits that leave the desktop its time, whatever a step takes. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Cadence } from '../../src/engine/webgpu/cadence.ts';

let nowMs = 0;

beforeEach(() => {
  nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => vi.restoreAllMocks());

/** Runs steps whose dispatches take `costs`; gives dispatches and milliseconds of the last submits. */
async function lastSubmits(
  costs: readonly number[],
  answersEveryMs = 0,
): Promise<{ sizes: number[]; tookMs: number[] }> {
  const perStep = costs.length;
  const finished = (workMs: number) => async (): Promise<void> => {
    nowMs += workMs;
    if (answersEveryMs > 0) nowMs = answersEveryMs * Math.ceil(nowMs / answersEveryMs);
  };
  let workMs = 0;
  const cadence = new Cadence(() => finished(workMs)(), perStep);
  const [sizes, tookMs]: [number[], number[]] = [[], []];
  const submit = async (size: number, from: number, to: number, count: number): Promise<void> => {
    workMs = count * costs.slice(from, to).reduce((sum, cost) => sum + cost, 0);
    sizes.push(count * (to - from));
    tookMs.push(workMs);
    await cadence.submitted(size, to === perStep);
    await cadence.settle();
  };
  for (let i = 0; i < 60; i++) {
    const { size } = cadence;
    if (size >= perStep) await submit(size, 0, perStep, size / perStep);
    else for (let from = 0; from < perStep; from += size) await submit(size, from, Math.min(from + size, perStep), 1);
  }
  return { sizes: sizes.slice(-30), tookMs: tookMs.slice(-30) };
}

const even = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

describe('the size of a submit', () => {
  it.each([
    ['many short steps', even(5, 0.01)],
    ['steps of some milliseconds', even(5, 1)],
    ['one step of a third of a second', even(20, 16)],
    ['one step of uneven parts', Array.from({ length: 20 }, (_, i) => (i % 5 === 0 ? 9 : 2))],
  ])('is what takes 10 to 30 ms: %s', async (_, costs) => {
    const { sizes, tookMs } = await lastSubmits(costs);
    expect(Math.max(...tookMs)).toBeLessThanOrEqual(30);
    expect(Math.max(...tookMs)).toBeGreaterThanOrEqual(10);
    for (const size of sizes) expect(size < costs.length || size % costs.length === 0).toBe(true);
  });

  it('keeps one long dispatch from making all the others submits of their own', async () => {
    const { sizes } = await lastSubmits([...even(10, 1), 200, ...even(9, 1)]);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
  });

  it('does not cut steps where answers come only now and then', async () => {
    const { sizes } = await lastSubmits(even(5, 0.1), 100);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(5);
  });
});
