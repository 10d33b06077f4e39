/**
 * Times the kernels that could compute a network's larger products, for a moment, on the adapter at hand: what is fast
 * depends on it by a factor of ten, and its name says nothing about that.
 */
import type { Device } from './device.ts';
import { productKey, workOf } from './kernels.ts';
import type { Product, Variant } from './kernels.ts';
import { TuningBench } from './tuningBench.ts';
import type { TuningTask } from './tuningBench.ts';

/** For one program. Compiling is not in it, for that can be done side by side. */
const BUDGET_MS = 150;
/** A product with fewer multiplications, or with less than this share of all, takes what is best for the largest. */
const MIN_WORK = 2e6;
const MIN_SHARE = 0.04;
/** A kernel so much slower than the best one on the largest product is not tried on others. */
const HOPELESS = 2.5;
const UNTIMED: Variant = 'register-4x8';

interface Known {
  readonly best: Map<string, Variant>;
  /** Kernels that this adapter is bad at. */
  readonly hopeless: Set<Variant>;
  usual: Variant;
}

/** By adapter, for as long as the worker lives. */
const known = new Map<string, Known>();

function knownOf({ adapter }: Device): Known {
  const of = known.get(adapter) ?? { best: new Map(), hopeless: new Set(), usual: UNTIMED };
  known.set(adapter, of);
  return of;
}

export function chosenVariant(device: Device, product: Product): Variant {
  const { best, usual } = knownOf(device);
  return best.get(productKey(product)) ?? usual;
}

/** Leaves what it found for `chosenVariant`. Does nothing where everything is known, or too small to matter. */
export async function tune(device: Device, task: TuningTask): Promise<void> {
  const of = knownOf(device);
  const all = task.products.reduce((sum, product) => sum + workOf(product), 0);
  const products = task.products
    .filter((product) => workOf(product) >= Math.max(MIN_WORK, MIN_SHARE * all) && !of.best.has(productKey(product)))
    .toSorted((a, b) => workOf(b) - workOf(a));
  if (products.length === 0) return;
  const [largest] = products;
  const bench = await TuningBench.open(device, task, products);
  try {
    for (const product of products) {
      if (bench.timedMs > BUDGET_MS) break;
      // The largest decides what the others are tried with.
      if (product !== largest) await bench.compile(products, (variant) => !of.hopeless.has(variant));
      const times = await bench.times(product, (variant) => !of.hopeless.has(variant));
      const fastest = Math.min(...times.values());
      for (const [variant, ms] of times) {
        if (ms === fastest) of.best.set(productKey(product), variant);
        if (product !== largest) continue;
        if (ms > HOPELESS * fastest) of.hopeless.add(variant);
        if (ms === fastest && variant !== 'sliced') of.usual = variant;
      }
    }
  } finally {
    bench.close();
  }
}
