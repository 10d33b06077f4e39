/** A participant's shard of a public data set, fetched from this server and checked against the plan's digest. */
import type { DataSource, ShardAssignment, TrainingData } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import { ClientFiles } from './clientDataset.ts';
import type { FetchFile } from './gunzip.ts';
import { fetchIdx } from './idxDataset.ts';
import { cutPool } from './pool.ts';
import { checkAgainstDataset, publicDataset } from './registry.ts';

export class PublicDataSource implements DataSource {
  readonly #plan: Plan;
  readonly #shard: ShardAssignment;
  readonly #fetchFile: FetchFile;

  constructor(plan: Plan, shard: ShardAssignment, fetchFile: FetchFile) {
    this.#plan = plan;
    this.#shard = shard;
    this.#fetchFile = fetchFile;
  }

  /** @throws HushError `data/…`: unknown, mismatch, shards, unreachable, damaged, too-large, digest, idx, index. */
  async load(): Promise<TrainingData> {
    const { data, evaluation } = this.#plan;
    const { index, count, split, seed } = this.#shard;
    if (index < 0 || index >= count) {
      throw new HushError('data/shards', `Shard ${index} was asked for, expected 0 to ${count - 1}.`);
    }
    if (data.kind !== 'public') {
      throw new HushError('data/unknown', `Plan: "data.kind" is "${data.kind}", expected "public" to fetch it.`);
    }
    checkAgainstDataset(this.#plan);
    const dataset = publicDataset(data.name);
    const { validationFraction } = evaluation;
    if (dataset.kind === 'clients' && data.schema) {
      const leavesMissing = this.#plan.statistics !== undefined;
      const files = await ClientFiles.open(dataset, data.sha256, data.schema, this.#fetchFile, leavesMissing);
      if (split.kind === 'natural') return await files.client(index, validationFraction, seed);
      return cutPool(await files.all(), this.#shard, split, validationFraction);
    }
    if (dataset.kind === 'idx' && split.kind !== 'natural') {
      return cutPool(await fetchIdx(dataset, data.sha256, this.#fetchFile), this.#shard, split, validationFraction);
    }
    throw new HushError('data/mismatch', `The data "${data.name}" cannot be cut by the split "${split.kind}".`);
  }
}
