/** How much of the time this machine's processor or GPU may train for its person, in percent. */

export const LEAST_SHARE = 10;
export const WHOLE_SHARE = 100;
export const SHARE_STEP = 10;

/** Within the limits; the whole for what is no number. */
export function shareWithin(percent: number): number {
  return Number.isFinite(percent) ? Math.min(WHOLE_SHARE, Math.max(LEAST_SHARE, percent)) : WHOLE_SHARE;
}

/** The nearest share that can be set. */
export function nearestShare(percent: number): number {
  return shareWithin(SHARE_STEP * Math.round(percent / SHARE_STEP));
}
