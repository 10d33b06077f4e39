/** Everybody's data in Node, as their tabs would load it. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TrainingData } from '../../src/core/dataset.ts';
import { HushError } from '../../src/core/errors.ts';
import type { Plan } from '../../src/core/plan.ts';
import { PublicDataSource } from '../../src/data/publicDataset.ts';

/** Shards of the plan's public data, from the files in `dataDir` that the server has under `/data/`. */
export async function publicShards(plan: Plan, count: number, dataDir: string): Promise<TrainingData[]> {
  if (plan.data.kind !== 'public') {
    throw new HushError('command/data', `"data.kind" is "${plan.data.kind}", expected "public" without files.`);
  }
  const { split } = plan.data;
  const fetchFile = async (path: string): Promise<Response> =>
    new Response(await readFile(join(dataDir, basename(path))));
  const shards: TrainingData[] = [];
  // One after the other, since each unpacks the whole.
  for (let index = 0; index < count; index++) {
    const shard = { index, count, split, seed: plan.seed };
    shards.push(await new PublicDataSource(plan, shard, fetchFile).load());
  }
  return shards;
}
