/**
 * How long a step takes, on a machine that may be busy with other things, such as tabs that measure at the same time. What
 * comes from outside only ever delays, so of several short slices the quickest is believed.
 */

/** A step that takes so long is measured well enough by itself. */
const LONG_STEP_MS = 250;
/** Short enough to fit between two turns of others on the same core. */
const SLICE_MS = 4;
const MAX_SLICE_STEPS = 30;
const SLICES = 12;
/** No further slice after so long. */
const ENOUGH_MS = 400;
/** Single steps at first, which say how many make a slice: so many, if they do not take too long. */
const FIRST_STEPS = 5;
const FIRST_STEPS_MS = 100;

/**
 * Milliseconds. `run` trains so many steps and gives the milliseconds of it all; what begins and ends a training, the
 * read-back above all, is taken off.
 */
export async function stepTime(run: (steps: number) => Promise<number>): Promise<number> {
  const spent = { ms: 0 };
  const quickest = async (steps: number, beforeMs: number): Promise<number> => {
    const tookMs = await run(steps);
    spent.ms += tookMs;
    return Math.min(tookMs, beforeMs);
  };
  let few = await quickest(1, Number.POSITIVE_INFINITY);
  if (few > LONG_STEP_MS) return few;
  for (let i = 1; i < FIRST_STEPS && spent.ms < FIRST_STEPS_MS; i++) few = await quickest(1, few);
  let steps = Math.min(MAX_SLICE_STEPS, Math.max(2, Math.ceil(SLICE_MS / few)));
  let many = Number.POSITIVE_INFINITY;
  for (let slice = 1; ; slice++) {
    many = await quickest(steps, many);
    if (many < 1.5 * few && steps < MAX_SLICE_STEPS) {
      // That was the read-back's latency, 100 ms in Firefox, and says nothing about a step.
      steps = MAX_SLICE_STEPS;
      many = Number.POSITIVE_INFINITY;
    } else if (slice >= SLICES || spent.ms >= ENOUGH_MS) {
      return Math.max(many - few, many / 4) / (steps - 1);
    }
    few = await quickest(1, few);
  }
}
