/** Some tests of a copy of the project, in a process of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HushError } from '../../src/core/errors.ts';

/** A mutant that leaves a round hanging is caught by this; honest tests take far less. */
const TEST_TIMEOUT_MS = 10_000;

export interface TestRun {
  readonly passed: number;
  /** Names of tests, or of files that could not be run. */
  readonly failed: readonly string[];
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** `only` is a part of the tests' names. With `bail` the first failure ends the run. */
export async function runTests(
  folder: string,
  tests: readonly string[],
  only: string | undefined,
  bail: boolean,
): Promise<TestRun> {
  const output = join(folder, '.cache', 'report.json');
  await rm(output, { force: true });
  const args = [
    join(folder, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--project',
    'node*',
    '--reporter=json',
    `--outputFile=${output}`,
    ...(bail ? ['--bail=1', `--testTimeout=${TEST_TIMEOUT_MS}`] : []),
    ...(only === undefined ? [] : ['-t', only.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')]),
    ...tests,
  ];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  await once(child, 'exit');
  const report = await readFile(output, 'utf8').catch((cause: unknown) => {
    throw new HushError('mutants/run', `The tests in ${tests.join(', ')} could not be run: ${errors}`, { cause });
  });
  const { numPassedTests, testResults } = JSON.parse(report) as Report;
  const failed = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const names = assertionResults.flatMap((test) => (test.status === 'failed' ? [test.fullName] : []));
    return names.length > 0 || status !== 'failed' ? names : [`${name}: ${message.slice(0, 200)}`];
  });
  return { passed: numPassedTests, failed };
}
