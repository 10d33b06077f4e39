/** Work side by side, one process for each core: a session of the engine has a thread to itself. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { HushError } from '../../src/core/errors.ts';

/** What a process says of the job that it was sent. */
type Answer<Progress, Result> =
  | { readonly progress: Progress }
  | { readonly result: Result }
  | { readonly error: string };

export interface PoolOptions<Progress, Result> {
  /** The module that each process runs; it calls `serveJobs`. */
  readonly script: URL;
  /** At most; as many as there are cores unless given. */
  readonly processes?: number;
  readonly onProgress?: (job: number, progress: Progress) => void;
  readonly onResult: (job: number, result: Result) => void;
  /** Ends all processes; jobs that are not done by then have no result. */
  readonly signal?: AbortSignal;
}

/** @throws HushError `command/job` when a job fails; the others are given up then. */
export async function runJobs<Job extends object, Progress, Result>(
  jobs: readonly Job[],
  { script, processes = availableParallelism(), onProgress, onResult, signal }: PoolOptions<Progress, Result>,
): Promise<void> {
  const waiting = jobs.entries();
  const children = Array.from({ length: Math.min(processes, jobs.length) }, () =>
    fork(fileURLToPath(script), { execArgv: ['--import', 'tsx'] }),
  );
  const stop = (): void => {
    for (const child of children) child.kill();
  };
  signal?.addEventListener('abort', stop);
  try {
    await Promise.all(
      children.map(async (child) => {
        for (const [k, job] of waiting) {
          if (signal?.aborted) return;
          const tell = (progress: Progress): void => onProgress?.(k, progress);
          const result = await answerOf<Progress, Result>(child, job, `Job ${k + 1}`, tell);
          onResult(k, result);
        }
      }),
    );
  } catch (thrown) {
    if (!signal?.aborted) throw thrown;
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

function answerOf<Progress, Result>(
  child: ChildProcess,
  job: object,
  name: string,
  onProgress: (progress: Progress) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      child.off('message', hear).off('exit', lose);
      done();
    };
    const hear = (answer: Answer<Progress, Result>): void => {
      if ('progress' in answer) onProgress(answer.progress);
      else if ('result' in answer) settle(() => resolve(answer.result));
      else settle(() => reject(new HushError('command/job', `${name} failed: ${answer.error}`)));
    };
    const lose = (code: number | null): void =>
      settle(() => reject(new HushError('command/job', `The process of ${name} ended with code ${code}.`)));
    child.on('message', hear).on('exit', lose);
    child.send(job);
  });
}

/** In a process of the pool: does one job after another, as its parent sends them. */
export function serveJobs<Job, Progress, Result>(
  run: (job: Job, tell: (progress: Progress) => void) => Promise<Result>,
): void {
  const answer = (message: Answer<Progress, Result>): void => void process.send?.(message);
  process.on('message', (job: Job) => {
    run(job, (progress) => answer({ progress })).then(
      (result) => answer({ result }),
      (thrown: unknown) => answer({ error: whyOf(thrown) }),
    );
  });
  // A terminal sends Ctrl-C to everyone; it is for the parent to say what becomes of the jobs.
  process.on('SIGINT', () => undefined);
}

function whyOf(thrown: unknown): string {
  if (thrown instanceof HushError) return thrown.message;
  return thrown instanceof Error ? String(thrown.stack) : String(thrown);
}
