/**
 * How long a step takes, on a machine that may be busy with other things, such as tabs that measure at the same time. What
 * comes from outside only ever delays, so of several short slices the quickest is believed.
 */

/** A step that takes so long is measured well enough by two. */
const LONG_STEP_MS = 250;
/** Short enough to fit between two turns of others on the same core. */
const SLICE_MS = 4;
const MAX_SLICE_STEPS = 30;
/** Single steps at first, which say how many make a slice; then slices and single steps in turns. */
const FIRST_STEPS = 5;
const SLICES = 12;
/** Fewer of them where even the quickest would take longer than this together. */
const ENOUGH_MS = 200;
/** However long they really take. */
const AT_MOST_MS = 2000;

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
  const isEnough = (done: number, quickestMs: number): boolean =>
    done * quickestMs >= ENOUGH_MS || spent.ms >= AT_MOST_MS;
  let few = await quickest(1, await run(1));
  if (few > LONG_STEP_MS) return few;
  for (let i = 2; i < FIRST_STEPS && !isEnough(i, few); i++) few = await quickest(1, few);
  let steps = Math.min(MAX_SLICE_STEPS, Math.max(2, Math.ceil(SLICE_MS / few)));
  let many = Number.POSITIVE_INFINITY;
  for (let slice = 1; ; slice++) {
    many = await quickest(steps, many);
    if (many < 1.5 * few && steps < MAX_SLICE_STEPS) {
      // That was the read-back's latency, 100 ms in Firefox, and says nothing about a step.
      steps = MAX_SLICE_STEPS;
      many = Number.POSITIVE_INFINITY;
    } else if (slice >= SLICES || isEnough(slice, few + many)) {
      return Math.max(many - few, many / 4) / (steps - 1);
    }
    few = await quickest(1, few);
  }
}
