/** Collects what a report says while files are read: refusals, warnings, the first examples. */
import { MAX_REFUSALS } from '../core/dataReport.ts';
import type { Refusal } from '../core/dataReport.ts';
import { HushError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';

const MAX_SHOWN = 80;

export class Findings {
  files = 0;
  rows = 0;
  #refused = 0;
  readonly #first: Refusal[] = [];
  readonly #warnings = new Set<string>();

  get refused(): { readonly count: number; readonly first: readonly Refusal[] } {
    return { count: this.#refused, first: [...this.#first] };
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  refuse(refusal: Refusal): void {
    this.#refused++;
    if (this.#first.length >= MAX_REFUSALS) return;
    this.#first.push({ ...refusal, value: shorten(refusal.value), expected: own(refusal.expected) });
  }

  /** What was thrown of `file`. @throws whatever is no refusal: a stop, or a fault of the program. */
  refuseThrown(thrown: unknown, file: string): void {
    if (!(thrown instanceof HushError) || thrown.code === 'data/aborted') throw thrown;
    this.refuse(refusalOf(thrown, file));
  }

  /** Said once, however often it happens. */
  warn(text: string): void {
    this.#warnings.add(own(text));
  }
}

export function shorten(text: string): string {
  return own(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 3)}...` : text);
}

/** A copy of its own: a piece of a chunk's text would keep the whole chunk in memory. */
function own(text: string): string {
  return Array.from(text).join('');
}

/** The whole file, or the rest of it, cannot be used. */
export function refusedFile(code: ErrorCode, refusal: Refusal, advice = ''): HushError {
  const { file, row, column, expected } = refusal;
  const place = [file, ...(row === null ? [] : [`row ${row}`]), ...(column === null ? [] : [`column "${column}"`])];
  return new HushError(code, `${place.join(', ')}: ${shorten(refusal.value)}, expected ${expected}.`, {
    advice,
    cause: refusal,
  });
}

/** What an error says about `file`, as a refusal. */
function refusalOf(error: HushError, file: string): Refusal {
  const { cause } = error;
  if (typeof cause === 'object' && cause !== null && 'expected' in cause) return cause as Refusal;
  return { file, row: null, column: null, value: error.message, expected: 'a file that can be read' };
}
