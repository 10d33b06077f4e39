/** Builds the application into dist/ and its data sets into .cache/data, where something changed. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, runIfMain } from './command.ts';
import { buildDatasets } from './datasets.ts';

const DIST = join(ROOT, 'dist');
const STAMP = join(ROOT, '.cache', 'build');

/** What the server serves as /data/. */
export const DATA_DIR = join(ROOT, '.cache', 'data');

/** Everything that the bundle is made of. */
const INPUTS = ['index.html', 'package-lock.json', 'public', 'src', 'tsconfig.json', 'vite.config.ts'];

/** Gives whether there was anything to do. */
export async function buildApplication(options: { readonly force?: boolean } = {}): Promise<boolean> {
  await buildDatasets(DATA_DIR);
  const digest = await digestOf(INPUTS);
  const before = await readFile(STAMP, 'utf8').catch(() => '');
  if (!options.force && before === digest && existsSync(join(DIST, 'index.html'))) return false;
  await rm(STAMP, { force: true });
  // Takes long to load, and there is mostly nothing to build.
  const { build } = await import('vite');
  await inProduction(() => build({ root: ROOT, configFile: join(ROOT, 'vite.config.ts'), logLevel: 'warn' }));
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  await writeFile(STAMP, digest);
  return true;
}

/** Under a test's NODE_ENV every element would name the line that it comes from: another application than the one served. */
async function inProduction<T>(work: () => Promise<T>): Promise<T> {
  const { NODE_ENV } = process.env;
  process.env['NODE_ENV'] = 'production';
  try {
    return await work();
  } finally {
    if (NODE_ENV === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = NODE_ENV;
  }
}

async function digestOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of await filesUnder(join(ROOT, path))) hash.update(`${file}\n`).update(await readFile(file));
  }
  return hash.digest('hex');
}

async function filesUnder(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => undefined);
  if (!entries) return existsSync(path) ? [path] : [];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

const HELP = `npm run build [-- --force]

Builds the application into dist/ and its data sets into .cache/data. What is up to date is left alone.

  --force  builds the application even so
  --help   shows this`;

runIfMain(import.meta.url, async (args) => {
  const { values } = parseArgs({ args, options: { force: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const built = await buildApplication({ force: values.force ?? false });
  console.log(built ? 'Built dist/.' : 'dist/ is up to date.');
  return 0;
});
