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

/**
 * Which of `keys` to show: those of the first time at once, and of later ones one more in each task, so that no single task
 * holds the page up while the processor is busy training.
 */
export function useOneByOne(keys: readonly string[]): ReadonlySet<string> {
  const [shown, show] = useState<ReadonlySet<string>>(() => new Set(keys));
  const next = keys.find((key) => !shown.has(key));
  useEffect(() => {
    if (next === undefined) return undefined;
    const timer = setTimeout(() => show((before) => new Set(before).add(next)), 0);
    return () => clearTimeout(timer);
  }, [next]);
  return shown;
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
