/** Everybody's data in Node, as their tabs would load it. */
import { openAsBlob } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { Examples, TrainingData } from '../../src/core/dataset.ts';
import { HushError } from '../../src/core/errors.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { SourceFile } from '../../src/core/sourceFile.ts';
import { PublicDataSource } from '../../src/data/publicDataset.ts';
import { PrivateDataService } from '../../src/worker/privateDataService.ts';
import type { DataEntry } from '../federate/entries.ts';

/** Where data is: the files that the server has under `/data/`, and for a plan on private data what each person has. */
export interface DataPlaces {
  readonly dataDir: string;
  readonly entries: readonly DataEntry[];
}

/** One for each participant. @throws HushError `data/…`, `command/data`. */
export async function shardsOf(plan: Plan, count: number, places: DataPlaces): Promise<TrainingData[]> {
  const shards: TrainingData[] = [];
  // One after the other, since each may need the whole for a moment.
  for (let index = 0; index < count; index++) {
    const entry = places.entries[index];
    shards.push(entry ? await privateShard(plan, entry) : await publicShard(plan, index, count, places.dataDir));
  }
  return shards;
}

function publicShard(plan: Plan, index: number, count: number, dataDir: string): Promise<TrainingData> {
  if (plan.data.kind !== 'public') {
    throw new HushError('command/data', `"data.kind" is "${plan.data.kind}", expected "public" without files.`);
  }
  const shard = { index, count, split: plan.data.split, seed: plan.seed };
  const fetchFile = async (path: string): Promise<Response> =>
    new Response(await readFile(join(dataDir, path.replace(/^\/data\//, ''))));
  return new PublicDataSource(plan, shard, fetchFile).load();
}

/** @throws HushError `command/data` where only a browser can read what the plan trains on. */
export function checkReadable({ data }: Plan): void {
  if (data.kind !== 'private' || data.schema.kind !== 'images') return;
  throw new HushError(
    'command/data',
    '"data.schema.kind" is "images", expected table or text: images are decoded by browsers, and this trains in Node.',
  );
}

async function privateShard(plan: Plan, entry: DataEntry): Promise<TrainingData> {
  checkReadable(plan);
  const decoder = { decode: () => Promise.reject(new HushError('data/image', 'Nothing decodes images here.')) };
  const service = new PrivateDataService(decoder, () => undefined);
  await service.read({ plan, files: await filesOf(entry), anew: true });
  return service.load(plan);
}

/** Paths as a browser gives them: of a folder with its name in front. */
async function filesOf({ path, isFolder }: DataEntry): Promise<SourceFile[]> {
  if (!isFolder) return [{ path: basename(path), blob: await openAsBlob(path) }];
  const found = await readdir(path, { withFileTypes: true, recursive: true });
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.toSorted().map(async (file) => ({ path: relative(dirname(path), file), blob: await openAsBlob(file) })),
  );
}

/** Everybody's examples in one place, in their order. */
export function pooled(shards: readonly TrainingData[]): TrainingData {
  const part = (of: keyof TrainingData): Examples => joined(shards.map((shard) => shard[of]));
  return { training: part('training'), validation: part('validation'), test: part('test') };
}

function joined(parts: readonly Examples[]): Examples {
  const filled = parts.filter(({ count }) => count > 0);
  const first = filled[0] ?? parts[0];
  if (first === undefined) throw new HushError('data/nothing', 'There are no shards to pool.');
  return {
    ...first,
    count: filled.reduce((sum, { count }) => sum + count, 0),
    inputs: joinedValues(
      first.inputs,
      filled.map(({ inputs }) => inputs),
    ),
    labels: joinedValues(
      first.labels,
      filled.map(({ labels }) => labels),
    ),
  };
}

function joinedValues<Values extends Examples['inputs']>(like: Values, parts: readonly Examples['inputs'][]): Values {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = new (like.constructor as new (length: number) => Values)(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
