/** `npm run verify` as it is called: options, lines, the last line of JSON, the exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../tools/command.ts';
import { VERIFY_HELP } from '../../tools/verify/options.ts';
import { finishedRun } from '../support/finishedRun.ts';
import { planDocument } from '../support/planDocument.ts';

let folder: string;
let key: string;
let federation: string;
let modelHash: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hushgrad-verify-'));
  const { files, room } = await finishedRun(planDocument({ rounds: 1 }), 4);
  ({ key, federation } = room.coordinator.invite);
  ({ modelHash } = room.coordinator.state.head);
  room.close();
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
});

afterAll(() => rm(folder, { recursive: true }));

async function verify(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tools/verify.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, INIT_CWD: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { code, output, errors };
}

test('accepts, by a path from where the caller is', async () => {
  const { code, output, errors } = await verify('.', '--key', key, '--federation', federation);
  expect([code, errors]).toEqual([0, '']);
  const lines = output.trimEnd().split('\n');
  expect(lines.at(-1)).toBe('Accepted.');
  expect(lines.slice(0, -1).every((line) => line.startsWith('ok    '))).toBe(true);
  expect(output).toContain(`key ${key} (as pinned)`);
});

test('ends in one line of JSON', async () => {
  const { code, output } = await verify(folder, '--json');
  expect(code).toBe(0);
  expect(JSON.parse(output.trimEnd().split('\n').at(-1) ?? '')).toEqual({
    ok: true,
    records: 2,
    rounds: 1,
    participants: 4,
    modelHash,
    problems: [],
  });
});

test('rejects with exit code 1, and says what is wrong', async () => {
  const other = '12'.repeat(32);
  const told = await verify('.', '--key', other);
  expect(told.code).toBe(1);
  expect(told.output).toContain(
    `WRONG coordinator  ledger.jsonl: line 1: "body.coordinatorKey" is ${key}, expected ${other}.`,
  );
  expect(told.output.trimEnd().split('\n').at(-1)).toBe('Rejected: one thing is wrong.');
  const { code, output } = await verify('.', '--key', other, '--json');
  expect(code).toBe(1);
  expect(JSON.parse(output)).toMatchObject({ ok: false, problems: [expect.stringContaining(other)] });
});

test('says what it cannot do in one sentence', async () => {
  const [help, none, nowhere, short, unknown] = await Promise.all([
    verify('--help'),
    verify(),
    verify('nowhere'),
    verify('.', '--key', 'abc'),
    verify('.', '--keys', 'abc'),
  ]);
  expect(help).toEqual({ code: 0, output: `${VERIFY_HELP}\n`, errors: '' });
  expect(none.errors).toBe('0 folders are given, expected one, such as out.\n');
  expect(nowhere.errors).toMatch(/^"[^"]*nowhere" is no folder, expected one with plan\.json, /);
  expect(short.errors).toBe('"--key" is "abc", expected 64 hexadecimal digits.\n');
  expect(unknown.errors).toContain("Unknown option '--keys'");
  expect([none, nowhere, short, unknown].map(({ code }) => code)).toEqual([1, 1, 1, 1]);
});
