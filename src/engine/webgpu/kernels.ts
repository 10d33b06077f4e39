/** Which kernel computes a product. */
import { registerColumns, registerRows } from './product.ts';
import type { ColumnProduct, Emission, RegisterTile, RowProduct } from './product.ts';
import { canBeSliced, slicedRows } from './slicedProduct.ts';
import { tiledColumns, tiledRows } from './tiledProduct.ts';
import type { Kernel } from './wgsl.ts';

export const VARIANTS = ['register-4x8', 'register-8x8', 'sliced', 'workgroup-32', 'workgroup-64'] as const;
export type Variant = (typeof VARIANTS)[number];

export type Product = RowProduct | ColumnProduct;

const REGISTER_SIZE = 32;
/** Results of a product that keep an adapter busy; a reduction with fewer is cut into parts. */
const BUSY_INVOCATIONS = 2048;
/** Below this a part is not worth the dispatch that adds it up. */
const MIN_PART_LENGTH = 256;
const MAX_PARTS = 32;

/** What two products must share to be equally fast. */
export function productKey(product: Product): string {
  if (product.kind === 'rows') {
    const { m, n, inner, taps, strides, masked } = product;
    return `rows ${m} ${n} ${inner} ${taps.join('x')} ${strides.n === 1 ? 'n' : 'k'} ${masked}`;
  }
  const { k, n, examples, places } = product;
  return `columns ${k} ${n} ${examples} ${places.join('x')}`;
}

/** Multiplications. */
export function workOf(product: Product): number {
  if (product.kind === 'rows') return product.m * product.n * product.inner * product.taps[0] * product.taps[1];
  return product.k * product.n * product.examples * product.places[0] * product.places[1];
}

export function variantsFor(product: Product): Variant[] {
  return VARIANTS.filter((variant) => variant !== 'sliced' || (product.kind === 'rows' && canBeSliced(product)));
}

export class Kernels {
  readonly #choose: (product: Product) => Variant;
  /** All products that were asked for, by their key. */
  readonly products = new Map<string, Product>();

  constructor(choose: (product: Product) => Variant) {
    this.#choose = choose;
  }

  rows(product: RowProduct, emission: Emission): Kernel {
    return rowKernel(product, this.#variant(product), emission);
  }

  columns(product: ColumnProduct, emission: Emission, parts: number): Kernel {
    return columnKernel(product, this.#variant(product), emission, parts);
  }

  #variant(product: Product): Variant {
    this.products.set(productKey(product), product);
    const chosen = this.#choose(product);
    return variantsFor(product).includes(chosen) ? chosen : 'register-4x8';
  }
}

export function rowKernel(product: RowProduct, variant: Variant, emission: Emission): Kernel {
  if (variant === 'sliced') return slicedRows(product, emission);
  const side = workgroupSide(variant);
  if (side) return tiledRows(product, { side }, emission);
  return registerRows(product, registerTile(variant), emission, REGISTER_SIZE);
}

export function columnKernel(product: ColumnProduct, variant: Variant, emission: Emission, parts: number): Kernel {
  const side = workgroupSide(variant);
  if (side) return tiledColumns(product, { side }, emission, parts);
  return registerColumns(product, registerTile(variant), emission, REGISTER_SIZE, parts);
}

/** Into how many sums a kernel's gradient is cut, so that there is work for a whole adapter. */
export function partsOf({ k, n, examples, places }: ColumnProduct): number {
  const invocations = Math.ceil(k / 4) * Math.ceil(n / 8);
  const length = places[0] * places[1];
  if (invocations >= BUSY_INVOCATIONS || examples * length < 4 * MIN_PART_LENGTH) return 1;
  const most = Math.min(MAX_PARTS, examples, Math.floor((examples * length) / MIN_PART_LENGTH));
  return Math.max(1, Math.min(most, Math.ceil(BUSY_INVOCATIONS / invocations)));
}

function workgroupSide(variant: Variant): 32 | 64 | undefined {
  if (variant === 'workgroup-32') return 32;
  return variant === 'workgroup-64' ? 64 : undefined;
}

function registerTile(variant: Variant): RegisterTile {
  return variant === 'register-8x8' ? { rows: 8, columns: 8 } : { rows: 4, columns: 8 };
}
