/** Parquet: the same rows as from text, one row group after the other. */
import { describe, expect, it } from 'vitest';
import { openParquet } from '../../src/data/parquet.ts';
import type { SourceFile } from '../../src/core/sourceFile.ts';
import { parquet } from '../support/parquetWriter.ts';
import type { ParquetColumn } from '../support/parquetWriter.ts';
import { file, reader, reportOf } from '../support/privateFiles.ts';

const COLUMNS: readonly ParquetColumn[] = [
  { name: 'id', type: 'int64' },
  { name: 'length', type: 'double' },
  { name: 'when', type: 'timestamp' },
  { name: 'wild', type: 'boolean' },
  { name: 'species', type: 'text' },
];
const DAY = 86_400_000n;
const GROUPS = [
  [
    [1n, 39.5, 2n * DAY, true, 'Adélie'],
    [2n, null, 3n * DAY, false, 'Gentoo'],
  ],
  [
    [3n, 41.25, null, true, 'Gentoo'],
    [4n, 42, 5n * DAY, false, 'Emperor'],
    [5n, 43, 6n * DAY, null, 'Gentoo'],
  ],
];
const EXPECTED = {
  kind: 'table',
  columns: [
    { name: 'length', type: 'number', missing: 'zero' },
    { name: 'when', type: 'date', missing: 'own category' },
    { name: 'wild', type: 'category', categories: { kind: 'list', names: ['true', 'false'] } },
  ],
  target: { name: 'species', kind: 'class', classes: ['Adélie', 'Gentoo'] },
};

describe('a Parquet table', () => {
  it('becomes features and classes by the types of its columns, over all row groups', async () => {
    const opened = reader(EXPECTED);
    await opened.add([file('a.parquet', parquet(COLUMNS, GROUPS))]);
    const { training } = opened.split(0, 1);
    expect([...training.inputs]).toEqual([39.5, 2, 0, 1, 0, 0, 3, 0, 0, 1, 41.25, 0, 1, 1, 0]);
    expect([...training.labels]).toEqual([0, 1, 1]);
    const { refused, rows, warnings, preview } = opened.report();
    expect(rows).toBe(5);
    expect(refused.first).toMatchObject([
      { row: 5, column: 'species', value: '"Emperor"', expected: 'one of Adélie, Gentoo' },
      { row: 6, column: 'wild', value: 'nothing', expected: 'a name' },
    ]);
    expect(warnings.slice(0, 1)).toEqual(['a.parquet: the plan names no column "id"; left out.']);
    expect(preview[0]).toMatchObject({ row: 2, source: ['39.5', '1970-01-03T00:00:00.000Z', 'true'] });
  });

  it('may have numbers of 64 bits, and is known by its first bytes', async () => {
    const expected = { ...EXPECTED, columns: [{ name: 'id', type: 'number' }] };
    const opened = reader(expected);
    await opened.add([file('a.data', parquet(COLUMNS, GROUPS))]);
    expect([...opened.split(0, 1).training.inputs]).toEqual([1, 2, 3, 5]);
  });

  it('is read column by column: what is not wanted stays unread', async () => {
    const text = 'x'.repeat(600_000);
    const columns: readonly ParquetColumn[] = [
      { name: 'long', type: 'text' },
      { name: 'n', type: 'double' },
    ];
    const bytes = parquet(columns, [[[text, 1]], [[text, 2]], [[text, 3]]]);
    const blob = new Blob([new Uint8Array(bytes)]);
    let read = 0;
    const table = await openParquet({ path: 'a.parquet', blob } satisfies SourceFile, ['n'], {
      onBytes: (count) => {
        read += count;
      },
    });
    const batches: unknown[] = [];
    for await (const { firstRow, rows } of table.batches) batches.push([firstRow, rows]);
    expect(batches).toEqual([
      [2, [[1]]],
      [3, [[2]]],
      [4, [[3]]],
    ]);
    // The last 512 KiB are looked at for the footer.
    expect(read).toBeLessThan(530_000);
  });

  it.each([
    ['cut short', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 20)],
    ['a few letters', () => new TextEncoder().encode('PAR1')],
    ['empty', () => new Uint8Array()],
    ['of zeros in between', (bytes: Uint8Array) => bytes.map((byte, i) => (i > 3 && i < 200 ? 0 : byte))],
  ])('that is %s is refused, and what was read before stays', async (_, damage) => {
    const whole = parquet(COLUMNS, GROUPS);
    const report = await reportOf(EXPECTED, file('a.parquet', whole), file('b.parquet', damage(whole)));
    expect(report.kept).toBe(3);
    expect(report.refused.first.at(-1)).toMatchObject({ file: 'b.parquet', expected: 'a whole Parquet file' });
  });

  it('without a wanted column is refused', async () => {
    const report = await reportOf(EXPECTED, file('a.parquet', parquet(COLUMNS.slice(0, 2), [[[1n, 2]]])));
    expect(report.refused.first).toMatchObject([
      { column: 'when', value: 'no such column among "id", "length"', expected: 'a column of this name' },
    ]);
  });
});
