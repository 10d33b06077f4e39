/** What each tab of a federation on private data is given: one file or folder each. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HushError } from '../../src/core/errors.ts';
import type { Plan } from '../../src/core/plan.ts';

export interface DataEntry {
  readonly path: string;
  readonly isFolder: boolean;
}

/** In the order of their names, numbers by their value. @throws HushError `command/data`. */
export async function dataEntries(
  { data }: Plan,
  folder: string | undefined,
  people: number,
): Promise<readonly DataEntry[]> {
  if (data.kind === 'public') {
    if (folder === undefined) return [];
    throw new HushError('command/data', '"--data" is given, expected none: the data of this plan is public.');
  }
  if (folder === undefined) {
    throw new HushError(
      'command/data',
      '"--data" is missing, expected a folder: this plan trains on people’s own files.',
      {
        advice: `Give a folder with one file or sub-folder for each of the ${people} tabs.`,
      },
    );
  }
  const found = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new HushError('command/data', `"--data" is "${folder}", expected a folder that can be read.`, { cause });
  });
  const entries = found
    .filter((entry) => !entry.name.startsWith('.') && (entry.isFile() || entry.isDirectory()))
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  if (entries.length < people) {
    throw new HushError(
      'command/data',
      `"--data" names a folder with ${entries.length} files and folders, expected ${people}, one for each tab.`,
      { advice: 'Give fewer --participants, or a folder with more.' },
    );
  }
  return entries.slice(0, people).map((entry) => ({ path: join(folder, entry.name), isFolder: entry.isDirectory() }));
}
