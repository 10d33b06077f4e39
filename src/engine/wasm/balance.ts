/**
 * Whether a step is quicker on all threads or on one, found out by trying: threads that wait for each other lose where a
 * network is small, or where the cores are busy with something else.
 */

/** Steps of a trial, half of each kind in turns. */
const TRIAL_STEPS = 8;
/** Threads must be so much quicker, since they cost other programs more. */
const GAIN = 1.1;
/** A decision holds so long at first, then twice as long each time. */
const FIRST_HOLD_MS = 500;
const LONGEST_HOLD_MS = 8000;
/** Weight of one step in the mean of those that were taken together, while that holds. */
const FORGETTING = 0.1;

export class Balance {
  #together = true;
  #trialStep = 0;
  /** Mean duration of a step of each kind. */
  #took = { together: 0, alone: 0 };
  #holdMs = FIRST_HOLD_MS;
  #heldUntilMs = 0;

  /** Whether the next step should be on all threads. */
  get together(): boolean {
    return this.#trialStep < TRIAL_STEPS ? this.#trialStep % 2 === 0 : this.#together;
  }

  /** After each step: how long it took, and the time now. */
  took(stepMs: number, nowMs: number): void {
    if (this.#trialStep < TRIAL_STEPS) this.#try(stepMs, nowMs);
    else if (nowMs >= this.#heldUntilMs) this.#begin();
    else if (this.#together) {
      const mean = this.#took.together + FORGETTING * (stepMs - this.#took.together);
      this.#took.together = mean;
      // The cores have become busy.
      if (mean > this.#took.alone) this.#together = false;
    }
  }

  #begin(): void {
    this.#trialStep = 0;
    this.#took = { together: 0, alone: 0 };
  }

  #try(stepMs: number, nowMs: number): void {
    this.#took[this.together ? 'together' : 'alone'] += stepMs / (TRIAL_STEPS / 2);
    this.#trialStep++;
    if (this.#trialStep < TRIAL_STEPS) return;
    this.#together = GAIN * this.#took.together < this.#took.alone;
    this.#heldUntilMs = nowMs + this.#holdMs;
    this.#holdMs = Math.min(2 * this.#holdMs, LONGEST_HOLD_MS);
  }
}
