/** docs/check-it-yourself.md: the script on that page does what the page says, on a run that it has never seen. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LedgerRecord } from '../../src/federation/record.ts';
import { ROOT } from '../../tools/command.ts';
import type { RunFiles } from '../../tools/verify/verifyRun.ts';
import { finishedRun, withByte, withText } from '../support/finishedRun.ts';
import { planDocument } from '../support/planDocument.ts';

let folder: string;
let files: RunFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hushgrad-check-'));
  const page = await readFile(join(ROOT, 'docs/check-it-yourself.md'), 'utf8');
  const script = /```js\n([\s\S]*?)```/.exec(page)?.[1];
  if (script === undefined) throw new Error('The page has no script.');
  await writeFile(join(folder, 'check.mjs'), script);
  const run = await finishedRun(planDocument({ rounds: 2 }), 4, true);
  ({ files } = run);
  run.room.close();
});

afterAll(() => rm(folder, { recursive: true }));

async function check(of: RunFiles): Promise<{ code: number; output: string }> {
  const out = join(folder, 'out');
  await mkdir(out, { recursive: true });
  for (const [name, bytes] of Object.entries(of)) await writeFile(join(out, name), bytes);
  return new Promise((resolve) => {
    execFile(process.execPath, [join(folder, 'check.mjs'), out], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr });
    });
  });
}

test('the script accepts a run, with abandoned and complete rounds in it', async () => {
  const ledger = new TextDecoder().decode(files['ledger.jsonl']).trimEnd().split('\n');
  const records = ledger.map((line) => JSON.parse(line) as LedgerRecord);
  expect(new Set(records.map(({ body }) => body.status))).toEqual(new Set(['complete', 'abandoned']));
  const { code, output } = await check(files);
  expect(output).toContain(`${records.length} records hold.`);
  expect(code).toBe(0);
});

test('the script accepts groups', async () => {
  const plan = planDocument({ rounds: 1, people: 9, mode: 'honest-but-curious' });
  const run = await finishedRun({ ...plan, aggregation: { ...plan.aggregation, groupSize: 4 } }, 9);
  run.room.close();
  expect(await check(run.files)).toMatchObject({ code: 0, output: expect.stringContaining('2 records hold.') });
});

test.each<[string, () => RunFiles, string]>([
  [
    'a figure',
    () => withText(files, 'ledger.jsonl', '"correct":28', '"correct":29'),
    "coordinator's signature is wrong",
  ],
  [
    'a model',
    () => withText(files, 'ledger.jsonl', /"modelHashAfter":"../, '"modelHashAfter":"aa'),
    'signature is wrong',
  ],
  ['who took part', () => withText(files, 'ledger.jsonl', /("survivors":\[")../, '$1zz'), 'a sheet is of no group'],
  [
    'a confirmation',
    () => withText(files, 'ledger.jsonl', /("confirmations":\[\["\w{32}",")../, '$1ff'),
    'did not sign',
  ],
  ['a record left out', () => withText(files, 'ledger.jsonl', /^.*\n/, ''), 'does not follow the record before'],
  ['the plan', () => withText(files, 'plan.json', '"seed":7', '"seed":8'), 'another plan or coordinator'],
  ['the weights', () => withByte(files, 'weights.bin', 3, 0), 'weights.bin is not the last model'],
])('the script refuses a change of %s', async (_, change, why) => {
  const { code, output } = await check(change());
  expect(output).toContain(why);
  expect(code).toBe(1);
});

test('the hashes that the page says are those of the files', async () => {
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const lines = new TextDecoder().decode(files['ledger.jsonl']).trimEnd().split('\n');
  const last = (JSON.parse(lines.at(-1) ?? '') as LedgerRecord).body;
  expect(last).toMatchObject({
    planHash: sha256(files['plan.json']),
    modelHashAfter: sha256(files['weights.bin']),
  });
});
