/** A participant's shard of a public data set, fetched from this server and checked against the plan's digest. */
import { concatBytes, toHex } from '../core/bytes.ts';
import type { DataSource, Examples, ShardAssignment, TrainingData } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import { classCountOf, inputsOf } from '../core/modelSpec.ts';
import type { Plan } from '../core/plan.ts';
import { fetchUnpacked } from './gunzip.ts';
import type { FetchFile } from './gunzip.ts';
import { parseIdxImages, parseIdxLabels } from './idx.ts';
import { publicDataset } from './registry.ts';
import { cutEvenly, cutIntoShards, setAside } from './shards.ts';

const GREY_LEVELS = 255;

export class PublicDataSource implements DataSource {
  readonly #plan: Plan;
  readonly #shard: ShardAssignment;
  readonly #fetchFile: FetchFile;

  constructor(plan: Plan, shard: ShardAssignment, fetchFile: FetchFile) {
    this.#plan = plan;
    this.#shard = shard;
    this.#fetchFile = fetchFile;
  }

  /** @throws HushError `data/…`: unknown, unreachable, damaged, too-large, digest, idx, mismatch, shards. */
  async load(): Promise<TrainingData> {
    const { model, evaluation } = this.#plan;
    const { index, count, split, seed } = this.#shard;
    if (index < 0 || index >= count) {
      throw new HushError('data/shards', `Shard ${index} was asked for, expected 0 to ${count - 1}.`);
    }
    const { pixels, width, labels, testCount } = await this.#fetchAll();
    const [inputs, outputs] = [inputsOf(model), classCountOf(model)];
    if (width !== inputs.size) throw mismatch(`model.${inputs.field}`, inputs.size, width, 'the values of one example');
    const classes = labels.reduce((most, label) => Math.max(most, label + 1), 0);
    if (classes > outputs.size)
      throw mismatch(`model.${outputs.field}`, outputs.size, classes, 'the classes in the data');

    const trainCount = labels.length - testCount;
    const shards = cutIntoShards(labels.subarray(0, trainCount), split, count, seed);
    const { kept, aside } = setAside(shards[index] ?? new Uint32Array(), evaluation.validationFraction, index, seed);
    const test = cutEvenly(testCount, count, seed)[index]?.map((row) => row + trainCount) ?? new Uint32Array();
    const pick = (rows: Uint32Array): Examples => gather(rows, width, pixels, labels);
    return { training: pick(kept), validation: pick(aside), test: pick(test) };
  }

  async #fetchAll(): Promise<{ pixels: Uint8Array; width: number; labels: Uint8Array; testCount: number }> {
    const { data } = this.#plan;
    if (data.kind !== 'public') {
      throw new HushError('data/unknown', `Plan: "data.kind" is "${data.kind}", expected "public" to fetch it.`);
    }
    const { name, sha256 } = data;
    const dataset = publicDataset(name);
    const [imagesPath, labelsPath] = [`/data/${dataset.imagesFile}`, `/data/${dataset.labelsFile}`];
    const [images, labels] = await Promise.all(
      [imagesPath, labelsPath].map((path) => fetchUnpacked(path, dataset.maxFileBytes, this.#fetchFile)),
    );
    if (!images || !labels) throw new HushError('data/unreachable', `"${name}" has two files.`);
    const digest = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', concatBytes(images, labels))));
    if (digest !== sha256) {
      throw new HushError(
        'data/digest',
        `The data set "${name}" of this server has the SHA-256 ${digest}, expected ${sha256} as the plan says.`,
        { advice: 'The server and the plan disagree about the data; ask whoever launched the plan.' },
      );
    }
    const { count, width, pixels } = parseIdxImages(images, imagesPath);
    const parsed = parseIdxLabels(labels, labelsPath);
    if (parsed.length !== count || count <= dataset.testCount) {
      throw new HushError(
        'data/idx',
        `${labelsPath}: the number of labels is ${parsed.length}, expected that of the images, ${count}, and more than ${dataset.testCount}.`,
      );
    }
    return { pixels, width, labels: parsed, testCount: dataset.testCount };
  }
}

/** Copies the rows, so that the whole set can be let go. */
function gather(rows: Uint32Array, width: number, pixels: Uint8Array, labels: Uint8Array): Examples {
  const inputs = new Uint8Array(rows.length * width);
  rows.forEach((row, i) => inputs.set(pixels.subarray(row * width, (row + 1) * width), i * width));
  return {
    count: rows.length,
    width,
    inputs,
    inputScale: 1 / GREY_LEVELS,
    labels: Uint8Array.from(rows, (row) => labels[row] ?? 0),
  };
}

function mismatch(field: string, got: number, expected: number, what: string): HushError {
  return new HushError('data/mismatch', `Plan: "${field}" is ${got}, expected ${expected}, ${what}.`, {
    advice: `Correct "${field}" in the plan.`,
  });
}
