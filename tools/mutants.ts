/** Takes the defences out of the sources one by one, and shows that the test of the attack then fails. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HushError } from '../src/core/errors.ts';
import { ROOT, runIfMain } from './command.ts';
import { ATTACKS, readMutants } from './mutants/mutant.ts';
import type { Attack, Mutant } from './mutants/mutant.ts';
import { runTests } from './mutants/runTests.ts';

const HELP = `npm run test:mutants [-- --only NAME] [--jobs N] [--json]

Takes one defence after the other out of a copy of the sources, and runs the tests of the attack that it is against: at least
one must fail. Before that the same tests pass on the copy as it is. The exit code is 0 only if every mutant is caught.

  --only NAME  mutants whose name, or whose attack, contains NAME
  --jobs N     so many at a time; 2 unless given
  --list       shows the mutants and runs nothing, but for looking that each still fits the sources
  --json       no progress; the last line is one JSON object
  --help       shows this`;

/** What the tests need of the project; packages are linked. */
const COPIED = ['src', 'test', 'tools', 'plans', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

interface Outcome {
  readonly name: string;
  readonly attack: Attack;
  readonly caught: boolean;
  /** The tests that failed; of one that was not caught, none. */
  readonly failed: readonly string[];
  readonly seconds: number;
}

runIfMain(import.meta.url, async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      jobs: { type: 'string' },
      list: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const chosen = choose(await readMutants(), values.only);
  for (const mutant of chosen) await mutatedFiles(ROOT, mutant);
  if (values.list) {
    for (const { attack, name } of chosen) console.log(`${attack.padEnd(22)}${name}`);
    return 0;
  }
  const say = (text: string): void => {
    if (!values.json) console.log(text);
  };
  const folders = await Promise.all(Array.from({ length: jobsOf(values.jobs) }, copyOfProject));
  try {
    await passesUnchanged(folders[0] ?? ROOT, chosen, say);
    const outcomes = await runAll(folders, chosen, say);
    return report(outcomes, values.json ?? false);
  } finally {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }
});

function choose(mutants: readonly Mutant[], only: string | undefined): readonly Mutant[] {
  const chosen = mutants.filter(
    ({ name, attack }) => only === undefined || name.includes(only) || attack.includes(only),
  );
  if (chosen.length > 0) return chosen;
  throw new HushError(
    'command/only',
    `"--only" is "${only}", expected a part of the name of a mutant or of an attack.`,
  );
}

function jobsOf(text = '2'): number {
  if (/^[1-9]$/.test(text)) return Number(text);
  throw new HushError('command/number', `"--jobs" is "${text}", expected a whole number from 1 to 9.`);
}

async function copyOfProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hushgrad-mutants-'));
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  await mkdir(join(folder, '.cache'));
  return folder;
}

/** The files that a mutant changes, before and after. @throws HushError `mutants/find` when its place is not there once. */
async function mutatedFiles(folder: string, { name, edits }: Mutant): Promise<ReadonlyMap<string, [string, string]>> {
  const files = new Map<string, [before: string, after: string]>();
  for (const { file, find, replace } of edits) {
    const path = join(folder, file);
    const [before, text] = files.get(path) ?? Array.from({ length: 2 }, await read(path));
    const parts = (text ?? '').split(find);
    if (parts.length !== 2) {
      throw new HushError(
        'mutants/find',
        `Mutant "${name}": ${parts.length - 1} places in ${file} are "${find}", expected one.`,
        {
          advice: 'The sources have changed: say anew what is taken out.',
        },
      );
    }
    files.set(path, [before ?? '', parts.join(replace)]);
  }
  return files;
}

async function read(path: string): Promise<() => string> {
  const text = await readFile(path, 'utf8');
  return () => text;
}

/** A test that fails anyway shows nothing. */
async function passesUnchanged(folder: string, chosen: readonly Mutant[], say: (text: string) => void): Promise<void> {
  const tests = [...new Set(chosen.map((mutant) => mutant.tests))];
  say(`The tests of ${tests.length} files, with nothing taken out ...`);
  const { failed, passed } = await runTests(folder, tests, undefined, false);
  if (failed.length > 0 || passed === 0) {
    throw new HushError(
      'mutants/unchanged',
      `With nothing taken out ${failed.length} tests fail: ${failed.join('; ')}.`,
    );
  }
  say(`${passed} tests pass.\n`);
}

async function runAll(
  folders: readonly string[],
  chosen: readonly Mutant[],
  say: (text: string) => void,
): Promise<readonly Outcome[]> {
  const outcomes = new Map<Mutant, Outcome>();
  const waiting = [...chosen];
  await Promise.all(
    folders.map(async (folder) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const outcome = await runOne(folder, next);
        outcomes.set(next, outcome);
        say(`${outcome.caught ? 'caught' : 'NOT CAUGHT'}  ${next.name}  (${outcome.seconds.toFixed(1)} s)`);
      }
    }),
  );
  return chosen.flatMap((mutant) => outcomes.get(mutant) ?? []);
}

async function runOne(folder: string, mutant: Mutant): Promise<Outcome> {
  const startedMs = performance.now();
  const files = await mutatedFiles(folder, mutant);
  for (const [path, [, after]] of files) await writeFile(path, after);
  const { failed, passed } = await runTests(folder, [mutant.tests], mutant.only, true);
  for (const [path, [before]] of files) await writeFile(path, before);
  if (passed + failed.length === 0) throw new HushError('mutants/none', `Mutant "${mutant.name}": no test was run.`);
  const seconds = (performance.now() - startedMs) / 1000;
  return { name: mutant.name, attack: mutant.attack, caught: failed.length > 0, failed, seconds };
}

function report(outcomes: readonly Outcome[], json: boolean): number {
  const missed = outcomes.filter(({ caught }) => !caught);
  for (const [attack, row] of Object.entries(ATTACKS)) {
    const own = outcomes.filter((outcome) => outcome.attack === attack);
    if (own.length === 0 || json) continue;
    console.log(`\n${row}`);
    for (const { name, caught, failed } of own) {
      console.log(
        `  ${caught ? 'caught     ' : 'NOT CAUGHT '}${name}${caught ? `\n             by: ${failed[0]}` : ''}`,
      );
    }
  }
  const seconds = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0);
  if (json)
    console.log(
      JSON.stringify({ mutants: outcomes.length, caught: outcomes.length - missed.length, seconds, outcomes }),
    );
  else console.log(`\n${outcomes.length - missed.length} of ${outcomes.length} mutants caught`);
  return missed.length === 0 ? 0 : 1;
}
