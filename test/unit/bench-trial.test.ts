/** The federation that `npm run bench -- bits` measures: real training in Node on the real digits. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parsePlan } from '../../src/core/plan.ts';
import type { Plan } from '../../src/core/plan.ts';
import { run } from '../../tools/bench/bits.ts';
import { runTrial } from '../../tools/bench/trial.ts';
import { buildDigits } from '../../tools/build-digits.ts';
import { DATA_DIR } from '../../tools/build.ts';
import { ROOT } from '../../tools/command.ts';

const BUILD_MS = 60_000;

let plan: Plan;
beforeAll(async () => {
  await buildDigits(DATA_DIR);
  const digits = parsePlan(await readFile(join(ROOT, 'plans/digits.json'))).plan;
  plan = { ...digits, training: { ...digits.training, epochs: 1 } };
}, BUILD_MS);

const trial = (aggregation: Partial<Plan['aggregation']>, float = false) => {
  const changed = { ...plan, aggregation: { ...plan.aggregation, rounds: 1, ...aggregation } };
  return runTrial({ plan: changed, participants: 4, float, dataDir: DATA_DIR });
};

describe('a trial', () => {
  it('is repeatable, and the sums of many bits give what float32 averaging gives', async () => {
    const exact = await trial({}, true);
    expect(exact).toMatchObject({ saturated: 0, meanError: 0 });
    expect(exact.testAccuracy).toBeGreaterThan(0.7);
    expect(await trial({}, true)).toEqual(exact);
    const fine = { bits: 20, rotation: true, clipRange: plan.aggregation.clipNorm };
    const many = await trial(fine);
    expect(many.meanError).toBeLessThan(0.001);
    expect(Math.abs(many.testAccuracy - exact.testAccuracy)).toBeLessThan(0.002);
    expect(await trial(fine)).toEqual(many);
    const few = await trial({ ...fine, bits: 4, clipRange: 0.05 });
    expect(few.meanError).toBeGreaterThan(0.01);
    expect(few.meanError).toBeLessThan(1);
  }, 120_000);
});

describe('its options', () => {
  it.each([
    [['--bits', '1'], '"--bits" has "1", expected a number from 2 to 24.'],
    [['--bits', '4,x'], '"--bits" has "x", expected a number from 2 to 24.'],
    [['--seeds', '0'], '"--seeds" has "0", expected a number from 1 to 100.'],
  ])('%j are refused', async (args, message) => {
    await expect(run(args)).rejects.toMatchObject({ code: 'command/bench', message });
  });
});
