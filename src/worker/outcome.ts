/** What a worker answers: comlink loses the classes of errors, so they travel as records. */
import { errorRecord } from '../core/errors.ts';
import type { ErrorCode, ErrorRecord } from '../core/errors.ts';

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ErrorRecord };

/** Never rejects; a stranger's error keeps its text under `code`. */
export async function outcomeOf<T>(work: () => Promise<T> | T, code: ErrorCode): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (thrown) {
    return { ok: false, error: errorRecord(thrown, code) };
  }
}

/** Posted once the worker listens: a call made before would be lost (comlink issue 463). */
export const READY = 'hushgrad/ready';
