/** How long a step takes, found out beside other work. */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { stepTime } from '../../src/engine/stepTime.ts';
import { Balance } from '../../src/engine/wasm/balance.ts';

const TURN_MS = 3;

interface Machine {
  /** How many others want this core. */
  readonly others: number;
  /** Of a training, whatever its steps. */
  readonly overheadMs: number;
  readonly seed: number;
}

/** An engine on a core that goes round among those who want it: whoever had a turn waits for all the others. */
function engineOn({ others, overheadMs, seed }: Machine, stepMs: number, lengths: number[] = []) {
  const random = SeededRandom.of(seed);
  let leftMs = random.uniform() * TURN_MS;
  return (steps: number): Promise<number> => {
    lengths.push(steps);
    const workMs = overheadMs + steps * stepMs;
    let waitedMs = 0;
    for (leftMs -= workMs; leftMs < 0; leftMs += TURN_MS * (0.5 + random.uniform())) {
      waitedMs += others * TURN_MS * random.uniform() * 2;
    }
    return Promise.resolve(workMs + waitedMs);
  };
}

const seeds = Array.from({ length: 200 }, (_, i) => i + 1);

describe('the time of a step', () => {
  it.each([
    ['short', 0.2, 0.5],
    ['long', 40, 1],
    ['very long', 300, 1],
  ])('is exact where nothing comes between, %s', async (_, stepMs, overheadMs) => {
    expect(await stepTime(engineOn({ others: 0, overheadMs, seed: 1 }, stepMs))).toBeCloseTo(
      stepMs > 250 ? stepMs + overheadMs : stepMs,
      6,
    );
  });

  it('never makes the slower engine win on a core that seven others want', async () => {
    const busy = { others: 7, overheadMs: 0.5 };
    const wrong: number[] = [];
    for (const seed of seeds) {
      const fast = await stepTime(engineOn({ ...busy, seed }, 0.2));
      const slow = await stepTime(engineOn({ ...busy, seed: seed + 1000 }, 0.5));
      if (fast >= slow) wrong.push(seed);
    }
    expect(wrong).toEqual([]);
  });

  it('is not misled by threads that a busy machine makes wait for each other', async () => {
    for (const seed of seeds) {
      const [busy, balance, clock] = [engineOn({ others: 7, overheadMs: 0, seed }, 0.2), new Balance(), { ms: 0 }];
      const time = await stepTime(async (steps) => {
        const startMs = clock.ms;
        clock.ms += 0.5;
        for (let i = 0; i < steps; i++) {
          const stepMs = balance.together ? 600 : await busy(1);
          clock.ms += stepMs;
          balance.took(stepMs, clock.ms);
        }
        return clock.ms - startMs;
      });
      expect(time).toBeLessThan(0.5);
    }
  });

  it('looks through a read-back that answers only now and then', async () => {
    const lengths: number[] = [];
    const time = await stepTime(engineOn({ others: 0, overheadMs: 100, seed: 1 }, 0.5, lengths));
    expect(time).toBeLessThan(1);
    expect(Math.max(...lengths)).toBe(30);
  });

  it('does not go on for long where steps are slow', async () => {
    const lengths: number[] = [];
    await stepTime(engineOn({ others: 0, overheadMs: 1, seed: 1 }, 200, lengths));
    expect(lengths.reduce((sum, steps) => sum + steps, 0)).toBeLessThan(7);
  });
});
