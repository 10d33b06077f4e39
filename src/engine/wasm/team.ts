/** The threads that run a program's kernels together: the one that trains, and its helpers. */
import { HushError } from '../../core/errors.ts';
import { BARRIER } from './barrier.ts';
import type { HelperOrder } from './helper.ts';

/** A helper that takes longer has been lost with its worker. */
const LOST_AFTER_MS = 10_000;
const START_WITHIN_MS = 5000;
const MOST_THREADS = 4;

/** How many threads the page may have: shared memory needs cross-origin isolation. */
export function availableThreads(): number {
  const isIsolated = typeof crossOriginIsolated !== 'undefined' && crossOriginIsolated;
  if (!isIsolated || typeof Worker === 'undefined' || typeof SharedArrayBuffer === 'undefined') return 1;
  return Math.max(1, Math.min(MOST_THREADS, navigator.hardwareConcurrency));
}

export class Team {
  readonly #helpers: readonly Worker[];
  readonly #arrive: () => number;
  readonly #look: () => number;
  readonly #words: Int32Array;
  readonly #order: Omit<HelperOrder, 'part'>;

  private constructor(helpers: readonly Worker[], order: Omit<HelperOrder, 'part'>, exports: WebAssembly.Exports) {
    this.#helpers = helpers;
    this.#order = order;
    this.#arrive = exports[BARRIER.arrive] as () => number;
    this.#look = exports[BARRIER.look] as () => number;
    this.#words = new Int32Array(order.memory.buffer);
  }

  /** `exports` are the trainer's. @throws HushError `engine/unavailable` when a helper does not start. */
  static async start(order: Omit<HelperOrder, 'part'>, exports: WebAssembly.Exports): Promise<Team> {
    const helpers: Worker[] = [];
    try {
      const starts = Array.from({ length: order.parts - 1 }, async (_, i) => {
        const helper = new Worker(new URL('./helper.worker.ts', import.meta.url), { type: 'module', name: 'kernels' });
        helpers.push(helper);
        await started(helper, { ...order, part: i + 1 });
      });
      await Promise.all(starts);
      return new Team(helpers, order, exports);
    } catch (cause) {
      for (const helper of helpers) helper.terminate();
      throw new HushError('engine/unavailable', 'A helper thread did not start.', { cause });
    }
  }

  /** Tells the helpers which kernels come now, by their places in the order's `kernels`; each ends with `meet`. */
  begin(list: readonly number[]): void {
    this.#words[this.#order.list / 4] = list.length;
    this.#words.set(list, this.#order.list / 4 + 1);
    this.meet();
    this.#words[this.#order.abort / 4] = 0;
  }

  /** Leaves a list between two kernels. The helpers have done the next one by now, or do it still. */
  abandon(): void {
    this.#words[this.#order.abort / 4] = 1;
    this.meet();
  }

  /** Waits until every helper is where the trainer is. @throws HushError `engine/lost`. */
  meet(): void {
    if (this.#arrive() !== 0) return;
    const lostAtMs = performance.now() + LOST_AFTER_MS;
    while (this.#look() === 0) {
      if (performance.now() > lostAtMs) throw new HushError('engine/lost', 'A helper thread was lost.');
    }
  }

  close(): void {
    for (const helper of this.#helpers) helper.terminate();
  }
}

function started(helper: Worker, order: HelperOrder): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('It took too long.')), START_WITHIN_MS);
    const settle = (done: () => void) => (event: Event) => {
      event.preventDefault();
      clearTimeout(timer);
      done();
    };
    helper.addEventListener('message', settle(resolve));
    helper.addEventListener(
      'error',
      settle(() => reject(new Error('It crashed.'))),
    );
    helper.postMessage(order, []);
  });
}
