/**
 * How much goes into one submit: so many steps that the processor has little to do, so few that the desktop can draw in
 * between, and where a single step takes too long for that, a part of one. Two submits are on their way at most, so that a
 * pause takes effect.
 */

/** What one submit may take. */
const AIM_MS = 20;
const MOST_MS = 30;
const MAX_STEPS = 4096;
/** Less work that takes no less of the time is not what takes it. */
const HELPS = 0.75;

export class Cadence {
  readonly #finished: () => Promise<void>;
  /** Dispatches of a step. */
  readonly #step: number;
  readonly #onTheWay: Promise<void>[] = [];
  #size: number;
  #least = 1;
  #lastDoneMs = 0;
  /** Of the submits of the step that is under way. */
  #longestMs = 0;
  /** What submits of half the size took. */
  #halfMs = 0;
  /** What was made smaller, and why. */
  #before: { readonly size: number; readonly tookMs: number } | undefined;

  /** `finished` resolves when all that was submitted before is done; the first submit has `size` dispatches. */
  constructor(finished: () => Promise<void>, step: number, size = step) {
    this.#finished = finished;
    this.#step = step;
    this.#size = size;
  }

  /** Dispatches of the next submit: those of whole steps, or fewer than a step has. */
  get size(): number {
    return this.#size;
  }

  /** Resolves as soon as one more submit may follow. `endsStep`: whether the last dispatch was the last of a step. */
  async submitted(size: number, endsStep = true): Promise<void> {
    const done = this.#timed(size, endsStep, performance.now());
    // Heard of when it is waited for, here or in `settle`.
    done.catch(() => undefined);
    this.#onTheWay.push(done);
    if (this.#onTheWay.length >= 2) await this.#onTheWay.shift();
  }

  async settle(): Promise<void> {
    await Promise.all(this.#onTheWay.splice(0));
  }

  async #timed(size: number, endsStep: boolean, sinceMs: number): Promise<void> {
    await this.#finished();
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - Math.max(sinceMs, this.#lastDoneMs));
    this.#lastDoneMs = now;
    if (!endsStep) return;
    if (size === this.#size) this.#learn(this.#longestMs);
    this.#longestMs = 0;
  }

  #learn(tookMs: number): void {
    const before = this.#before;
    this.#before = undefined;
    if (before && tookMs > HELPS * before.tookMs) {
      // A browser that answers only now and then (Firefox, bug 1870699), or a dispatch that is long by itself.
      this.#size = before.size;
      this.#least = before.size;
      return;
    }
    // Where answers come now and then every submit looks slow: what doubling it costs tells what the work takes.
    const moreMs = tookMs - this.#halfMs;
    const waits = this.#halfMs > AIM_MS && moreMs < AIM_MS / 2;
    if ((tookMs < AIM_MS / 1.5 || waits) && this.#size < MAX_STEPS * this.#step) {
      this.#halfMs = tookMs;
      this.#size = this.#whole(2 * this.#size);
    } else if (tookMs > MOST_MS && !waits && this.#size > this.#least) {
      this.#before = { size: this.#size, tookMs };
      this.#halfMs = 0;
      this.#size = this.#whole(Math.max(this.#least, Math.floor((this.#size * AIM_MS) / tookMs)));
    }
  }

  /** Whole steps, or one step in parts of about the same size. */
  #whole(size: number): number {
    const step = this.#step;
    return size >= step ? step * Math.floor(size / step) : Math.ceil(step / Math.ceil(step / size));
  }
}
