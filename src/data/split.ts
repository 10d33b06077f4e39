/** Cuts a person's examples into those trained on and those kept for validation, repeatably by a seed. */
import { SeededRandom } from '../core/seededRandom.ts';

/** A stream of its own beside those of the shards. */
const SPLIT_STREAM = 0x73706c;

export interface Split {
  /** Indices of examples, rising. */
  readonly training: Uint32Array;
  readonly validation: Uint32Array;
}

/**
 * floor(fraction · n) examples for validation, each class in its proportion by the largest remainder; of every class at
 * least one is trained on. `classes` has one class for each example.
 */
export function stratifiedSplit(classes: ArrayLike<number>, fraction: number, seed: number): Split {
  const random = SeededRandom.of(seed, SPLIT_STREAM);
  const pools = new Map<number, number[]>();
  for (const example of random.permutation(classes.length)) {
    const pool = pools.get(classes[example] ?? 0);
    if (pool) pool.push(example);
    else pools.set(classes[example] ?? 0, [example]);
  }
  const shares = Array.from(pools, ([label, pool]) => {
    const exact = fraction * pool.length;
    const taken = Math.min(Math.floor(exact), pool.length - 1);
    return { label, pool, taken, left: exact - taken };
  });
  let open = Math.floor(fraction * classes.length) - shares.reduce((sum, { taken }) => sum + taken, 0);
  for (const share of shares.toSorted((a, b) => b.left - a.left || a.label - b.label)) {
    if (open > 0 && share.taken < share.pool.length - 1 && share.left > 0) {
      share.taken++;
      open--;
    }
  }
  return cut(
    classes.length,
    shares.flatMap(({ pool, taken }) => pool.slice(0, taken)),
  );
}

/** Without classes: any floor(fraction · n) of them. */
export function randomSplit(count: number, fraction: number, seed: number): Split {
  return stratifiedSplit(new Uint8Array(count), fraction, seed);
}

/**
 * For windows over one text that overlap their next `overlap`: a run at the start or the end for validation, and what
 * shares tokens with it is left out. Without validation where that would leave nothing to train on.
 */
export function runSplit(count: number, overlap: number, fraction: number, seed: number): Split {
  const size = Math.floor(fraction * count);
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  if (size === 0 || count - size - overlap < 1) return { training: all, validation: new Uint32Array() };
  const atStart = SeededRandom.of(seed, SPLIT_STREAM).below(2) === 0;
  return atStart
    ? { training: all.subarray(size + overlap), validation: all.subarray(0, size) }
    : { training: all.subarray(0, count - size - overlap), validation: all.subarray(count - size) };
}

function cut(count: number, aside: readonly number[]): Split {
  const isAside = new Uint8Array(count);
  for (const example of aside) isAside[example] = 1;
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  return { training: all.filter((i) => isAside[i] === 0), validation: all.filter((i) => isAside[i] === 1) };
}
