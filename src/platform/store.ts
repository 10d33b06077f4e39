/** The Store of this browser: one IndexedDB database a name, through idb-keyval. */
import { createStore as createDatabase, del, get, keys, set } from 'idb-keyval';
import { HushError } from '../core/errors.ts';
import type { Store } from '../core/ports.ts';

/** Errors are `store/full` when the browser's quota is used up, `store/failed` for everything else. */
export function createStore(name: string): Store {
  // One object store a database: idb-keyval cannot add a second one to a database that exists (custom-stores.md).
  const database = createDatabase(name, 'values');
  return {
    get: <T>(key: string) => guarded(key, () => get<T>(key, database)),
    set: (key, value) => guarded(key, () => set(key, value, database)),
    delete: (key) => guarded(key, () => del(key, database)),
    keys: (prefix) =>
      guarded(prefix, async () => {
        const all = await keys<string>(database);
        return all.filter((key) => typeof key === 'string' && key.startsWith(prefix)).toSorted();
      }),
  };
}

async function guarded<T>(key: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw storeError(key, cause);
  }
}

function storeError(key: string, cause: unknown): HushError {
  const name = cause instanceof DOMException ? cause.name : '';
  if (name === 'QuotaExceededError') {
    return new HushError('store/full', `This browser has no room left to keep "${key}".`, {
      advice: 'Free disk space or clear the data of other sites, then try again; nothing kept so far is lost.',
      cause,
    });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HushError('store/failed', `This browser could not keep or read "${key}": ${why}`, {
    advice: 'Leave private browsing or allow this site to store data, then reload.',
    cause,
  });
}
