/** Zip archives of a person's own: what is read of them, and what is refused before it can do harm. */
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { unzip, ZIP_LIMITS } from '../../src/data/zip.ts';
import type { ZipLimits } from '../../src/data/zip.ts';
import { file, png, reportOf } from '../support/privateFiles.ts';

const EXPECTED = { kind: 'images', height: 2, width: 2, channels: 1, fit: 'crop', classes: ['cat', 'dog'] };
const WHITE = [255, 255, 255];
const cat = (path: string) => file(path, png(8, 8));

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('an archive', () => {
  const entries = { 'cat/1.png': png(8, 8), 'cat/2.png': png(8, 8), 'dog/1.png': png(8, 8), 'dog/': new Uint8Array() };

  it.each([0, 6] as const)('gives its files by folder, compressed at level %s', async (level) => {
    const report = await reportOf(EXPECTED, file('pets.zip', zipSync(entries, { level })));
    expect(report.refused.first).toEqual([]);
    expect(report.byClass.map(({ count }) => count)).toEqual([2, 1]);
    expect(report.preview[0]).toMatchObject({ file: 'pets.zip/cat/1.png' });
  });

  it.each([
    ['leads out of it', '../cat/3.png', 'a name with ".."'],
    ['leads out of it with backslashes', 'cat\\..\\..\\3.png', 'a name with ".."'],
    ['is absolute', '/cat/3.png', 'an absolute name'],
    ['begins with a drive', 'C:\\cat\\3.png', 'an absolute name'],
  ])('refuses a name that %s, and keeps the others', async (_, name, value) => {
    const report = await reportOf(EXPECTED, file('pets.zip', zipSync({ [name]: png(8, 8), ...entries })));
    expect(report.kept).toBe(3);
    expect(report.refused.first).toEqual([
      {
        file: `pets.zip/${name.replaceAll('\\', '/')}`,
        row: null,
        column: null,
        value,
        expected: 'a name within the archive',
      },
    ]);
  });

  it('refuses archives in it, by name and by content', async () => {
    const inner = zipSync(entries);
    const zip = zipSync({ ...entries, 'cat/more.zip': inner, 'cat/picture.png': inner });
    const report = await reportOf(EXPECTED, file('pets.zip', zip));
    expect(report.kept).toBe(3);
    expect(report.refused.first.map(({ file, value }) => [file, value])).toEqual([
      ['pets.zip/cat/more.zip', 'an archive in the archive'],
      ['pets.zip/cat/picture.png', 'an archive in the archive'],
    ]);
  });

  it('that unpacks to far more than it is long is read no further, and what came before is kept', async () => {
    const bomb = zipSync({ ...entries, 'dog/bomb.png': new Uint8Array(64 * 1024 * 1024), 'cat/9.png': png(8, 8) });
    expect(bomb.length).toBeLessThan(100_000);
    const report = await reportOf(EXPECTED, cat('dog/0.png'), file('bomb.zip', bomb), cat('dog/2.png'));
    expect(report.kept).toBe(5);
    expect(report.refused.first).toEqual([
      expect.objectContaining({ file: 'bomb.zip', expected: expect.stringContaining('at most 100 times') }),
    ]);
  });

  it.each([
    ['cut short', (zip: Uint8Array) => zip.subarray(0, 150), 'a whole zip archive'],
    ['something else', () => strToU8('not an archive at all'), 'a whole zip archive'],
    ['empty', () => new Uint8Array(), 'a whole zip archive'],
  ])('that is %s is refused', async (_, damage, wanted) => {
    const report = await reportOf(EXPECTED, cat('cat/1.png'), file('pets.zip', damage(zipSync(entries))));
    expect(report.refused.first).toEqual([expect.objectContaining({ file: 'pets.zip', expected: wanted })]);
    expect(report.kept).toBeGreaterThanOrEqual(1);
  });

  it('that is cut short gives what is whole, and names that begin with "./" are no hidden files', async () => {
    const zip = zipSync({ './cat/1.png': png(8, 8), './dog/1.png': png(8, 8), './dog/2.png': png(8, 8) });
    const third = Buffer.from(zip).indexOf('./dog/2.png') + 20;
    const report = await reportOf(EXPECTED, file('pets.zip', zip.subarray(0, third)));
    expect(report.byClass.map(({ count }) => count)).toEqual([1, 1]);
    expect(report.refused).toMatchObject({ count: 1, first: [{ file: 'pets.zip', expected: 'a whole zip archive' }] });
  });

  it('with a damaged entry gives the others', async () => {
    const zip = zipSync({ 'cat/1.png': png(8, 8), 'cat/2.png': png(8, 8, WHITE), 'dog/1.png': png(8, 8) });
    // The compressed bytes of the second begin after its name: a block of the type that there is not.
    const at = Buffer.from(zip).indexOf('cat/2.png') + 'cat/2.png'.length;
    zip[at] = 0xff;
    const report = await reportOf(EXPECTED, file('pets.zip', zip));
    expect(report.kept).toBe(2);
    expect(report.refused.first).toMatchObject([
      { file: 'pets.zip/cat/2.png', expected: 'an entry that can be unpacked' },
    ]);
  });

  it.each<[string, Partial<ZipLimits>, RegExp]>([
    ['entries', { entries: 3 }, /more than 3 entries, expected at most 3/],
    ['bytes in all', { totalBytes: 100 }, /more than 100 bytes unpacked, expected at most 100/],
  ])('has a limit of %s', async (_, limits, message) => {
    const all = unzip(
      file('pets.zip', zipSync(entries)),
      () => true,
      () => undefined,
      {},
      { ...ZIP_LIMITS, ...limits },
    );
    await expect(allOf(all)).rejects.toMatchObject({
      code: 'data/zip-bomb',
      message: expect.stringMatching(message),
    });
  });

  it('has a limit for each entry, and goes on behind one too large', async () => {
    const refused: string[] = [];
    const zip = zipSync({ 'a.png': new Uint8Array(1000), 'b.png': png(8, 8) });
    const limits = { ...ZIP_LIMITS, entryBytes: 100 };
    const all = unzip(
      file('pets.zip', zip),
      () => true,
      (name, value) => refused.push(`${name}: ${value}`),
      {},
      limits,
    );
    expect((await allOf(all)).map(({ name }) => name)).toEqual(['b.png']);
    expect(refused).toEqual(['a.png: more than 100 bytes unpacked']);
  });

  it('gives names in UTF-8 though they are not flagged so', async () => {
    const zip = zipSync({ 'Käse/1.png': png(8, 8) });
    const view = new DataView(zip.buffer, zip.byteOffset);
    for (const [signature, at] of [
      [0x04034b50, 6],
      [0x02014b50, 8],
    ] as const) {
      for (let i = 0; i < zip.length - 4; i++) {
        if (view.getUint32(i, true) === signature) view.setUint16(i + at, view.getUint16(i + at, true) & ~0x800, true);
      }
    }
    const report = await reportOf({ ...EXPECTED, classes: ['Käse'] }, file('a.zip', zip));
    expect(report.byClass).toEqual([{ name: 'Käse', count: 1 }]);
  });
});
