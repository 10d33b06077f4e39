/** The Locks of this browser: Web Locks, and locks of this page alone where the browser has none. */
import { deferred } from '../core/async.ts';
import type { Locks, Unsubscribe } from '../core/ports.ts';

export function createLocks(): Locks {
  // Absent outside secure contexts.
  return typeof navigator !== 'undefined' && 'locks' in navigator ? webLocks(navigator.locks) : pageLocks();
}

function webLocks(manager: LockManager): Locks {
  return {
    async tryHold(name) {
      const held = deferred<Unsubscribe | undefined>();
      const release = deferred<void>();
      manager
        .request(name, { ifAvailable: true }, (lock) => {
          held.resolve(lock ? () => release.resolve() : undefined);
          // The lock is held until this promise settles.
          return lock ? release.promise : undefined;
        })
        .catch((error: unknown) => held.reject(error));
      return await held.promise;
    },
    exclusive: async (name, action) => await manager.request(name, action),
  };
}

function pageLocks(): Locks {
  /** Settles when the name is free again. */
  const busy = new Map<string, Promise<void>>();

  async function take(name: string): Promise<Unsubscribe> {
    for (let free = busy.get(name); free; free = busy.get(name)) await free;
    const held = deferred<void>();
    busy.set(name, held.promise);
    return () => {
      if (busy.get(name) === held.promise) busy.delete(name);
      held.resolve();
    };
  }

  return {
    tryHold: async (name) => (busy.has(name) ? undefined : await take(name)),
    async exclusive(name, action) {
      const release = await take(name);
      try {
        return await action();
      } finally {
        release();
      }
    },
  };
}
