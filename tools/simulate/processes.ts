/** Runs parts of a simulation in processes of their own, which tell their report on the last line. */
import { fork } from 'node:child_process';
import { availableParallelism, totalmem } from 'node:os';
import { HushError } from '../../src/core/errors.ts';

/**
 * Thousands of participants in one process: with a small nursery most of the garbage of each step would be taken for
 * long-lived.
 */
const NURSERY_MIB = 256;
const LARGEST_HEAP_MIB = 16 * 1024;

/** @throws HushError `simulate/process` when the process ends without a report. */
export async function reportFrom<Report>(
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): Promise<Report> {
  const script = process.argv[1];
  if (script === undefined) throw new HushError('simulate/process', 'The command does not know its own file.');
  const heapMiB = Math.min(LARGEST_HEAP_MIB, Math.floor((0.75 * totalmem()) / 2 ** 20));
  const child = fork(script, args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    // WebCrypto's threads: more than there are cores would be woken for nothing.
    env: { ...process.env, UV_THREADPOOL_SIZE: String(availableParallelism()) },
    execArgv: [
      ...process.execArgv,
      ...nodeOptions,
      `--max-semi-space-size=${NURSERY_MIB}`,
      `--max-old-space-size=${heapMiB}`,
    ],
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const last = output.trim().split('\n').at(-1) ?? '';
  if (last.startsWith('{')) return JSON.parse(last) as Report;
  throw new HushError('simulate/process', `A process of the simulation ended with code ${code} and no report.`);
}

/** Collects what is short-lived, where the process was started so that it can. */
export function collectGarbage(): void {
  const { gc } = globalThis as { gc?: (options: { readonly type: 'minor' }) => void };
  gc?.({ type: 'minor' });
}
