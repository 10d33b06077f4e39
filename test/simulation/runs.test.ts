/** Runs without faults: what they report, that dropouts are survived, and that a wrong sum is found. */
import { describe, expect, it } from 'vitest';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import { calmRun } from '../../tools/simulate/calmRun.ts';
import { readOptions } from '../../tools/simulate/options.ts';
import { planFor } from '../../tools/simulate/planFor.ts';

const run = (text: string) => calmRun(readOptions(text.split(' ')));

describe('a run without faults', () => {
  it('sums exactly and tells what it cost', async () => {
    const report = await run('--participants 6 --params 500 --bits 12 --seed 9');
    expect(report).toMatchObject({
      mode: 'active',
      groups: 1,
      groupSize: 6,
      threshold: 5,
      completed: 1,
      exact: true,
      survivors: 6,
      abandoned: {},
      hung: 0,
    });
    expect(report.clientMsMedian).toBeGreaterThan(0);
    expect(report.clientMsMax).toBeGreaterThanOrEqual(report.clientMsMedian);
    expect(report.coordinatorMs).toBeGreaterThan(0);
    // R = 12 + ceil(log2 6) bits for each of at least 500 words, and keys, shares and envelopes beside.
    expect(report.bytesUpPerParticipant).toBeGreaterThan((500 * 15) / 8);
    expect(report.expansionUp).toBeCloseTo(report.bytesUpPerParticipant / ((500 * 12) / 8), 2);
    // One masked update on its way, and one running sum, are held at the least.
    expect(report.coordinatorPeakMiB * 2 ** 20).toBeGreaterThan(500 * 4);
  });

  it('survives the tabs that close in every round, in groups, and takes them back', async () => {
    const report = await run('--participants 24 --group 12 --dropout 0.1 --rounds 2 --params 200');
    expect(report).toMatchObject({ completed: 2, exact: true, hung: 0, groups: 2 });
    // Two of 24 in each round; who closed its tab in the first may have missed the call of the second.
    expect(report.survivors).toBeLessThanOrEqual(22);
    expect(report.survivors).toBeGreaterThanOrEqual(18);
  });

  it('needs fewer to survive in the weaker mode', async () => {
    const lossy = '--participants 8 --params 100 --dropout 0.375 --seed 2';
    expect(await run(`${lossy} --mode honest-but-curious`)).toMatchObject({ completed: 1, survivors: 5, threshold: 5 });
    const active = await run(lossy);
    expect(active).toMatchObject({ completed: 0, exact: false, hung: 0 });
    expect(Object.values(active.abandoned)).toEqual([1]);
  });

  it('finds one wrong word in a sum', async () => {
    const spoil = (words: Uint32Array): void => {
      words[0] = (words[0] ?? 0) ^ 1;
    };
    const report = await calmRun(readOptions(['--participants', '5', '--params', '100']), { spoil });
    expect(report).toMatchObject({ completed: 1, exact: false });
  });
});

describe('the plan of a run', () => {
  it.each([6, 7, 100, 1000, 9973, 10_000, 100_000, 1_048_576])('has a model of exactly %i parameters', (params) => {
    const { plan } = planFor({ ...readOptions([]), params, rounds: 1, minimum: 3, stepMs: 5000, trainMs: 5000 });
    expect(parameterLayout(plan.model).length).toBe(params);
  });
});

describe('the options', () => {
  it.each([
    [['--participants', '2'], '"--participants" is "2", expected a whole number from 3'],
    [['--participants', '300'], '"--participants" is 300 without "--group", expected at most 255'],
    [['--bits', '25'], '"--bits" is "25", expected a whole number from 2 to 24'],
    [['--dropout', '1'], '"--dropout" is "1", expected a number from 0 to below 1'],
    [['--mode', 'trusting'], '"--mode" is "trusting", expected active or honest-but-curious'],
    [['--schedules', '5', '--dropout', '0.1'], '"--dropout" is given with "--schedules"'],
  ])('%j are refused, naming what was expected', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
