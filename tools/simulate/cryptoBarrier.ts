/**
 * Makes work on other threads repeatable, WebCrypto's above all, and tells when it is done. Results come from there in any
 * order; here they are held until everything that was asked for has come, and are then handed out in the order of the
 * asking. So what a program does next depends on its seeds alone, although the work itself goes on side by side.
 */
import { deferred } from '../../src/core/async.ts';
import { crowdImportKey } from './crowdCrypto.ts';

const METHODS = [
  'decrypt',
  'deriveBits',
  'deriveKey',
  'digest',
  'encrypt',
  'exportKey',
  'generateKey',
  'importKey',
  'sign',
  'verify',
] as const;

type Operation = (...input: unknown[]) => Promise<unknown>;

interface Held {
  /** Set once the result, or the error, is there. */
  handOut: (() => void) | undefined;
}

export class CryptoBarrier {
  #held: Held[] = [];
  #missing = 0;
  #handedOut = deferred<void>();

  /** Whether keys are imported once for all. */
  isCrowd = false;

  /** From now on every call of `crypto.subtle` in this process goes through here. */
  install(): void {
    const { subtle } = crypto;
    const importKey = subtle.importKey.bind(subtle) as Operation;
    const crowd = crowdImportKey((...input) => this.hold(importKey(...input)));
    for (const name of METHODS) {
      const operation = (subtle[name] as Operation).bind(subtle);
      const quick = name === 'importKey' ? crowd : undefined;
      const held: Operation = (...input) =>
        (this.isCrowd ? quick?.(...input) : undefined) ?? this.hold(operation(...input));
      Object.defineProperty(subtle, name, { value: held, configurable: true });
    }
  }

  /** Gives WebCrypto back as it was. */
  uninstall(): void {
    for (const name of METHODS) Reflect.deleteProperty(crypto.subtle, name);
  }

  /**
   * Resolves when nothing can happen any more without an event from outside: no result is missing, and no promise is left
   * to go on. Whoever waits for anything else than WebCrypto, other promises, and what was given to `hold` is not seen.
   */
  async idle(): Promise<void> {
    for (;;) {
      // Microtasks are run out before the next turn of the event loop.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#held.length === 0) return;
      await this.#handedOut.promise;
    }
  }

  /** Other work on another thread, to be awaited in place of `work`. */
  hold<T>(work: Promise<T>): Promise<T> {
    const result = deferred<T>();
    const held: Held = { handOut: undefined };
    this.#held.push(held);
    this.#missing++;
    const came = (handOut: () => void): void => {
      held.handOut = handOut;
      this.#missing--;
      if (this.#missing === 0) this.#release();
    };
    work.then(
      (value) => came(() => result.resolve(value)),
      (error: unknown) => came(() => result.reject(error)),
    );
    return result.promise;
  }

  #release(): void {
    const batch = this.#held;
    const before = this.#handedOut;
    this.#held = [];
    this.#handedOut = deferred<void>();
    for (const { handOut } of batch) handOut?.();
    before.resolve();
  }
}
