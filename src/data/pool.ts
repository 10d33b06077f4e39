/** A whole public data set, cut into shards as a plan says. */
import type { Examples, ShardAssignment, TrainingData } from '../core/dataset.ts';
import { pickRows } from './rows.ts';
import { cutEvenly, cutIntoShards, setAside } from './shards.ts';
import type { DrawnSplit } from './shards.ts';

/** Everybody's examples; those of `test` are measured only. */
export interface Pool {
  readonly training: Examples;
  readonly test: Examples;
}

/** Copies, so that the pool can be let go. @throws HushError `data/shards`. */
export function cutPool(
  { training, test }: Pool,
  { index, count, seed }: Omit<ShardAssignment, 'split'>,
  split: DrawnSplit,
  validationFraction: number,
): TrainingData {
  // Of text a row has many labels, and no class.
  const classes = split.kind === 'iid' ? new Uint8Array(training.count) : training.labels;
  const shards = cutIntoShards(classes, split, count, seed);
  const { kept, aside } = setAside(shards[index] ?? new Uint32Array(), validationFraction, index, seed);
  const tested = cutEvenly(test.count, count, seed)[index] ?? new Uint32Array();
  return {
    training: pickRows(training, kept),
    validation: pickRows(training, aside),
    test: pickRows(test, tested),
  };
}
