/** Working time: what was spent waiting is left out, so that a pause does not look like a slow device. */
export class Stopwatch {
  readonly #startMs = performance.now();
  #waitedMs = 0;

  async excluding(wait: Promise<void>): Promise<void> {
    const fromMs = performance.now();
    await wait;
    this.#waitedMs += performance.now() - fromMs;
  }

  /** Within `excluding`: what is work all the same. */
  async including(work: Promise<void>): Promise<void> {
    const fromMs = performance.now();
    await work;
    this.#waitedMs -= performance.now() - fromMs;
  }

  /** Never 0, so that it can be divided by. */
  seconds(): number {
    return Math.max(performance.now() - this.#startMs - this.#waitedMs, 0.001) / 1000;
  }
}
