/** `npm run federate --data`: each tab is given files of its own through the page, and trains on them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildApplication } from '../../tools/build.ts';
import { ROOT } from '../../tools/command.ts';
import type { Report } from '../../tools/federate/report.ts';
import { gardenTable, ownPlanDocument } from '../support/ownPlan.ts';

const LIMIT_MS = 60_000;
const ROWS = 80;

let folder: string;
let gardens: string;

beforeAll(async () => {
  await buildApplication();
  folder = await mkdtemp(join(tmpdir(), 'hushgrad-own-'));
  gardens = join(folder, 'gardens');
  await writeFile(join(folder, 'plan.json'), JSON.stringify(ownPlanDocument({ rounds: 5, people: 3 })));
  await mkdir(join(gardens, '2'), { recursive: true });
  // A file, and folders of one and of two.
  await writeFile(join(gardens, '1.csv'), gardenTable(1, ROWS));
  await writeFile(join(gardens, '2', 'flowers.csv'), gardenTable(2, ROWS));
  await mkdir(join(gardens, '10'));
  await writeFile(join(gardens, '10', 'east.csv'), gardenTable(3, ROWS / 2));
  await writeFile(join(gardens, '10', 'west.csv'), `${gardenTable(4, ROWS / 2)}long,5,garden 4,rose\n`);
});

afterAll(() => rm(folder, { recursive: true }));

async function federate(...args: string[]) {
  const plan = join(folder, 'plan.json');
  const out = join(folder, 'out');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'tools/federate.ts', plan, ...args, '--out', out, '--json'],
    {
      cwd: ROOT,
      env: { ...process.env, INIT_CWD: ROOT },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { code, output, errors };
}

it(
  'three tabs learn from the files of three gardens',
  async () => {
    const startedMs = Date.now();
    const { code, output, errors } = await federate('--data', gardens);
    expect([code, errors]).toEqual([0, '']);
    const report = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Report;
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ ok: true, participants: 3, rounds: 5, modelHashesAgree: true, testAccuracy: null });
    expect(report.validationAccuracy).toBeGreaterThanOrEqual(0.95);
    const ledger = (await readFile(join(folder, 'out', 'ledger.jsonl'), 'utf8')).trimEnd().split('\n');
    const last = JSON.parse(ledger.at(-1) ?? '') as { body: { figures: { validation: { samples: number } } } };
    // A quarter of what each can train on; the row that cannot be read is in none.
    expect(last.body.figures.validation.samples).toBe((3 * ROWS) / 4);
    expect(Date.now() - startedMs).toBeLessThan(LIMIT_MS);
  },
  3 * LIMIT_MS,
);

it(
  'names the file of which nothing can be trained on, and why',
  async () => {
    const folderOf = join(folder, 'unusable');
    await mkdir(folderOf);
    await writeFile(join(folderOf, '1.csv'), 'petal,sepal,kind\nlong,5,rose\n');
    for (const name of ['2.csv', '3.csv']) await writeFile(join(folderOf, name), gardenTable(2, ROWS));
    const { code, output, errors } = await federate('--data', folderOf);
    expect({ code, output }).toEqual({ code: 1, output: '' });
    const path = join(folderOf, '1.csv');
    const why = '1.csv, row 2, column petal: "long", expected a number';
    expect(errors.startsWith(`Nothing in "${path}" can be trained on. ${why}`), errors).toBe(true);
  },
  3 * LIMIT_MS,
);

it('says what is missing, before a browser is opened', async () => {
  const [none, few] = await Promise.all([federate(), federate('--data', join(gardens, '10'))]);
  expect(none).toMatchObject({
    code: 1,
    output: '',
    errors:
      '"--data" is missing, expected a folder: this plan trains on people’s own files. Give a folder with one file or sub-folder for each of the 3 tabs.\n',
  });
  expect(few).toMatchObject({
    code: 1,
    output: '',
    errors:
      '"--data" names a folder with 2 files and folders, expected 3, one for each tab. Give fewer --participants, or a folder with more.\n',
  });
});
