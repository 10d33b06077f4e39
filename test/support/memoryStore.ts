/** The Store port in memory; `failing` makes every write fail, as a full disk does. */
import { HushError } from '../../src/core/errors.ts';
import type { Store } from '../../src/core/ports.ts';

export class MemoryStore implements Store {
  readonly values = new Map<string, unknown>();
  failing = false;

  async get<T>(key: string): Promise<T | undefined> {
    return this.values.get(key) as T | undefined;
  }

  async set(key: string, value: unknown): Promise<void> {
    if (this.failing) throw new HushError('store/full', 'The disk is full.');
    this.values.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.values.delete(key);
  }

  async keys(prefix: string): Promise<readonly string[]> {
    return [...this.values.keys()].filter((key) => key.startsWith(prefix)).sort();
  }
}
