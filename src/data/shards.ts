/** Cuts labelled examples into shards, repeatably: every example lies in exactly one, and none is empty. */
import { HushError } from '../core/errors.ts';
import type { DataSplit } from '../core/plan.ts';
import { SeededRandom } from '../core/seededRandom.ts';
import { drawDirichlet } from './dirichlet.ts';

/** Splits that do not follow from the data set itself. */
export type DrawnSplit = Exclude<DataSplit, { readonly kind: 'natural' }>;

/** Streams of a plan's seed, so that no two cuts share their randomness. */
const SPLIT_STREAM = 1;
const PARTS_STREAM = 2;
const ASIDE_STREAM = 0x10000;

/**
 * Indices into `labels`, one list a shard. The same for the same labels, split, count and seed.
 * @throws HushError `data/shards` when there are fewer examples than the split needs.
 */
export function cutIntoShards(
  labels: ArrayLike<number>,
  split: DrawnSplit,
  count: number,
  seed: number,
): Uint32Array[] {
  const pieces = split.kind === 'label' ? count * split.labelsPerShard : count;
  if (pieces > labels.length) {
    throw new HushError(
      'data/shards',
      `Plan: "data.shards" asks for ${count} shards in ${pieces} pieces, expected at most ${labels.length}, the number of examples.`,
      { advice: 'Lower "data.shards".' },
    );
  }
  const random = SeededRandom.of(seed, SPLIT_STREAM);
  if (split.kind === 'label') return byLabel(labels, split.labelsPerShard, count, random);
  if (split.kind === 'dirichlet') return byDirichlet(labels, split.alpha, count, random);
  split.kind satisfies 'iid';
  return cut(random.permutation(labels.length), count);
}

/** 0 … length − 1 in `count` parts of equal size, give or take one, in random order; some empty when count > length. */
export function cutEvenly(length: number, count: number, seed: number): Uint32Array[] {
  return cut(SeededRandom.of(seed, PARTS_STREAM).permutation(length), count);
}

/** Keeps `fraction` of a shard aside for validation; at least one example stays. */
export function setAside(
  shard: Uint32Array,
  fraction: number,
  index: number,
  seed: number,
): { readonly kept: Uint32Array; readonly aside: Uint32Array } {
  const order = SeededRandom.of(seed, ASIDE_STREAM + index).permutation(shard.length);
  const mixed = order.map((place) => shard[place] ?? 0);
  const size = Math.min(Math.floor(fraction * shard.length), shard.length - 1);
  return { kept: mixed.subarray(size), aside: mixed.subarray(0, size) };
}

function cut(order: Uint32Array, count: number): Uint32Array[] {
  const edge = (i: number): number => Math.floor((i * order.length) / count);
  return Array.from({ length: count }, (_, i) => order.subarray(edge(i), edge(i + 1)));
}

/** McMahan et al. 2017, section 3: sort by label, cut into runs, deal each shard `labelsPerShard` of them. */
function byLabel(
  labels: ArrayLike<number>,
  labelsPerShard: number,
  count: number,
  random: SeededRandom,
): Uint32Array[] {
  const sorted = random.permutation(labels.length).sort((a, b) => (labels[a] ?? 0) - (labels[b] ?? 0));
  const runs = cut(sorted, count * labelsPerShard);
  const dealt = random.permutation(runs.length);
  return Array.from({ length: count }, (_, shard) => {
    const hand = Array.from(dealt.subarray(shard * labelsPerShard, (shard + 1) * labelsPerShard), (run) => runs[run]);
    return Uint32Array.from(hand.flatMap((run) => Array.from(run ?? [])));
  });
}

/**
 * Hsu et al. 2019, section 3: shards of equal size; each draws its label proportions from a symmetric Dirichlet(alpha)
 * and then its examples without replacement, passing over the labels that are used up.
 */
function byDirichlet(labels: ArrayLike<number>, alpha: number, count: number, random: SeededRandom): Uint32Array[] {
  const pools: number[][] = [];
  for (const example of random.permutation(labels.length)) (pools[labels[example] ?? 0] ??= []).push(example);
  const classes = Array.from(pools, (pool) => pool ?? []).filter((pool) => pool.length > 0);
  return cut(new Uint32Array(labels.length), count).map((shard) => {
    const proportions = drawDirichlet(alpha, classes.length, random);
    return shard.map(() => classes[drawLabel(proportions, classes, random)]?.pop() ?? 0);
  });
}

/** A label with examples left, by the proportions; evenly among them once all that the shard wanted is used up. */
function drawLabel(proportions: Float64Array, classes: readonly (readonly number[])[], random: SeededRandom): number {
  const left = classes.flatMap((pool, label) => (pool.length > 0 ? [label] : []));
  const total = left.reduce((sum, label) => sum + (proportions[label] ?? 0), 0);
  if (total === 0) return left[random.below(left.length)] ?? 0;
  let at = random.uniform() * total;
  for (const label of left) {
    at -= proportions[label] ?? 0;
    if (at < 0) return label;
  }
  return left.findLast((label) => (proportions[label] ?? 0) > 0) ?? 0;
}
