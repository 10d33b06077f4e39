/** What `npm run federate` understands, and what it says when it does not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { HushError } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { DataSplit } from '../../src/core/plan.ts';
import { modelFilesOf } from '../../src/federation/modelFiles.ts';
import { initialise } from '../../src/update/initialise.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { FEDERATE_HELP, preparePlan, readOptions } from '../../tools/federate/options.ts';
import { comparisonOf } from '../../tools/federate/report.ts';
import type { Report } from '../../tools/federate/report.ts';
import { planDocument } from '../support/planDocument.ts';

let folder: string;
let planPath: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hushgrad-options-'));
  planPath = join(folder, 'plan.json');
  await writeFile(planPath, JSON.stringify(planDocument({ rounds: 2, people: 4 })));
});

afterAll(() => rm(folder, { recursive: true }));

// npm sets this for its scripts; paths are read from there.
beforeEach(() => vi.stubEnv('INIT_CWD', folder));

function refusalOf(...args: string[]): HushError {
  try {
    readOptions(args);
  } catch (error) {
    expect(error).toBeInstanceOf(HushError);
    return error as HushError;
  }
  throw new Error('The options were taken.');
}

describe('options', () => {
  it('have defaults', () => {
    expect(readOptions(['plan.json'])).toEqual({
      help: false,
      planPath,
      participants: undefined,
      rounds: undefined,
      out: join(folder, 'out'),
      drops: [],
      joins: [],
      engine: undefined,
      compareEngines: false,
      central: false,
      json: false,
    });
  });

  it('are all understood, some more than once', () => {
    const options = readOptions(
      'a/plan.json --participants 5 --rounds 7 --out ../there --drop 2@3 --drop 1@4 --join 4 --join 2 --engine stock --compare-engines --json'.split(
        ' ',
      ),
    );
    expect(options).toEqual({
      help: false,
      planPath: join(folder, 'a/plan.json'),
      participants: 5,
      rounds: 7,
      out: resolve(folder, '../there'),
      drops: [
        { tab: 2, round: 3 },
        { tab: 1, round: 4 },
      ],
      joins: [4, 2],
      engine: 'stock',
      compareEngines: true,
      central: false,
      json: true,
    });
  });

  it('mean paths from where the person is, also without npm', () => {
    vi.stubEnv('INIT_CWD', undefined);
    expect(readOptions(['plan.json']).planPath).toBe(resolve('plan.json'));
    expect(readOptions([planPath]).planPath).toBe(planPath);
  });

  it('ask for no plan beside --help, which names every option', () => {
    expect(readOptions(['--help']).help).toBe(true);
    for (const option of [
      '--participants',
      '--rounds',
      '--data',
      '--split',
      '--out',
      '--drop',
      '--join',
      '--engine',
      '--compare-engines',
      '--central',
      '--json',
      '--help',
    ]) {
      expect(FEDERATE_HELP).toContain(option);
    }
  });

  it.each<[string, ErrorCode, string]>([
    ['', 'command/plan', '0 plans are given, expected one, such as plans/digits.json.'],
    ['a.json b.json', 'command/plan', '2 plans are given, expected one, such as plans/digits.json.'],
    ['p --participants 2', 'command/number', '"--participants" is "2", expected a whole number from 3 to 64.'],
    ['p --participants 65', 'command/number', '"--participants" is "65", expected a whole number from 3 to 64.'],
    ['p --participants 4.0', 'command/number', '"--participants" is "4.0", expected a whole number from 3 to 64.'],
    ['p --participants four', 'command/number', '"--participants" is "four", expected a whole number from 3 to 64.'],
    ['p --rounds 0', 'command/number', '"--rounds" is "0", expected a whole number from 1 to 100000.'],
    ['p --rounds=-1', 'command/number', '"--rounds" is "-1", expected a whole number from 1 to 100000.'],
    ['p --join 0', 'command/number', '"--join" is "0", expected a whole number from 1 to 100000.'],
    ['p --drop 2', 'command/drop', '"--drop" is "2", expected TAB@ROUND, such as 2@3.'],
    ['p --drop 0@3', 'command/drop', '"--drop" is "0@3", expected TAB@ROUND, such as 2@3.'],
    ['p --drop 2@0', 'command/drop', '"--drop" is "2@0", expected TAB@ROUND, such as 2@3.'],
    [
      'p --engine fast',
      'command/engine',
      '"--engine" is "fast", expected one of compiled-webgpu, compiled-wasm, webgpu, wasm, webgl, cpu, stock.',
    ],
    [
      'p --central --compare-engines',
      'command/central',
      '"--central" is given with "--compare-engines", expected one of both.',
    ],
    [
      'p --split random',
      'command/split',
      '"--split" is "random", expected iid, natural, label:LABELS_PER_SHARD or dirichlet:ALPHA, such as dirichlet:0.5.',
    ],
    ['p --drop a@3', 'command/drop', '"--drop" is "a@3", expected TAB@ROUND, such as 2@3.'],
  ])('"%s" is refused', (line, code, message) => {
    const error = refusalOf(...line.split(' ').filter((word) => word !== ''));
    expect(error.code).toBe(code);
    expect(error.message).toBe(message);
  });

  it('that do not exist are named', () => {
    expect(() => readOptions(['p', '--paticipants', '4'])).toThrow(/--paticipants/);
  });
});

describe('a comparison of engines', () => {
  const report = (ok: boolean, trainSecondsPerRound: number | null): Report =>
    ({ ok, trainSecondsPerRound }) as unknown as Report;

  it('is the training time beside that of stock tfjs', () => {
    const [stock, chosen] = [report(true, 8), report(true, 2.5)];
    expect(comparisonOf(stock, chosen)).toEqual({ ok: true, stock, chosen, trainSecondsOfStock: 0.313 });
    expect(comparisonOf(stock, report(false, 2)).ok).toBe(false);
    expect(comparisonOf(report(false, 8), chosen).ok).toBe(false);
  });

  it('has no ratio where one was not measured', () => {
    expect(comparisonOf(report(true, null), report(true, 2)).trainSecondsOfStock).toBeNull();
    expect(comparisonOf(report(true, 8), report(true, null)).trainSecondsOfStock).toBeNull();
    expect(comparisonOf(report(true, 0), report(true, 2)).trainSecondsOfStock).toBeNull();
  });
});

describe('the plan that is launched', () => {
  it('is the one given, with a shard for each', async () => {
    const { plan, text, participants } = await preparePlan(readOptions([planPath]));
    expect(participants).toBe(4);
    expect(plan.data).toMatchObject({ shards: 4 });
    expect(plan.aggregation.rounds).toBe(2);
    expect(plan.aggregation.cohort).toEqual({ minimum: 3, target: 4 });
    expect(JSON.parse(text)).toEqual({ ...planDocument(), data: { ...planDocument().data, shards: 4 } });
  });

  it('is for so many people and rounds, and has a shard for everyone who comes later', async () => {
    const args = [planPath, '--participants', '6', '--rounds', '9', '--join', '3', '--join', '4', '--drop', '6@9'];
    const { plan, participants } = await preparePlan(readOptions(args));
    expect(participants).toBe(6);
    expect(plan.data).toMatchObject({ shards: 8 });
    expect(plan.aggregation.rounds).toBe(9);
    expect(plan.aggregation.cohort).toEqual({ minimum: 3, target: 6 });
  });

  it('begins with the saved model that is given, as one file or as two', async () => {
    const { plan } = parsePlan(utf8(JSON.stringify(planDocument())));
    const document = { plan, bytes: utf8(JSON.stringify(planDocument())) };
    const none = { planHash: undefined, federation: undefined, modelHash: undefined, ledgerHead: undefined, rounds: 0 };
    const parameters = initialise(plan.model, 3);
    const { safetensors, modelJson, weights } = modelFilesOf(document, none, parameters, []);
    await writeFile(join(folder, 'a.safetensors'), safetensors);
    await writeFile(join(folder, 'model.json'), modelJson);
    await writeFile(join(folder, 'weights.bin'), weights);
    for (const file of ['a.safetensors', 'model.json']) {
      const prepared = await preparePlan(readOptions([planPath, '--start', file]));
      expect(prepared.plan.start).toEqual({ modelHash: modelHashOf(parameters) });
      expect(prepared.start?.[0]?.name).toBe(file);
    }
    await expect(preparePlan(readOptions([planPath, '--start', 'none.safetensors']))).rejects.toMatchObject({
      code: 'command/start',
    });
  });

  it.each<[string, DataSplit]>([
    ['iid', { kind: 'iid' }],
    ['label:3', { kind: 'label', labelsPerShard: 3 }],
    ['dirichlet:.25', { kind: 'dirichlet', alpha: 0.25 }],
  ])('cuts the data as is asked: %s', async (line, split) => {
    const { plan } = await preparePlan(readOptions([planPath, '--split', line]));
    expect(plan.data).toMatchObject({ shards: 4, split });
  });

  it('asks for no more than are there', async () => {
    const path = join(folder, 'many.json');
    const many = planDocument({ people: 9 });
    many.aggregation.cohort.minimum = 7;
    await writeFile(path, JSON.stringify(many));
    const { plan } = await preparePlan(readOptions([path, '--participants', '5']));
    expect(plan.aggregation.cohort).toEqual({ minimum: 5, target: 5 });
  });

  it('is refused with a tab to close that there is not', async () => {
    await expect(preparePlan(readOptions([planPath, '--drop', '5@1']))).rejects.toMatchObject({
      code: 'command/drop',
      message: '"--drop" names tab 5, expected 1 to 4.',
    });
  });

  it.each([
    ['--drop', '2@10'],
    ['--join', '10'],
  ])('is refused with a round after the last one: %s %s', async (option, value) => {
    const options = readOptions([planPath, '--rounds', '9', option, value]);
    await expect(preparePlan(options)).rejects.toMatchObject({
      code: 'command/round',
      message: 'Round 10 is named, expected 1 to 9.',
    });
  });

  it('is refused when it cannot be read, or is no plan', async () => {
    await expect(preparePlan(readOptions(['none.json']))).rejects.toMatchObject({
      code: 'plan/unreadable',
      message: `The plan "${join(folder, 'none.json')}" cannot be read.`,
    });
    const path = join(folder, 'wrong.json');
    await writeFile(path, JSON.stringify({ ...planDocument(), seed: 'x' }));
    await expect(preparePlan(readOptions([path]))).rejects.toMatchObject({
      code: 'plan/invalid',
      message: 'Plan: "seed" is "x", expected an integer from 0 to 4294967295.',
    });
  });

  it('is refused when its tabs would have to go by names', async () => {
    const names = Array.from({ length: 4 }, (_, i) => ({ name: `Person ${i}`, key: String(i).repeat(64) }));
    const path = join(folder, 'named.json');
    const security = { mode: 'active', admission: 'named', names };
    await writeFile(path, JSON.stringify({ ...planDocument(), security }));
    await expect(preparePlan(readOptions([path]))).rejects.toMatchObject({
      code: 'command/admission',
      message: '"security.admission" is "named", expected "link" or "anyone".',
    });
  });
});
