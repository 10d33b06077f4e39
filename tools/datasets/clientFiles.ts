/** Writes a data set of natural clients as the server serves it: gzipped files, and the index that plans pin. */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { INDEX_FILE } from '../../src/data/clientDataset.ts';
import { parseClientIndex } from '../../src/data/clientIndex.ts';
import type { ClientIndex } from '../../src/data/clientIndex.ts';
import type { ClientDataset } from '../../src/data/registry.ts';
import { replaceFile } from './replaceFile.ts';

/** One client's two files, in full. */
export interface ClientContent {
  readonly name: string;
  readonly extension: 'csv' | 'txt';
  readonly training: string;
  readonly test: string;
}

export interface ClientBuilder {
  readonly dataset: ClientDataset;
  /** Of the index; a plan's `data.sha256`. */
  readonly sha256: string;
  /** In the order of the shards. */
  readonly clients: () => Promise<readonly ClientContent[]>;
}

/**
 * Writes the files into a folder of `outDir` unless they are there already.
 * @throws Error when what was built is not what the builder pins: its source has changed.
 */
export async function buildClients({ dataset, sha256, clients }: ClientBuilder, outDir: string): Promise<void> {
  const folder = join(outDir, dataset.folder);
  if (await isWhole(folder, sha256)) return;
  const contents = await clients();
  const files = new Map<string, string>();
  const entries = contents.map(({ name, extension, ...parts }) => {
    const entry = (part: 'training' | 'test') => {
      const file = `${fileName(name)}-${part}.${extension}.gz`;
      files.set(file, parts[part]);
      return { file, sha256: sha256Of(parts[part]) };
    };
    return { name, training: entry('training'), test: entry('test') };
  });
  const index = JSON.stringify({ clients: entries } satisfies ClientIndex);
  if (sha256Of(index) !== sha256) {
    throw new Error(`The data set "${dataset.name}" was built as ${sha256Of(index)}, expected ${sha256}.`);
  }
  await mkdir(folder, { recursive: true });
  for (const [file, content] of files) await replaceFile(join(folder, file), gzipSync(content, { level: 9 }));
  await replaceFile(join(folder, INDEX_FILE), gzipSync(index, { level: 9 }));
}

/** Whether the index is the one that is pinned, and every file that it names is there as it says. */
async function isWhole(folder: string, sha256: string): Promise<boolean> {
  try {
    const read = async (file: string) => gunzipSync(await readFile(join(folder, file)));
    const index = await read(INDEX_FILE);
    if (sha256Of(index) !== sha256) return false;
    const { clients } = parseClientIndex(index, INDEX_FILE);
    for (const entry of clients.flatMap(({ training, test }) => [training, test])) {
      if (sha256Of(await read(entry.file)) !== entry.sha256) return false;
    }
    return true;
  } catch {
    // Not there, or not whole: it is built again.
    return false;
  }
}

function sha256Of(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** "William J. Clinton" is in `william-j-clinton-….txt.gz`. */
function fileName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}
