/** What a simulated browser keeps while its tabs come and go: a store, and locks of one tab. */
import { SerialQueue } from '../../src/core/async.ts';
import type { Locks, Store } from '../../src/core/ports.ts';

export class TabStorage implements Store {
  readonly #values = new Map<string, unknown>();

  async get<T>(key: string): Promise<T | undefined> {
    return this.#values.get(key) as T | undefined;
  }

  async set(key: string, value: unknown): Promise<void> {
    this.#values.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key);
  }

  async keys(prefix: string): Promise<readonly string[]> {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort();
  }
}

/** Each simulated browser has one tab, so that nobody else holds a lock. */
export function soleLocks(): Locks {
  const queue = new SerialQueue();
  return { tryHold: async () => () => undefined, exclusive: (_name, action) => queue.run(action) };
}
