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

const NOTHING = { together: 0, alone: Number.POSITIVE_INFINITY } as const;

export class Balance {
  #together = false;
  #trialStep = 0;
  /** Mean duration of a step on all threads, and the shortest alone: a busy machine makes both longer, and decides nothing. */
  #took: { readonly together: number; readonly alone: number } = NOTHING;
  #holdMs = FIRST_HOLD_MS;
  #heldUntilMs = 0;

  /** Whether the next step should be on all threads. */
  get together(): boolean {
    return this.#trialStep < TRIAL_STEPS ? this.#trialStep % 2 === 1 : this.#together;
  }

  /** After each step: how long it took, and the time now. */
  took(stepMs: number, nowMs: number): void {
    if (this.#trialStep < TRIAL_STEPS) this.#try(stepMs, nowMs);
    else if (nowMs >= this.#heldUntilMs) this.#begin();
    else if (this.#together) {
      const { together, alone } = this.#took;
      const mean = together + FORGETTING * (stepMs - together);
      this.#took = { together: mean, alone };
      // The cores have become busy.
      if (mean > alone) this.#together = false;
    }
  }

  #begin(): void {
    this.#trialStep = 0;
    this.#took = NOTHING;
  }

  #try(stepMs: number, nowMs: number): void {
    const { together, alone } = this.#took;
    this.#took = this.together
      ? { together: together + stepMs / (TRIAL_STEPS / 2), alone }
      : { together, alone: Math.min(alone, stepMs) };
    this.#trialStep++;
    this.#together = GAIN * this.#took.together < this.#took.alone;
    // Whatever the others took, threads have lost already: on a busy machine each more of their steps costs dearly.
    if (this.#trialStep < TRIAL_STEPS && this.#together) return;
    this.#trialStep = TRIAL_STEPS;
    this.#heldUntilMs = nowMs + this.#holdMs;
    this.#holdMs = Math.min(2 * this.#holdMs, LONGEST_HOLD_MS);
  }
}
