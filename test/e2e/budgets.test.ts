/** What a visitor's engine loads, from the files of the built application: a few hundred kilobytes and no more. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildApplication } from '../../tools/build.ts';
import { ROOT } from '../../tools/command.ts';

const ENGINE_BUDGET = 250_000;
const COMPILED_BUDGET = 30_000;

/** Text of each script, by its name without folder, hash and suffix: "train.worker", "webgpuBackend". */
const scripts = new Map<string, Script>();

interface Script {
  readonly file: string;
  readonly text: string;
  readonly gzipBytes: number;
}

beforeAll(async () => {
  await buildApplication();
  const folder = join(ROOT, 'dist', 'assets');
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.js'))) {
    const bytes = await readFile(join(folder, file));
    scripts.set(file, { file, text: bytes.toString('utf8'), gzipBytes: gzipSync(bytes).length });
  }
});

/** The one script whose name before the hash is `name`. */
function script(name: string): Script {
  const found = [...scripts.values()].filter(({ file }) => file.startsWith(`${name}-`));
  expect(found.map(({ file }) => file), name).toHaveLength(1);
  return found[0]!;
}

/** The script and all that it imports at once, by the files' names; what it imports later, or not at all, is left out. */
function withImports(...starts: readonly Script[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [...starts];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (seen.has(next.file)) continue;
    seen.add(next.file);
    const statements = next.text.matchAll(/(?:^|[;}\s])(?:import|export)(?:[^"'();]*?from)?\s*["']\.\/([^"']+\.js)["']/g);
    for (const [, file] of statements) {
      const imported = scripts.get(file!);
      if (!imported) throw new Error(`${next.file} imports ${file}, which is not there.`);
      waiting.push(imported);
    }
  }
  return seen;
}

const gzipBytes = (files: Iterable<string>): number =>
  [...files].reduce((sum, file) => sum + scripts.get(file)!.gzipBytes, 0);

const without = (files: ReadonlySet<string>, others: ReadonlySet<string>): readonly string[] =>
  [...files].filter((file) => !others.has(file));
