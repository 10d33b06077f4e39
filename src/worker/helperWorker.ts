/** A helper on a worker of its own, which answers in order. It ends with the worker that started it. */
import { deferred } from '../core/async.ts';
import type { Deferred } from '../core/async.ts';
import { HushError } from '../core/errors.ts';
import type { Helper } from './spreading.ts';

export function startHelper(): Helper {
  const worker = new Worker(new URL('./expand.worker.ts', import.meta.url), { type: 'module', name: 'expand' });
  const pending: Deferred<Uint32Array>[] = [];
  let dead: HushError | undefined;
  worker.addEventListener('message', ({ data }: MessageEvent<Uint32Array>) => pending.shift()?.resolve(data));
  const crash = (event: Event): void => {
    event.preventDefault();
    dead = new HushError('worker/crashed', 'A worker that expands masks crashed.');
    for (const answer of pending.splice(0)) answer.reject(dead);
    worker.terminate();
  };
  worker.addEventListener('error', crash);
  worker.addEventListener('messageerror', crash);
  return async (stretch) => {
    if (dead !== undefined) throw dead;
    const answer = deferred<Uint32Array>();
    pending.push(answer);
    worker.postMessage(stretch, []);
    return await answer.promise;
  };
}
