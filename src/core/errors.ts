/** The one error class. `code` is stable for programs, `trace` says where, `message` and `advice` are for people. */

export type ErrorCode = `${string}/${string}`;

export interface HushErrorOptions {
  /** Outermost first: ["round 12", "peer ab3", "masked update"]. */
  readonly trace?: readonly string[];
  /** A sentence that tells what to do. */
  readonly advice?: string;
  readonly cause?: unknown;
}

export class HushError extends Error {
  override readonly name = 'HushError';
  readonly code: ErrorCode;
  readonly trace: readonly string[];
  readonly advice: string;

  constructor(code: ErrorCode, message: string, options: HushErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.trace = options.trace ?? [];
    this.advice = options.advice ?? '';
  }

  /** The same error, seen from one level further out. */
  within(place: string): HushError {
    return new HushError(this.code, this.message, {
      trace: [place, ...this.trace],
      advice: this.advice,
      cause: this.cause,
    });
  }

  override toString(): string {
    return [...this.trace, this.advice ? `${this.message} ${this.advice}` : this.message].join(' > ');
  }
}

/** Whatever was thrown, as a HushError; a stranger's error keeps its text under `code`. */
export function asHushError(thrown: unknown, code: ErrorCode): HushError {
  if (thrown instanceof HushError) return thrown;
  return new HushError(code, thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

/** What crosses a worker boundary, where classes do not survive. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly advice: string;
}

export function errorRecord(thrown: unknown, code: ErrorCode): ErrorRecord {
  const error = asHushError(thrown, code);
  return { code: error.code, message: error.message, advice: error.advice };
}
