/** `npm run simulate -- --plan`: trains for real on people's tables, sweeps, and says what it does not understand. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readOptions } from '../../tools/simulate/options.ts';
import { simulateTraining } from '../../tools/simulate/training.ts';
import { sweepCsv, sweepTable } from '../../tools/simulate/trainingReport.ts';
import type { SweepRow, TrainingReport } from '../../tools/simulate/trainingReport.ts';
import { readSweep } from '../../tools/simulate/sweep.ts';
import { gardenTable, ownPlanDocument } from '../support/ownPlan.ts';

const PEOPLE = 4;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hushgrad-simulate-'));
  await mkdir(join(folder, 'gardens'));
  await writeFile(join(folder, 'plan.json'), JSON.stringify(ownPlanDocument({ rounds: 2, people: PEOPLE })));
  for (let garden = 1; garden <= PEOPLE; garden++) {
    await writeFile(join(folder, 'gardens', `${garden}.csv`), gardenTable(garden, 40));
  }
});
afterAll(() => rm(folder, { recursive: true }));

// npm sets this for its scripts; paths are read from there.
beforeEach(() => vi.stubEnv('INIT_CWD', folder));
afterEach(() => vi.restoreAllMocks());

/** What is printed, line by line. */
async function simulate(...args: string[]): Promise<readonly string[]> {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  expect(await simulateTraining(['--plan', 'plan.json', '--data', 'gardens', ...args])).toBe(0);
  return log.mock.calls.map(([line]) => String(line));
}

const reportOf = (lines: readonly string[]): unknown => JSON.parse(lines.at(-1) ?? '');

describe('a sweep', () => {
  it('trains every combination, best first, each the same whenever it is trained with the same seed', async () => {
    const sweeps = ['--sweep', 'seed=1,2', '--sweep', 'participants=3,4'];
    const lines = await simulate(...sweeps, '--dropout', '0.25', '--csv', 'table.csv', '--jobs', '1', '--json');
    expect(lines).toHaveLength(1);
    const { runs, ...rest } = reportOf(lines) as { runs: (TrainingReport & { values: object })[] };
    expect(rest).toEqual({ sweep: ['seed', 'participants'], of: 4 });
    // Of three nobody can be missing: that ends these runs, and no others.
    const problem = 'Round 1 would be given up: 2 of 3 are left, expected at least 3.';
    expect(runs.slice(2)).toEqual([
      { values: { seed: 1, participants: 3 }, problem: expect.stringContaining(problem) },
      { values: { seed: 2, participants: 3 }, problem: expect.stringContaining(problem) },
    ]);
    const [best, other] = runs;
    expect(best?.modelHash).not.toBe(other?.modelHash);
    expect(best).toMatchObject({ metric: { name: 'accuracy' }, participants: 4, rounds: 2, testAccuracy: null });
    expect(best?.metric?.value).toBeGreaterThan(0.9);
    expect(best?.metric?.value).toBeGreaterThanOrEqual(other?.metric?.value ?? 1);
    expect(best?.curve.map(({ round, people }) => [round, people])).toEqual([
      [0, 3],
      [1, 3],
      [2, 4],
    ]);
    const csv = (await readFile(join(folder, 'table.csv'), 'utf8')).trim().split('\r\n');
    expect(csv).toHaveLength(5);
    expect(csv[1]).toContain(`accuracy,${best?.metric?.value},,,${best?.modelHash},`);

    const again = ['--seed', String(best?.seed), '--dropout', '0.25', '--masks', '--json'];
    const report = reportOf(await simulate(...again)) as TrainingReport;
    expect({ ...report, values: best?.values, secondsTotal: best?.secondsTotal }).toEqual(best);
  }, 120_000);

  it('is a table, best first by a metric that is better when it is low, and as CSV with what must be quoted', () => {
    const report = {
      plan: 'A',
      participants: 4,
      rounds: 2,
      seed: 1,
      testAccuracy: null,
      testLoss: 0.5,
      validationAccuracy: null,
      validationLoss: null,
      curve: [],
      modelHash: 'ab'.repeat(32),
      parameters: 9,
      secondsTotal: 1.5,
    };
    const rowOf = (hidden: unknown, value: number): SweepRow => ({
      values: { 'model.hidden': hidden },
      report: { ...report, metric: { name: 'mae', value } },
      problem: undefined,
    });
    const failed = { values: { 'model.hidden': [1] }, report: undefined, problem: 'The "loss" became NaN.' };
    const sweeps = [readSweep('model.hidden=[8],[16,8],[1]')];
    const rows = [failed, rowOf([8], 0.7), rowOf([16, 8], 0.3)];
    expect(sweeps[0]?.values).toEqual([[8], [16, 8], [1]]);
    expect(sweepTable(sweeps, rows).split('\n')).toEqual([
      'model.hidden  metric  value  testAccuracy  testLoss  modelHash               seconds',
      '[16,8]        mae     0.3    –             0.5       abababababab…           1.5',
      '[8]           mae     0.7    –             0.5       abababababab…           1.5',
      '[1]           –       –      –             –         The "loss" became NaN.  –',
    ]);
    expect(sweepCsv(sweeps, rows).split('\r\n')).toEqual([
      'model.hidden,participants,rounds,seed,metric,value,testAccuracy,testLoss,modelHash,seconds',
      `"[16,8]",4,2,1,mae,0.3,,0.5,${'ab'.repeat(32)},1.5`,
      `[8],4,2,1,mae,0.7,,0.5,${'ab'.repeat(32)},1.5`,
      '[1],,,,,,,,"The ""loss"" became NaN.",',
      '',
    ]);
  });
});

describe('what makes no sense is refused', () => {
  const PLAN = ['--plan', 'plan.json'];
  it.each([
    [['--bits', '4'], '"--bits" is given with "--plan", which says it itself.'],
    [['--sweep', 'localEpochs'], '"--sweep" is "localEpochs", expected FIELD=VALUE,VALUE, such as localEpochs=1,5.'],
    [['--sweep', 'localEpochs=1,1'], '"--sweep" is "localEpochs=1,1", expected each value once, and 1 is there twice.'],
    [['--sweep', 'seed=1', '--sweep', 'seed=2'], '"--sweep" names "seed" twice, expected it once.'],
    [['--sweep', 'localEpochs=1,0'], 'Plan: "training.epochs" is 0, expected an integer from 1 to 1000.'],
    [['--sweep', 'training.speed=1'], 'Plan: "training.speed" is 1, expected no such field.'],
    [['--sweep', 'participants=4,2'], '"participants" is "2", expected a whole number from 3 to 10000.'],
    [['--split', 'iid'], '"--split" is given, expected none: people’s own files are not cut.'],
    [['--dropout', '1'], '"--dropout" is "1", expected a number from 0 to below 1.'],
    [[], '"--data" is missing, expected a folder: this plan trains on people’s own files.'],
  ])('with a plan: %j', async (args, message) => {
    await expect(simulateTraining([...PLAN, ...args])).rejects.toMatchObject({ message });
  });

  it('a field of no name says which there are', async () => {
    const wrong = simulateTraining([...PLAN, '--sweep', 'epochs=1']);
    await expect(wrong).rejects.toThrow(/"epochs=1", expected a path .*, or one of localEpochs, clientLearningRate/);
  });

  it.each([['--masks'], ['--sweep=localEpochs=1'], ['--csv=table.csv'], ['--split=iid'], ['--data=gardens']])(
    'without a plan: %s',
    (option) => {
      expect(() => readOptions([option])).toThrow(/is given without "--plan", expected a plan to train/);
    },
  );
});
