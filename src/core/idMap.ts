/** A persistent map under hexadecimal ids: a new map for each change, most of which it shares with the one before. */

const BUCKETS = 256;

/**
 * Copying a plain record of n entries for each of n changes costs n²; here a change copies one bucket of about n / 256.
 * Entries come in the order of their buckets, which is the same for the same keys.
 */
export class IdMap<Key extends string, Value> implements Iterable<readonly [Key, Value]> {
  readonly size: number;
  readonly #buckets: readonly (ReadonlyMap<Key, Value> | undefined)[];

  private constructor(buckets: readonly (ReadonlyMap<Key, Value> | undefined)[], size: number) {
    this.#buckets = buckets;
    this.size = size;
  }

  static empty<Key extends string, Value>(): IdMap<Key, Value> {
    return new IdMap<Key, Value>(Array.from({ length: BUCKETS }), 0);
  }

  static of<Key extends string, Value>(entries: Iterable<readonly [Key, Value]>): IdMap<Key, Value> {
    const buckets: (Map<Key, Value> | undefined)[] = Array.from({ length: BUCKETS });
    let size = 0;
    for (const [key, value] of entries) {
      const at = bucketOf(key);
      const bucket = (buckets[at] ??= new Map<Key, Value>());
      if (!bucket.has(key)) size++;
      bucket.set(key, value);
    }
    return new IdMap<Key, Value>(buckets, size);
  }

  get(key: Key): Value | undefined {
    return this.#buckets[bucketOf(key)]?.get(key);
  }

  has(key: Key): boolean {
    return this.#buckets[bucketOf(key)]?.has(key) ?? false;
  }

  set(key: Key, value: Value): IdMap<Key, Value> {
    return this.#changed(key, (bucket) => bucket.set(key, value));
  }

  delete(key: Key): IdMap<Key, Value> {
    return this.has(key) ? this.#changed(key, (bucket) => bucket.delete(key)) : this;
  }

  *[Symbol.iterator](): Generator<readonly [Key, Value]> {
    for (const bucket of this.#buckets) if (bucket !== undefined) yield* bucket;
  }

  keys(): Key[] {
    return Array.from(this, ([key]) => key);
  }

  values(): Value[] {
    return Array.from(this, ([, value]) => value);
  }

  #changed(key: Key, change: (bucket: Map<Key, Value>) => void): IdMap<Key, Value> {
    const at = bucketOf(key);
    const before = this.#buckets[at];
    const bucket = new Map(before);
    change(bucket);
    const buckets = this.#buckets.slice();
    buckets[at] = bucket;
    return new IdMap<Key, Value>(buckets, this.size - (before?.size ?? 0) + bucket.size);
  }
}

/** By the last two digits; what is no hexadecimal text shares one bucket. */
function bucketOf(key: string): number {
  return Number.parseInt(key.slice(-2), 16) & (BUCKETS - 1);
}
