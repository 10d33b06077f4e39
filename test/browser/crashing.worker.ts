/** A worker that answers, hangs or dies as it is told to. */
import { expose } from 'comlink';
import { crashOnUnhandled } from '../../src/worker/crash.ts';
import { outcomeOf, READY } from '../../src/worker/outcome.ts';
import type { Outcome } from '../../src/worker/outcome.ts';
import { HushError } from '../../src/core/errors.ts';

crashOnUnhandled();

export interface CrashingApi {
  echo(value: string): Promise<Outcome<string>>;
  refuse(): Promise<Outcome<never>>;
  hang(): Promise<Outcome<never>>;
  throwUncaught(): Promise<Outcome<never>>;
  rejectUncaught(): Promise<Outcome<never>>;
}

const never = (): Promise<never> => new Promise(() => undefined);

const api: CrashingApi = {
  echo: (value) => outcomeOf(() => value, 'test/failed'),
  refuse: () =>
    outcomeOf(() => {
      throw new HushError('test/refused', 'No.', { advice: 'Ask again.' });
    }, 'test/failed'),
  hang: never,
  throwUncaught: () => {
    queueMicrotask(() => {
      throw new Error('thrown on purpose');
    });
    return never();
  },
  rejectUncaught: () => {
    void Promise.reject(new Error('rejected on purpose'));
    return never();
  },
};

expose(api);
postMessage(READY);
