/**
 * Keeps a device busy without running far ahead of it: steps go out in windows, and the next but one is not begun before
 * a small read-back says that a window is done. So a pause takes effect, memory stays bounded, and no step waits.
 */

/** Above this a window may grow no more; Firefox answers a read-back only each 100 ms (Mozilla bug 1870699). */
const GROW_BELOW_MS = 150;
const SHRINK_ABOVE_MS = 300;
const MAX_WINDOW_STEPS = 4096;

export class Pace {
  readonly #readBack: () => Promise<void>;
  #windowSteps = 1;
  #steps = 0;
  #since = performance.now();
  #done: Promise<void> | undefined;

  /** `readBack` resolves when everything that was begun before is done. */
  constructor(readBack: () => Promise<void>) {
    this.#readBack = readBack;
  }

  /** After each step: a promise when a window ended, to be awaited. */
  stepped(): Promise<void> | undefined {
    this.#steps++;
    return this.#steps < this.#windowSteps ? undefined : this.#endWindow();
  }

  async #endWindow(): Promise<void> {
    await this.#done;
    const now = performance.now();
    const tookMs = now - this.#since;
    if (tookMs < GROW_BELOW_MS) this.#windowSteps = Math.min(2 * this.#windowSteps, MAX_WINDOW_STEPS);
    if (tookMs > SHRINK_ABOVE_MS) this.#windowSteps = Math.max(1, Math.floor(this.#windowSteps / 2));
    this.#since = now;
    this.#steps = 0;
    this.#done = this.#readBack();
    // Heard of at the next window's end or at `settle`.
    this.#done.catch(() => undefined);
  }

  async settle(): Promise<void> {
    await this.#done;
  }
}
