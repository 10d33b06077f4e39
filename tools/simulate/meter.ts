/** What the work of one lane costs: processor time, and time on the wall, without what is set apart. */

export class Meter {
  #cpuMs = 0;
  #wallMs = 0;

  /** Of all threads of the process, user and system. */
  get cpuMs(): number {
    return this.#cpuMs;
  }

  get wallMs(): number {
    return this.#wallMs;
  }

  reset(): void {
    this.#cpuMs = 0;
    this.#wallMs = 0;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const stop = this.#start(1);
    try {
      return await work();
    } finally {
      stop();
    }
  }

  /** Takes off what is spent in `work`, which runs inside `run`. */
  apart<T>(work: () => T): T {
    const stop = this.#start(-1);
    try {
      return work();
    } finally {
      stop();
    }
  }

  #start(sign: 1 | -1): () => void {
    const cpu = process.cpuUsage();
    const wall = performance.now();
    return () => {
      const { user, system } = process.cpuUsage(cpu);
      this.#cpuMs += (sign * (user + system)) / 1000;
      this.#wallMs += sign * (performance.now() - wall);
    };
  }
}
