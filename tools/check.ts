/** Every check there is, in one run: build, format, lint, types, unused code, tests in Node, in a browser and end to end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { HushError } from '../src/core/errors.ts';
import { findChromium } from './chromium.ts';
import { ROOT, runIfMain } from './command.ts';

interface Step {
  readonly name: string;
  /** A script below node_modules or tools, and what it is given. */
  readonly command: readonly [script: string, ...args: string[]];
  readonly needsChromium?: boolean;
  /** Vitest's name of one or more projects, whose tests are counted one by one. */
  readonly project?: string;
}

interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

function testStep(name: string, project: string, needsChromium: boolean): Step {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportOf(name)}`];
  return {
    name,
    command: ['vitest/vitest.mjs', 'run', '--passWithNoTests', '--project', project, ...reporters],
    project,
    needsChromium,
  };
}

/** Each group runs side by side, one group after the other: tests that look at time are not disturbed by another step. */
const GROUPS: readonly (readonly Step[])[] = [
  [
    { name: 'build', command: ['tools/build.ts'] },
    { name: 'format', command: ['oxfmt/bin/oxfmt', '--check', '.'] },
    { name: 'lint', command: ['oxlint/bin/oxlint', '--deny-warnings', '.'] },
    { name: 'types', command: ['typescript/bin/tsc', '--noEmit'] },
    { name: 'unused', command: ['knip/bin/knip.js'] },
  ],
  [testStep('unit', 'node*', false)],
  [testStep('browser', 'browser', true)],
  [testStep('e2e', 'e2e', true)],
];
const STEPS = GROUPS.flat();

const HELP = `npm test [-- STEP... [OPTIONS OF THE STEP]]

Runs every check, or the steps that are named, and goes on after one that fails. The exit code is 1 if any failed.

  steps   ${STEPS.map((step) => step.name).join(', ')}
  --help  shows this

  npm run test:unit -- test/unit/plan.test.ts    one file of tests
  npm run format                                 writes the format instead of checking it`;

runIfMain(import.meta.url, async (args) => {
  if (args.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const { steps, rest } = readArguments(args);
  const environment = await environmentFor(steps);
  const outcomes: Outcome[] = [];
  for (const group of GROUPS) {
    const chosen = group.filter((step) => steps.includes(step));
    const beside = chosen.length > 1;
    outcomes.push(...(await Promise.all(chosen.map((step) => perform(step, rest, environment, beside)))));
  }
  return report(outcomes);
});

/** Leading words that are steps choose them; whatever follows goes to the step. */
function readArguments(args: readonly string[]): { steps: readonly Step[]; rest: readonly string[] } {
  const first = args.findIndex((arg) => !STEPS.some((step) => step.name === arg));
  const names = first < 0 ? args : args.slice(0, first);
  const rest = first < 0 ? [] : args.slice(first);
  const steps = names.length === 0 ? STEPS : STEPS.filter((step) => names.includes(step.name));
  if (rest.length > 0 && steps.length !== 1) {
    throw new HushError(
      'command/step',
      `"${rest[0]}" is no step, expected one of ${STEPS.map((s) => s.name).join(', ')}.`,
    );
  }
  return { steps, rest };
}

async function environmentFor(steps: readonly Step[]): Promise<NodeJS.ProcessEnv> {
  // oxlint looks for the type-aware half of itself on the PATH.
  const path = [join(ROOT, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter);
  const environment = { ...process.env, PATH: path };
  return steps.some((step) => step.needsChromium) ? { ...environment, CHROMIUM: await findChromium() } : environment;
}

/** What a step says beside others is shown when it ends. */
async function perform(
  step: Step,
  rest: readonly string[],
  environment: NodeJS.ProcessEnv,
  beside: boolean,
): Promise<Outcome> {
  if (!beside) console.log(`\n== ${step.name}`);
  const startedMs = performance.now();
  if (step.project) await rm(reportOf(step.name), { force: true });
  const { code, output } = await run(commandOf(step, rest), environment, beside);
  if (beside) console.log(`\n== ${step.name}\n${output.trimEnd()}`);
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`== ${step.name} ${code === 0 ? 'passed' : 'FAILED'} in ${seconds.toFixed(1)} s`);
  const tests = step.project ? await readReport(step.name) : undefined;
  if (!tests) return { name: step.name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, seconds };
  // A suite that could not be loaded, or an error outside every test, fails the step and no test.
  const failed = code === 0 ? tests.failed : Math.max(1, tests.failed);
  return { name: step.name, passed: tests.passed, failed, seconds };
}

function commandOf(step: Step, rest: readonly string[]): readonly string[] {
  const [script, ...args] = step.command;
  if (script.startsWith('tools/')) return ['--import', 'tsx', join(ROOT, script), ...args, ...rest];
  const given = step.name === 'format' && rest.includes('--write') ? ['.'] : [...args, ...rest];
  return [join(ROOT, 'node_modules', script), ...given];
}

async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  keepOutput: boolean,
): Promise<{ readonly code: number; readonly output: string }> {
  const stdio = keepOutput ? 'pipe' : 'inherit';
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['inherit', stdio, stdio], env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
  // Not at its exit: then what it said last may still be on its way.
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 1, output };
}

function reportOf(step: string): string {
  return join(ROOT, '.cache', `tests-${step}.json`);
}

async function readReport(step: string): Promise<{ passed: number; failed: number } | undefined> {
  const path = reportOf(step);
  if (!existsSync(path)) return undefined;
  const content = JSON.parse(await readFile(path, 'utf8')) as { numPassedTests: number; numFailedTests: number };
  return { passed: content.numPassedTests, failed: content.numFailedTests };
}

function report(outcomes: readonly Outcome[]): number {
  console.log(`\n${'step'.padEnd(10)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'time'.padStart(10)}`);
  for (const { name, passed, failed, seconds } of outcomes) {
    console.log(
      `${name.padEnd(10)}${String(passed).padStart(8)}${String(failed).padStart(8)}${`${seconds.toFixed(1)} s`.padStart(10)}`,
    );
  }
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}
