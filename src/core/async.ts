/** Small helpers for asynchronous work. */
import { HushError } from './errors.ts';
import type { Clock } from './ports.ts';

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Runs the tasks one after the other, in the order in which they were given; one that fails does not stop the next. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** @throws HushError `time/out` when `work` has not settled after `timeoutMs`. */
export async function withTimeout<T>(work: Promise<T>, timeoutMs: number, what: string, clock: Clock): Promise<T> {
  const late = deferred<never>();
  const cancel = clock.after(timeoutMs, () =>
    late.reject(new HushError('time/out', `${what} took more than ${timeoutMs / 1000} s.`)),
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    cancel();
  }
}

/**
 * Exponential backoff with full jitter: a wait between 0 and min(capMs, baseMs · 2^attempt), never below baseMs / 2.
 * `uniform` is in [0, 1).
 */
export function backoffMs(attempt: number, uniform: number, baseMs = 500, capMs = 15_000): number {
  return Math.max(baseMs / 2, uniform * Math.min(capMs, baseMs * 2 ** attempt));
}
