/** One worker behind comlink: started when it is needed, waited for, and never a reason for a promise that stays open. */
import { wrap } from 'comlink';
import type { Remote } from 'comlink';
import { asHushError, HushError } from '../core/errors.ts';
import type { FailureHandler, Unsubscribe } from '../core/ports.ts';
import { READY } from '../worker/outcome.ts';
import type { Outcome } from '../worker/outcome.ts';

/** A worker that has not loaded by then is given up. */
const READY_TIMEOUT_MS = 30_000;

interface Alive<Api> {
  readonly worker: Worker;
  /** Held for as long as the worker lives: comlink drops calls in flight when the proxy is collected (issue 692). */
  readonly api: Remote<Api>;
  readonly ready: Promise<void>;
  readonly pending: Set<(error: HushError) => void>;
}

export interface WorkerHostOptions<Api> {
  /** For people: "training worker". */
  readonly what: string;
  readonly spawn: () => Worker;
  /** Called once for each worker, when it is ready and before any call. */
  readonly onReady?: (api: Remote<Api>) => Promise<void>;
}

export class WorkerHost<Api> {
  readonly #options: WorkerHostOptions<Api>;
  readonly #failureHandlers = new Set<FailureHandler>();
  #alive: Alive<Api> | undefined;
  /** Why there is no worker; undefined before the first one. */
  #gone: HushError | undefined;
  #closed = false;

  constructor(options: WorkerHostOptions<Api>) {
    this.#options = options;
  }

  /** Starts a worker unless one lives. @throws HushError `worker/closed`. */
  start(): void {
    if (this.#closed) throw this.#gone;
    this.#alive ??= this.#spawn();
  }

  /**
   * The call's own value or error.
   * @throws HushError `worker/crashed` when the worker dies before it answers, or died; `worker/closed`, `worker/order`.
   */
  async call<T>(invoke: (api: Remote<Api>) => Promise<Outcome<T>>): Promise<T> {
    const alive = this.#alive;
    if (!alive) {
      throw (
        this.#gone ?? new HushError('worker/order', `The ${this.#options.what} was given work before it was opened.`)
      );
    }
    const outcome = await untilDeath(
      alive.pending,
      alive.ready.then(() => invoke(alive.api)),
    ).catch((thrown: unknown) => {
      throw asHushError(thrown, 'worker/failed');
    });
    if (outcome.ok) return outcome.value;
    const { code, message, advice } = outcome.error;
    throw new HushError(code, message, { advice });
  }

  onFailure(handler: FailureHandler): Unsubscribe {
    this.#failureHandlers.add(handler);
    return () => void this.#failureHandlers.delete(handler);
  }

  close(): void {
    this.#closed = true;
    this.#end(new HushError('worker/closed', `The ${this.#options.what} was closed.`));
    this.#failureHandlers.clear();
  }

  #spawn(): Alive<Api> {
    const { what, spawn, onReady } = this.#options;
    const worker = spawn();
    const api = wrap<Api>(worker);
    const pending: Alive<Api>['pending'] = new Set();
    const loaded = new Promise<void>((resolve) => {
      worker.addEventListener('message', ({ data }) => {
        if (data === READY) resolve();
      });
    });
    const ready = untilDeath(
      pending,
      loaded.then(() => onReady?.(api)),
    );
    const alive = { worker, api, ready, pending };
    const crash = (why: string): void => {
      if (this.#alive === alive) this.#crashed(why);
    };
    const timer = setTimeout(() => crash(`it did not load within ${READY_TIMEOUT_MS / 1000} s`), READY_TIMEOUT_MS);
    void ready.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      crash(event.message || `it could not be loaded`);
    });
    worker.addEventListener('messageerror', () => crash(`a message to or from the ${what} could not be read`));
    return alive;
  }

  #crashed(why: string): void {
    const error = new HushError('worker/crashed', `The ${this.#options.what} crashed: ${why}.`, {
      advice: 'It is started again for the next round.',
    });
    this.#end(error);
    for (const handler of this.#failureHandlers) handler(error);
  }

  #end(error: HushError): void {
    const alive = this.#alive;
    this.#alive = undefined;
    this.#gone = error;
    alive?.worker.terminate();
    for (const reject of alive?.pending ?? []) reject(error);
    alive?.pending.clear();
  }
}

/** `work`, unless the worker dies first: what waits for a dead worker would wait for ever (comlink issue 601). */
function untilDeath<T>(pending: Alive<unknown>['pending'], work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    pending.add(reject);
    work.then(resolve, reject).finally(() => pending.delete(reject));
  });
}
