import { describe, expect, it } from 'vitest';
import { deferred } from '../../src/core/async.ts';
import type { MaskSeed } from '../../src/core/localWork.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { expandStretch, Spreading } from '../../src/worker/spreading.ts';
import type { Helper, Stretch } from '../../src/worker/spreading.ts';
import { startThread } from '../../tools/threads/threadHelper.ts';

const random = SeededRandom.of(1);
const masks = Array.from({ length: 300 }, (_, i): MaskSeed => ({ seed: random.bytes(32), sign: i % 2 === 0 ? 1 : -1 }));
/** With 300 masks just enough to be spread, and no multiple of a block. */
const WORDS = Math.ceil(2 ** 24 / 300) + 5;
const whole = expandStretch({ firstWord: 0, count: WORDS, masks });

describe('spreading', () => {
  it.each([2, 3, 8])('gives over %i helpers what one expansion gives, and no word twice', async (cores) => {
    const stretches: Stretch[] = [];
    const helper: Helper = async (stretch) => {
      stretches.push(stretch);
      return expandStretch(stretch);
    };
    expect(await new Spreading(() => helper, cores).expand(WORDS, masks)).toEqual(whole);
    expect(stretches).toHaveLength(cores);
    let next = 0;
    for (const { firstWord, count } of stretches) {
      expect(firstWord).toBe(next);
      next += count;
    }
    expect(next).toBe(WORDS);
  });

  it('starts helpers once, at most 8, and none for little work or a single core', async () => {
    let started = 0;
    const start = (): Helper => {
      started++;
      return async (stretch) => expandStretch(stretch);
    };
    const spreading = new Spreading(start, 64);
    expect(await spreading.expand(WORDS - 20, masks.slice(0, 299))).toHaveLength(299);
    expect(await new Spreading(start, 1).expand(WORDS, masks)).toBe(masks);
    expect(started).toBe(0);
    await spreading.expand(WORDS, masks);
    await spreading.expand(WORDS, masks);
    expect(started).toBe(8);
  });

  it('has the helpers work at the same time', async () => {
    const both = deferred<void>();
    let running = 0;
    const spreading = new Spreading(
      () => async (stretch) => {
        if (++running === 2) both.resolve();
        await both.promise;
        return expandStretch(stretch);
      },
      2,
    );
    expect(await spreading.expand(WORDS, masks)).toEqual(whole);
  });

  it('does itself what a helper that died leaves undone', async () => {
    let started = 0;
    const spreading = new Spreading(() => {
      const dies = started++ === 1;
      return async (stretch) => {
        if (dies) throw new Error('gone');
        return expandStretch(stretch);
      };
    }, 3);
    expect(await spreading.expand(WORDS, masks)).toEqual(whole);
  });

  it('starts helpers ahead where they will be needed', async () => {
    let started = 0;
    const spreading = new Spreading(() => {
      started++;
      return async (stretch) => expandStretch(stretch);
    }, 2);
    spreading.prepare(WORDS - 20, 299);
    expect(started).toBe(0);
    spreading.prepare(WORDS, 300);
    expect(started).toBe(2);
    expect(await spreading.expand(WORDS, masks)).toEqual(whole);
    expect(started).toBe(2);
  });

  it('goes over threads of Node, one job after the other', async () => {
    const stretch = { firstWord: 32, count: 50, masks: masks.slice(0, 3) };
    // By itself, since what a thread leaves undone would be done here.
    expect(await startThread()(stretch)).toEqual(expandStretch(stretch));
    const spreading = new Spreading(startThread, 2);
    const [first, second] = await Promise.all([spreading.expand(WORDS, masks), spreading.expand(WORDS + 64, masks)]);
    expect(first).toEqual(whole);
    expect((second as Uint32Array).subarray(0, WORDS)).toEqual(whole);
    expect(second).toEqual(expandStretch({ firstWord: 0, count: WORDS + 64, masks }));
  });
});
