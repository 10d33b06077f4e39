/** Trials side by side, one process for each core: tfjs has one backend and one engine a process. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { HushError } from '../../src/core/errors.ts';
import type { Trial, TrialResult } from './trial.ts';

/** What a process answers to a trial. */
export type Answer = { readonly result: TrialResult } | { readonly error: string };

const PROCESS = fileURLToPath(new URL('./trialProcess.ts', import.meta.url));

/** In the order of the trials. @throws HushError `command/trial` when one fails; the others are given up then. */
export async function runTrials(
  trials: readonly Trial[],
  onDone: (done: number, of: number) => void,
): Promise<TrialResult[]> {
  const results: TrialResult[] = [];
  const waiting = trials.entries();
  const workers = Array.from({ length: Math.min(availableParallelism(), trials.length) }, () =>
    fork(PROCESS, { execArgv: process.execArgv }),
  );
  let done = 0;
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (const [k, trial] of waiting) {
          results[k] = await new Promise<TrialResult>((resolve, reject) => {
            worker.once('message', (answer: Answer) => {
              worker.removeAllListeners('exit');
              if ('result' in answer) resolve(answer.result);
              else reject(new HushError('command/trial', `Federation ${k + 1} failed: ${answer.error}`));
            });
            worker.once('exit', (code) => {
              reject(new HushError('command/trial', `The process of federation ${k + 1} ended with code ${code}.`));
            });
            worker.send(trial);
          });
          done++;
          onDone(done, trials.length);
        }
      }),
    );
  } finally {
    for (const worker of workers) worker.kill();
  }
  return results;
}
