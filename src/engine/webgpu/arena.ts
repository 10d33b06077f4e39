/** Places tensors of different lifetimes in one buffer, so that those that never live together share memory. */

/** Bytes between places are a multiple of this many values, as wide loads want it. */
const ALIGNMENT = 64;

/** A stretch of the arena. `offset` is in values, and is there once the arena is planned. */
export class Tensor {
  readonly label: string;
  /** Number of float32 values. */
  readonly size: number;
  offset = 0;

  constructor(label: string, size: number) {
    this.label = label;
    this.size = size;
  }
}

export interface Lifetime {
  readonly size: number;
  /** First and last step of the program that touch it, both included. */
  readonly first: number;
  readonly last: number;
}

export interface Placement {
  readonly offsets: readonly number[];
  /** Values that the whole arena has. */
  readonly size: number;
}

/**
 * Largest first, each at the lowest gap among those that live at the same time (Pisarchyk and Lee 2020, "Efficient
 * Memory Management for Deep Neural Net Inference", greedy by size).
 */
export function placeLifetimes(lifetimes: readonly Lifetime[]): Placement {
  const offsets: number[] = lifetimes.map(() => 0);
  const placed: number[] = [];
  let size = 0;
  const order = lifetimes.map((_, i) => i).sort((a, b) => (lifetimes[b]?.size ?? 0) - (lifetimes[a]?.size ?? 0));
  for (const i of order) {
    const own = lifetimes[i];
    if (!own) continue;
    const length = aligned(own.size);
    const beside = placed
      .filter((j) => overlaps(own, lifetimes[j]))
      .sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0));
    let offset = 0;
    for (const j of beside) {
      const from = offsets[j] ?? 0;
      if (offset + length <= from) break;
      offset = Math.max(offset, from + aligned(lifetimes[j]?.size ?? 0));
    }
    offsets[i] = offset;
    placed.push(i);
    size = Math.max(size, offset + length);
  }
  return { offsets, size };
}

/** Sets the offsets of all tensors that the steps touch; gives the arena's size in values. */
export function planArena(steps: readonly { readonly tensors: readonly Tensor[] }[]): number {
  const spans = new Map<Tensor, { first: number; last: number }>();
  steps.forEach(({ tensors }, step) => {
    for (const tensor of tensors) {
      const span = spans.get(tensor);
      if (span) span.last = step;
      else spans.set(tensor, { first: step, last: step });
    }
  });
  const tensors = [...spans.keys()];
  const { offsets, size } = placeLifetimes(
    [...spans].map(([tensor, { first, last }]) => ({ size: tensor.size, first, last })),
  );
  tensors.forEach((tensor, i) => {
    tensor.offset = offsets[i] ?? 0;
  });
  return size;
}

function overlaps(a: Lifetime, b: Lifetime | undefined): boolean {
  return b !== undefined && a.first <= b.last && b.first <= a.last;
}

function aligned(size: number): number {
  return Math.max(1, Math.ceil(size / ALIGNMENT)) * ALIGNMENT;
}
