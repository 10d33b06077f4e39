/** Pause, resume, stop and share, as they reach a training that runs in the same worker. */
import { deferred } from '../core/async.ts';
import type { Deferred } from '../core/async.ts';
import type { TrainingControl, TrainingProgress } from '../core/engine.ts';
import { HushError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { shareWithin, WHOLE_SHARE } from '../core/share.ts';

/** Messages are let in this often, so that a pause takes hold within a tenth of a second. */
const TURN_EVERY_MS = 50;
const PROGRESS_EVERY_MS = 500;
/** Timers ring late: the next rest is so much shorter. No more than this, or a long pause would buy a long stretch of work. */
const MOST_AHEAD_MS = 5;

/** `share`: percent of the time that may be worked. */
export type ControlCommand = 'pause' | 'resume' | 'stop' | { readonly share: number };

/** Monotonic: nobody sets it. */
const workerClock: Clock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

export class TrainControl implements TrainingControl {
  readonly #turn: () => Promise<void>;
  readonly #report: (progress: TrainingProgress) => void;
  readonly #clock: Clock;
  #running = false;
  #stopped = false;
  #paused = false;
  #share = WHOLE_SHARE;
  /** Resolves at the next command. */
  #changed: Deferred<void> = deferred<void>();
  #turnAtMs = 0;
  #reportAtMs = 0;
  /** When the last rest ended. */
  #workSinceMs = 0;
  /** Rested more than was due. */
  #aheadMs = 0;

  /** `turn` resolves in a later task of the event loop. */
  constructor(turn: () => Promise<void>, report: (progress: TrainingProgress) => void, clock: Clock = workerClock) {
    this.#turn = turn;
    this.#report = report;
    this.#clock = clock;
  }

  /** A training is on its way, at work or paused. */
  get running(): boolean {
    return this.#running;
  }

  /** Runs `work`, which a stop may end; what was stopped before does not count. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#running = true;
    this.#stopped = false;
    this.#workSinceMs = this.#clock.nowMs();
    try {
      return await work();
    } finally {
      this.#running = false;
    }
  }

  command(command: ControlCommand): void {
    if (typeof command === 'object') this.#share = shareWithin(command.share);
    if (command === 'pause') this.#paused = true;
    if (command === 'resume') this.#paused = false;
    if (command === 'stop') this.#stopped = this.#running;
    const woken = this.#changed;
    this.#changed = deferred<void>();
    woken.resolve();
  }

  proceed(settle?: () => Promise<void>): Promise<void> | void {
    if (this.#stopped) throw stopped();
    return this.#paused || this.#clock.nowMs() >= this.#turnAtMs ? this.#rest(settle) : undefined;
  }

  /** The duty cycle: after w ms of work at a share of s, rests for w (1/s − 1) ms. Any command ends a wait early. */
  async #rest(settle: (() => Promise<void>) | undefined): Promise<void> {
    const clock = this.#clock;
    // What a device has still to do would otherwise be done while it is to rest.
    if (this.#share < WHOLE_SHARE) await settle?.();
    const restSinceMs = clock.nowMs();
    const workedMs = restSinceMs - this.#workSinceMs;
    await this.#turn();
    for (;;) {
      if (this.#stopped) throw stopped();
      const changed = this.#changed.promise;
      const dueMs = workedMs * (WHOLE_SHARE / this.#share - 1) - this.#aheadMs;
      const leftMs = dueMs - (clock.nowMs() - restSinceMs);
      if (this.#paused) {
        await changed;
      } else if (leftMs > 0) {
        await this.#sleep(leftMs, changed);
      } else {
        this.#aheadMs = Math.min(-leftMs, MOST_AHEAD_MS);
        break;
      }
    }
    this.#workSinceMs = clock.nowMs();
    this.#turnAtMs = this.#workSinceMs + TURN_EVERY_MS;
  }

  async #sleep(delayMs: number, changed: Promise<void>): Promise<void> {
    const over = deferred<void>();
    const cancel = this.#clock.after(delayMs, () => over.resolve());
    await Promise.race([over.promise, changed]);
    cancel();
  }

  onProgress(progress: TrainingProgress): void {
    const now = this.#clock.nowMs();
    if (now < this.#reportAtMs && progress.fraction < 1) return;
    this.#reportAtMs = now + PROGRESS_EVERY_MS;
    this.#report(progress);
  }
}

function stopped(): HushError {
  return new HushError('engine/stopped', 'Training was stopped.');
}
