/** What a visitor's page and engine load, from the files of the built application: a few hundred kilobytes and no more. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildApplication } from '../../tools/build.ts';
import { ROOT } from '../../tools/command.ts';

/** Of the page before anybody pressed anything: it reads and runs this in one task. */
const PAGE_BUDGET = 105_000;
/** Of what a press of "Join" loads after it, in the page. */
const JOIN_BUDGET = 70_000;
const ENGINE_BUDGET = 250_000;
/** Of one engine of ours, whichever a visitor's machine takes. */
const COMPILED_BUDGET = 30_000;

interface Script {
  readonly file: string;
  readonly text: string;
  readonly gzipBytes: number;
}

/** By the name of the file. */
const scripts = new Map<string, Script>();

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
  expect(
    found.map(({ file }) => file),
    name,
  ).toHaveLength(1);
  return found[0]!;
}

/** The script and all that it imports at once, by the files' names; what it imports later is left out. */
function withImports(...starts: readonly Script[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [...starts];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (seen.has(next.file)) continue;
    seen.add(next.file);
    waiting.push(...named(next, /(?:\bfrom|\bimport)\s*["'`]\.\/([\w.-]+\.js)["'`]/g));
  }
  return seen;
}

/** Scripts that are imported later by one of these. */
function importedLater(files: Iterable<string>): readonly Script[] {
  return [...files].flatMap((file) => named(scripts.get(file)!, /\bimport\(\s*["'`]\.\/([\w.-]+\.js)["'`]/g));
}

/** Scripts that one of these names in any way: what it imports, now or later, and workers that it starts. */
function reached(from: readonly Script[], except: ReadonlySet<string>): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [...from];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (seen.has(next.file) || except.has(next.file)) continue;
    seen.add(next.file);
    waiting.push(...named(next, /([\w.-]+\.js)\b/g));
  }
  return seen;
}

function named({ text }: Script, pattern: RegExp): readonly Script[] {
  return [...text.matchAll(pattern)].flatMap(([, file]) => scripts.get(file!) ?? []);
}

function gzipBytes(files: Iterable<string>): number {
  return [...files].reduce((sum, file) => sum + scripts.get(file)!.gzipBytes, 0);
}

describe('the scripts of the built application', () => {
  it('for the page are few, and join, coordinate and connect only when they are asked to', () => {
    const page = withImports(script('index'));
    expect(gzipBytes(page)).toBeLessThanOrEqual(PAGE_BUDGET);
    // Loading PeerJS opens a connection, to see what the browser can do.
    for (const file of page) expect(scripts.get(file)!.text, file).not.toContain('RTCPeerConnection');
    const later = importedLater(page).map(({ file }) => file);
    expect(later).toEqual(
      expect.arrayContaining(['coordinatorRun', 'participantRun', 'peerjs'].map((of) => script(of).file)),
    );
    const joining = withImports(script('participantRun'), script('peerjs'));
    expect(gzipBytes([...joining].filter((file) => !page.has(file)))).toBeLessThanOrEqual(JOIN_BUDGET);
  });

  it.each(['webgpuBackend', 'webglBackend', 'wasmBackend', 'cpuBackend'])(
    'for training on tfjs with its %s fit the budget',
    (backend) => {
      const loaded = withImports(script('train.worker'), script('tfjsEngine'), script(backend));
      expect(loaded.size).toBeGreaterThan(3);
      const bytes = gzipBytes(loaded);
      expect(bytes).toBeLessThanOrEqual(ENGINE_BUDGET);
      // Less cannot have tfjs in it: this test would look at the wrong files.
      expect(bytes).toBeGreaterThan(50_000);
    },
  );

  it('for each of our own engines fit its share, with no tfjs in it', () => {
    const worker = withImports(script('train.worker'));
    const own = importedLater(worker).filter(({ file }) => !/^(tfjsEngine|stockEngine)-/.test(file));
    expect(own.map(({ file }) => file.split('-')[0])).toContain('compiledWasm');
    for (const engine of own) {
      const files = reached([engine], worker);
      expect(gzipBytes(files), engine.file).toBeLessThanOrEqual(COMPILED_BUDGET);
      for (const file of files) expect(scripts.get(file)!.text).not.toContain('registerBackend');
    }
  });

  it('load stock tfjs only for those who ask for it', () => {
    const stock = script('stockEngine').file;
    const worker = withImports(script('train.worker'));
    expect(importedLater(worker).map(({ file }) => file)).toContain(stock);
    const visitor = reached([script('tfjsEngine'), script('index')], worker);
    expect([...visitor, ...worker]).not.toContain(stock);
  });
});
