import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { Balance } from '../../src/engine/wasm/balance.ts';

/** Takes steps until the clock is at `untilMs`; gives how many were together and alone. */
function steps(balance: Balance, clock: { ms: number }, untilMs: number, cost: { together: number; alone: number }) {
  const taken = { together: 0, alone: 0 };
  while (clock.ms < untilMs) {
    const kind = balance.together ? 'together' : 'alone';
    taken[kind]++;
    clock.ms += cost[kind];
    balance.took(cost[kind], clock.ms);
  }
  return taken;
}

describe('the balance between threads', () => {
  it('stays with what is quicker, and tries the other now and then', () => {
    for (const [cost, quicker, slower] of [
      [{ together: 1, alone: 3 }, 'together', 'alone'],
      [{ together: 3, alone: 1 }, 'alone', 'together'],
    ] as const) {
      const taken = steps(new Balance(), { ms: 0 }, 20_000, cost);
      expect(taken[slower]).toBeGreaterThan(4);
      expect(taken[slower]).toBeLessThan(taken[quicker] / 100);
    }
  });

  it('changes its mind when the cores become busy', () => {
    const [balance, clock] = [new Balance(), { ms: 0 }];
    steps(balance, clock, 5000, { together: 1, alone: 2 });
    const busy = steps(balance, clock, 40_000, { together: 20, alone: 2 });
    expect(busy.alone).toBeGreaterThan(10 * busy.together);
  });

  it('leaves the threads at once where they only wait for each other', () => {
    const [balance, clock] = [new Balance(), { ms: 0 }];
    expect(steps(balance, clock, 400, { together: 100, alone: 1 })).toEqual({ together: 1, alone: 300 });
  });

  it('takes no luck of a busy core for the threads', () => {
    const random = SeededRandom.of(1);
    const balance = new Balance();
    let [nowMs, together] = [0, 0];
    for (let step = 0; step < 10_000; step++) {
      // Alone a step has the core to itself seven times in eight, together once in four.
      const isTogether = balance.together;
      const cost = isTogether ? (random.below(4) === 0 ? 0.6 : 12) : random.below(8) === 0 ? 12 : 1;
      if (isTogether) together++;
      nowMs += cost;
      balance.took(cost, nowMs);
    }
    expect(together).toBeLessThan(100);
  });
});
