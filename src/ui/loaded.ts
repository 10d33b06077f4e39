/** Something that is being fetched for a screen: on its way, there, or failed with a problem and a way to try again. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { ProblemView } from '../core/runView.ts';

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly problem: ProblemView | undefined;
  readonly again: () => void;
}

/** `load` is called at once, when `key` changes, and by `again`. A late answer to an earlier call is dropped. */
export function useLoaded<T>(
  key: string,
  load: () => Promise<T>,
  problemOf: (thrown: unknown) => ProblemView,
): Loaded<T> {
  const [attempt, setAttempt] = useState(0);
  const [result, setResult] = useState<Omit<Loaded<T>, 'again'>>({ value: undefined, problem: undefined });
  useEffect(() => {
    let current = true;
    setResult((before) => ({ value: before.value, problem: undefined }));
    load().then(
      (value) => current && setResult({ value, problem: undefined }),
      (thrown: unknown) => current && setResult({ value: undefined, problem: problemOf(thrown) }),
    );
    return () => {
      current = false;
    };
  }, [key, attempt]);
  return { ...result, again: useCallback(() => setAttempt((count) => count + 1), []) };
}
