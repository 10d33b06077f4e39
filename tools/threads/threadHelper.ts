/** A helper of `Spreading` on a thread of Node, as `src/worker/helperWorker.ts` is on a worker of a browser. */
import { Worker } from 'node:worker_threads';
import { deferred } from '../../src/core/async.ts';
import type { Deferred } from '../../src/core/async.ts';
import type { Helper } from '../../src/worker/spreading.ts';

/** The thread keeps the process alive only while it has something to do. */
export function startThread(): Helper {
  const workerData = new URL('expand.worker.ts', import.meta.url).href;
  const worker = new Worker(new URL('entry.mjs', import.meta.url), { workerData });
  worker.unref();
  const pending: Deferred<Uint32Array>[] = [];
  let dead: Error | undefined;
  worker.on('message', (words: Uint32Array) => {
    pending.shift()?.resolve(words);
    if (pending.length === 0) worker.unref();
  });
  const end = (error: Error): void => {
    dead = error;
    for (const answer of pending.splice(0)) answer.reject(error);
  };
  worker.on('error', end);
  worker.on('exit', (code) => end(new Error(`The thread ended with code ${code}.`)));
  return async (stretch) => {
    if (dead !== undefined) throw dead;
    const answer = deferred<Uint32Array>();
    pending.push(answer);
    worker.ref();
    worker.postMessage(stretch, []);
    return await answer.promise;
  };
}
