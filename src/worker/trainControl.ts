/** Pause, resume and stop, as they reach a training that runs in the same worker. */
import { deferred } from '../core/async.ts';
import type { Deferred } from '../core/async.ts';
import type { TrainingControl, TrainingProgress } from '../core/engine.ts';
import { HushError } from '../core/errors.ts';

/** Messages are let in this often, so that a pause takes hold within a tenth of a second. */
const TURN_EVERY_MS = 50;
const PROGRESS_EVERY_MS = 500;

export type ControlCommand = 'pause' | 'resume' | 'stop';

export class TrainControl implements TrainingControl {
  readonly #turn: () => Promise<void>;
  readonly #report: (progress: TrainingProgress) => void;
  #running = false;
  #stopped = false;
  #paused = false;
  /** Resolves at the next command. */
  #changed: Deferred<void> = deferred<void>();
  #turnAtMs = 0;
  #reportAtMs = 0;

  /** `turn` resolves in a later task of the event loop. */
  constructor(turn: () => Promise<void>, report: (progress: TrainingProgress) => void) {
    this.#turn = turn;
    this.#report = report;
  }

  /** Runs `work`, which a stop may end; what was stopped before does not count. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#running = true;
    this.#stopped = false;
    try {
      return await work();
    } finally {
      this.#running = false;
    }
  }

  command(command: ControlCommand): void {
    if (command === 'pause') this.#paused = true;
    if (command === 'resume') this.#paused = false;
    if (command === 'stop') this.#stopped = this.#running;
    const woken = this.#changed;
    this.#changed = deferred<void>();
    woken.resolve();
  }

  proceed(): Promise<void> | void {
    if (this.#stopped) throw stopped();
    return this.#paused || performance.now() >= this.#turnAtMs ? this.#wait() : undefined;
  }

  async #wait(): Promise<void> {
    await this.#turn();
    while (this.#paused && !this.#stopped) await this.#changed.promise;
    if (this.#stopped) throw stopped();
    this.#turnAtMs = performance.now() + TURN_EVERY_MS;
  }

  onProgress(progress: TrainingProgress): void {
    const now = performance.now();
    if (now < this.#reportAtMs && progress.fraction < 1) return;
    this.#reportAtMs = now + PROGRESS_EVERY_MS;
    this.#report(progress);
  }
}

function stopped(): HushError {
  return new HushError('engine/stopped', 'Training was stopped.');
}
