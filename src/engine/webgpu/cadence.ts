/**
 * How many steps go into one submit: so many that the processor has little to do, so few that the desktop can draw in
 * between. Two submits are on their way at most, so that a pause takes effect.
 */

/** What one submit may take. */
const AIM_MS = 20;
const MOST_MS = 40;
const MAX_STEPS = 4096;

export class Cadence {
  readonly #finished: () => Promise<void>;
  readonly #onTheWay: Promise<void>[] = [];
  #steps: number;
  #lastDoneMs = 0;
  /** What submits of half as many steps took. */
  #halfMs = 0;

  /** `finished` resolves when all that was submitted before is done; the first submit has `steps`. */
  constructor(finished: () => Promise<void>, steps = 1) {
    this.#finished = finished;
    this.#steps = steps;
  }

  /** Of the next submit. */
  get steps(): number {
    return this.#steps;
  }

  /** Resolves as soon as one more submit may follow. */
  async submitted(steps: number): Promise<void> {
    const done = this.#timed(steps, performance.now());
    // Heard of when it is waited for, here or in `settle`.
    done.catch(() => undefined);
    this.#onTheWay.push(done);
    if (this.#onTheWay.length >= 2) await this.#onTheWay.shift();
  }

  async settle(): Promise<void> {
    await Promise.all(this.#onTheWay.splice(0));
  }

  async #timed(steps: number, sinceMs: number): Promise<void> {
    await this.#finished();
    const now = performance.now();
    const tookMs = now - Math.max(sinceMs, this.#lastDoneMs);
    this.#lastDoneMs = now;
    if (steps === this.#steps) this.#learn(tookMs);
  }

  #learn(tookMs: number): void {
    // A browser that answers only now and then (Firefox, bug 1870699) makes every submit look slow: what doubling it
    // costs tells what the steps take.
    const moreMs = tookMs - this.#halfMs;
    const waits = this.#halfMs > AIM_MS && moreMs < AIM_MS / 2;
    if ((tookMs < AIM_MS / 1.5 || waits) && this.#steps < MAX_STEPS) {
      this.#halfMs = tookMs;
      this.#steps *= 2;
    } else if (tookMs > MOST_MS && !waits && this.#steps > 1) {
      this.#halfMs = 0;
      this.#steps = Math.max(1, Math.floor((this.#steps * AIM_MS) / tookMs));
    }
  }
}
