/** Work on a device that may be lost: whatever is awaited fails as soon as the device does. */
import { HushError } from '../core/errors.ts';

export class Failure {
  readonly #waiting = new Set<(error: HushError) => void>();
  #error: HushError | undefined;

  /** Keeps the first error only: what follows it is its consequence. */
  fail(error: HushError): void {
    if (this.#error) return;
    this.#error = error;
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  /** @throws HushError what `fail` was given. */
  check(): void {
    if (this.#error) throw this.#error;
  }

  /**
   * `work`, a read from the device, unless the device fails first. A race with one long-lived promise would keep every
   * loser in memory.
   */
  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#error) {
        reject(this.#error);
        // Nobody else hears of what becomes of it.
        work.catch(() => undefined);
        return;
      }
      this.#waiting.add(reject);
      const done = (): void => void this.#waiting.delete(reject);
      work.then(resolve, (thrown: unknown) => reject(this.#error ?? readFailed(thrown))).finally(done);
    });
  }
}

/** A lost device breaks its reads off before it says that it is lost. */
function readFailed(cause: unknown): HushError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HushError('engine/lost', `The device was lost, and a read from it with it: ${why}`, { cause });
}
