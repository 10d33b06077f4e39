/** The penguins of the npm package `vega-datasets`, by island. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PENGUINS } from '../../src/data/registry.ts';
import type { ClientBuilder, ClientContent } from './clientFiles.ts';
import { tableOf } from './tables.ts';

const TEST_FRACTION = 0.2;

const ISLANDS = ['Biscoe', 'Dream', 'Torgersen'];

interface Penguin {
  readonly Species: string;
  readonly Island: string;
  readonly 'Beak Length (mm)': number | null;
  readonly 'Beak Depth (mm)': number | null;
  readonly 'Flipper Length (mm)': number | null;
  readonly 'Body Mass (g)': number | null;
  readonly Sex: string | null;
}

export const penguins: ClientBuilder = {
  dataset: PENGUINS,
  sha256: '3005279c1dae33f4587816943f5654ded8504ab5420bcc2339fd7d31d807e951',
  clients: async () => {
    const entry = createRequire(import.meta.url).resolve('vega-datasets');
    const path = join(dirname(entry), '..', 'data', 'penguins.json');
    const all = JSON.parse(await readFile(path, 'utf8')) as readonly Penguin[];
    return ISLANDS.map((island) => islandOf(island, all));
  },
};

/** What was not measured is an empty cell; so is the sex of the one penguin that has a dot for it. */
function islandOf(island: string, all: readonly Penguin[]): ClientContent {
  const rows = all
    .filter((penguin) => penguin.Island === island)
    .map((penguin) => ({
      species: penguin.Species,
      'beak length': penguin['Beak Length (mm)'] ?? '',
      'beak depth': penguin['Beak Depth (mm)'] ?? '',
      'flipper length': penguin['Flipper Length (mm)'] ?? '',
      'body mass': penguin['Body Mass (g)'] ?? '',
      sex: penguin.Sex === '.' || penguin.Sex === null ? '' : penguin.Sex.toLowerCase(),
    }));
  return tableOf(island, rows, 'species', TEST_FRACTION);
}
