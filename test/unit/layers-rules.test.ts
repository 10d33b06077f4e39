/** The rules about who may import whom fire: a linter that reports nothing looks like code without faults. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURES = join(ROOT, 'test/fixtures/layers');
const ROOMS = ['core', 'crypto', 'update', 'federation', 'engine', 'data', 'transport', 'platform', 'worker', 'ui'];

interface Report {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
}

let folder: string;
/** Rules that reported something, by file. */
const reported = new Map<string, Set<string>>();
/** The first line of each fixture says what is expected of it. */
const fixtures = new Map<string, string>();

beforeAll(async () => {
  // Outside the project, where the ignore patterns of its configuration do not hide the fixtures.
  folder = await mkdtemp(join(tmpdir(), 'hushgrad-layers-'));
  await cp(FIXTURES, folder, { recursive: true });
  await cp(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  const report = JSON.parse(await lint(folder)) as Report;
  for (const { code, filename } of report.diagnostics) {
    const file = relative('src', filename);
    reported.set(file, (reported.get(file) ?? new Set()).add(code));
  }
  for (const entry of await readdir(join(FIXTURES, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const [firstLine = ''] = (await readFile(path, 'utf8')).split('\n', 1);
    fixtures.set(relative(join(FIXTURES, 'src'), path), firstLine);
  }
});

afterAll(() => rm(folder, { recursive: true }));

/** The linter ends with an error code when it reports something, as it should here. */
function lint(cwd: string): Promise<string> {
  const linter = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  // Its type-aware half is looked for on the PATH, when it is not below the working directory.
  const env = { ...process.env, PATH: [join(ROOT, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter) };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [linter, '--format', 'json', 'src'],
      { cwd, env, maxBuffer: 2 ** 24 },
      (_error, stdout) => resolve(stdout),
    );
  });
}

function filesThatSay(word: string): readonly string[] {
  return [...fixtures].filter(([, firstLine]) => firstLine.startsWith(`/** ${word}`)).map(([file]) => file);
}

test('every room has an import that is forbidden and one that is allowed', () => {
  for (const room of ROOMS) {
    expect(filesThatSay('Forbidden: ').filter((file) => file.startsWith(`${room}/`)).length, room).toBeGreaterThan(1);
    expect(filesThatSay('Allowed: ').filter((file) => file.startsWith(`${room}/`)).length, room).toBeGreaterThan(1);
  }
  expect(filesThatSay('').length).toBe(fixtures.size);
});

test('every forbidden import is reported as such', () => {
  const missed = filesThatSay('Forbidden: ').filter(
    (file) => !reported.get(file)?.has('eslint(no-restricted-imports)'),
  );
  expect(missed).toEqual([]);
});

test('no allowed import is reported', () => {
  expect(filesThatSay('Allowed: ').filter((file) => reported.has(file))).toEqual([]);
});

test('an import cycle is reported', () => {
  const halves = filesThatSay('Forbidden (import/no-cycle)');
  expect(halves.map((file) => basename(file)).toSorted()).toEqual(['cycleOne.ts', 'cycleTwo.ts']);
  expect(halves.some((file) => reported.get(file)?.has('import(no-cycle)'))).toBe(true);
});
