/** Where the keyboard is after a screen took the place of another without a change of address. */
import { useEffect } from 'preact/hooks';

/**
 * Puts the focus on the title when the pressed button went away with the old screen. Not when the page loads: the first
 * Tab must reach the skip link.
 */
export function useTitleFocus(active = true): void {
  useEffect(() => {
    if (!active || document.activeElement !== document.body || !navigator.userActivation?.hasBeenActive) return;
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  }, []);
}
