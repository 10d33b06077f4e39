/** Change notices for a screen: many changes at once make one notice. */
import type { Clock, Unsubscribe } from '../core/ports.ts';

/** Two a second are enough to read; a timer and not an animation frame, which a hidden tab never gets. */
const NOTICE_EVERY_MS = 500;

export function coalesced(
  clock: Clock,
  subscribe: (handler: () => void) => Unsubscribe,
  handler: () => void,
): Unsubscribe {
  let cancel: Unsubscribe | undefined;
  const stop = subscribe(() => {
    cancel ??= clock.after(NOTICE_EVERY_MS, () => {
      cancel = undefined;
      handler();
    });
  });
  return () => {
    stop();
    cancel?.();
  };
}
