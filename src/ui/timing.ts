/** Time on a screen: once a second for countdowns, and text that changes slowly enough to be read out. */
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';

/** Renders again every second while `active`; the caller reads the clock itself. */
export function useEverySecond(active: boolean): void {
  const [, again] = useReducer((ticks: number) => ticks + 1, 0);
  useEffect(() => {
    if (!active) return undefined;
    const timer = setInterval(() => again(undefined), 1000);
    return () => clearInterval(timer);
  }, [active]);
}

/** `value`, changing at most every `everyMs`; the last value always gets through. */
export function useThrottled<T>(value: T, everyMs: number): T {
  const [shown, show] = useState(value);
  const lastMs = useRef(0);
  useEffect(() => {
    if (value === shown) return undefined;
    const timer = setTimeout(
      () => {
        lastMs.current = Date.now();
        show(value);
      },
      Math.max(0, lastMs.current + everyMs - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [value, shown, everyMs]);
  return shown;
}
