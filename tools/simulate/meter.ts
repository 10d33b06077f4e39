/** What the work of one lane costs: processor time, and time on the wall, without what is set apart. */
import { GCProfiler } from 'node:v8';

export class Meter {
  #cpuMs = 0;
  #wallMs = 0;

  /**
   * Of all threads of the process, user and system, without pauses for garbage: the heap is that of everyone who is
   * simulated, and what it takes to look through it is nobody's work in particular.
   */
  get cpuMs(): number {
    return this.#cpuMs;
  }

  /** Without the same pauses. */
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
    const garbage = new GCProfiler();
    garbage.start();
    const cpu = process.cpuUsage();
    const wall = performance.now();
    return () => {
      const { user, system } = process.cpuUsage(cpu);
      const pausesUs = garbage.stop()?.statistics.reduce((sum, { cost }) => sum + cost, 0) ?? 0;
      this.#cpuMs += (sign * (user + system - pausesUs)) / 1000;
      this.#wallMs += sign * (performance.now() - wall - pausesUs / 1000);
    };
  }
}
