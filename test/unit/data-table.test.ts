/** Tables of a person's own: what is trained on, and what is refused with which reason. */
import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../src/core/dataReport.ts';
import { hashBucket } from '../../src/data/cells.ts';
import { file, reader, reportOf } from '../support/privateFiles.ts';

const EXPECTED = {
  kind: 'table',
  columns: [
    { name: 'length', type: 'number' },
    { name: 'island', type: 'category', categories: { kind: 'list', names: ['Biscoe', 'Dream'] } },
  ],
  target: { name: 'species', kind: 'class', classes: ['Adelie', 'Gentoo'] },
};
const GOOD = 'length,island,species\n39.1,Biscoe,Adelie\n46,Dream,Gentoo\n';

const refusal = (given: Partial<Refusal>): Refusal => expect.objectContaining(given) as Refusal;

async function trained(expected: unknown, ...content: readonly (string | Uint8Array)[]) {
  const opened = reader(expected);
  await opened.add([file('a.csv', ...content)]);
  const { training } = opened.split(0, 1);
  return { rows: [...training.inputs], labels: [...training.labels], report: opened.report() };
}

/** One column of numbers beside a class. */
const numbers = (more: object = {}) => ({
  kind: 'table',
  columns: [{ name: 'x', type: 'number', ...more }],
  target: { name: 'y', kind: 'class', classes: ['a'] },
});

describe('a table', () => {
  it('becomes features and classes, and a report with counts and a preview', async () => {
    const { rows, labels, report } = await trained(EXPECTED, GOOD);
    expect(rows).toEqual([Math.fround(39.1), 1, 0, 46, 0, 1]);
    expect(labels).toEqual([0, 1]);
    expect(report).toMatchObject({ files: 1, rows: 2, kept: 2, refused: { count: 0 } });
    expect(report.byClass).toEqual([
      { name: 'Adelie', count: 1 },
      { name: 'Gentoo', count: 1 },
    ]);
    expect(report.preview[1]).toMatchObject({ file: 'a.csv', row: 3, source: ['46', 'Dream'], target: 'Gentoo' });
    expect([...report.preview[1]!.inputs]).toEqual([46, 0, 1]);
  });

  it.each([
    ['semicolons', GOOD.replaceAll(',', ';')],
    ['tabs', GOOD.replaceAll(',', '\t')],
    ['bars', GOOD.replaceAll(',', '|')],
    ['quotes', GOOD.replaceAll(/[^,\n]+/g, '"$&"')],
    ['single quotes', GOOD.replaceAll(/[^,\n]+/g, "'$&'")],
    ['a byte order mark', `\uFEFF${GOOD}`],
    ['"\\r\\n"', GOOD.replaceAll('\n', '\r\n')],
    ['"\\r"', GOOD.replaceAll('\n', '\r')],
    ['no last line end', GOOD.trimEnd()],
    ['empty lines', GOOD.replaceAll('\n', '\n\n')],
    ['the delimiter told in the first line', `sep=;\n${GOOD.replaceAll(',', ';')}`],
    ['spaces around', GOOD.replaceAll(',', ' , ')],
  ])('is read with %s', async (_, content) => {
    const { rows, labels, report } = await trained(EXPECTED, content);
    expect(report.refused.first).toEqual([]);
    expect(rows).toEqual([Math.fround(39.1), 1, 0, 46, 0, 1]);
    expect(labels).toEqual([0, 1]);
  });

  it('reads decimal commas between semicolons, although commas would cut it evenly too', async () => {
    const { rows } = await trained(EXPECTED, 'length;island;species\n39,1;Biscoe;Adelie\n46,2;Dream;Gentoo\n');
    expect(rows).toEqual([Math.fround(39.1), 1, 0, Math.fround(46.2), 0, 1]);
  });

  it.each([
    ['decimal commas with points for thousands', ['1,5', '1.234,25', '1.000'], [1.5, 1234.25, 1000]],
    ['decimal points with commas for thousands', ['1.5', '1,234.25', '1,000'], [1.5, 1234.25, 1000]],
    ['spaces and apostrophes for thousands', ["1'234.5", '1 000.5', '2.5'], [1234.5, 1000.5, 2.5]],
    ['powers of ten', ['1e3', '-2.5E-1', '+.5'], [1000, -0.25, 0.5]],
    ['points alone', ['48.137', '11.575'], [48.137, 11.575]],
  ])('tells %s by the other numbers of the column', async (_, cells, values) => {
    const { rows, report } = await trained(numbers(), `x|y\n${cells.map((cell) => `${cell}|a\n`).join('')}`);
    expect(report.refused.first).toEqual([]);
    expect(rows).toEqual(values.map((value) => Math.fround(value)));
  });

  it('refuses a number with a comma where nothing tells what it means', async () => {
    const report = await reportOf(numbers(), file('a.csv', 'x,y\n"1,234",a\n5,a\n'));
    expect(report.refused.first).toEqual([
      { file: 'a.csv', row: 2, column: 'x', value: '"1,234"', expected: expect.stringContaining('without a comma') },
    ]);
    expect(report.kept).toBe(1);
  });

  it('of thousands of columns is read in its dialect', async () => {
    const names = Array.from({ length: 8000 }, (_, i) => `a long name of column ${i}`);
    const columns = names.map((name) => ({ name, type: 'number' }));
    const row = names.map((_, i) => `${i},5`).join(';');
    const opened = reader({ ...numbers(), columns });
    await opened.add([file('a.csv', `${names.join(';')};y\n`, `${row};a\n`.repeat(3))]);
    expect(opened.report()).toMatchObject({ kept: 3, refused: { count: 0 }, warnings: [] });
    expect(opened.split(0, 1).training.inputs.at(-1)).toBe(7999.5);
  });

  it.each(['utf-16le', 'utf-16be'])('is read in %s, with a mark and without', async (encoding) => {
    for (const mark of ['\uFEFF', '']) {
      const text = `${mark}${GOOD.replace('Biscoe', 'Bîscøé')}`;
      const bytes = new Uint8Array(2 * text.length);
      for (let i = 0; i < text.length; i++) {
        new DataView(bytes.buffer).setUint16(2 * i, text.charCodeAt(i), encoding === 'utf-16le');
      }
      const [length, island] = EXPECTED.columns;
      const names = { ...island, categories: { kind: 'list', names: ['Bîscøé', 'Dream'] } };
      const { rows } = await trained({ ...EXPECTED, columns: [length, names] }, bytes);
      expect(rows).toEqual([Math.fround(39.1), 1, 0, 46, 0, 1]);
    }
  });

  it('is read in Windows-1252 when the bytes are no UTF-8', async () => {
    const target = { name: 'species', kind: 'class', classes: ['Adélie', 'Gentöo'] };
    const bytes = Uint8Array.from(GOOD.replace('Adelie', 'Ad\u00E9lie').replace('Gentoo', 'Gent\u00F6o'), (letter) =>
      letter.charCodeAt(0),
    );
    const { labels } = await trained({ ...EXPECTED, target }, bytes);
    expect(labels).toEqual([0, 1]);
  });

  it('keeps letters whole that lie across two chunks, and finds Windows-1252 in a late one', async () => {
    const target = { name: 'y', kind: 'class', classes: ['é', 'ee'] };
    const expected = { ...numbers(), target };
    // Rows of 5 bytes: the chunk of 1 MiB ends amid one "é" or other.
    const utf8 = await trained(expected, 'x,y\n', '1,é\n'.repeat(400_000));
    expect(utf8.report).toMatchObject({
      kept: 400_000,
      refused: { count: 0 },
      warnings: [expect.stringMatching(/ee/)],
    });
    const late = [new TextEncoder().encode(`x,y\n${'1,ee\n'.repeat(400_000)}`), Uint8Array.of(0x31, 0x2c, 0xe9, 0x0a)];
    const windows = await trained(expected, ...late);
    expect(windows.report.byClass).toEqual([
      { name: 'é', count: 1 },
      { name: 'ee', count: 400_000 },
    ]);
  });
});

describe('columns', () => {
  it('are normalised, and a missing number becomes the mean of the plan or of the data', async () => {
    const scaled = numbers({ missing: 'mean', normalise: { mean: 2, deviation: 4 } });
    expect((await trained(scaled, 'x,y\n10,a\n,a\n')).rows).toEqual([2, 0]);
    const own = await trained(numbers({ missing: 'mean' }), 'x,y\n,a\n1,a\nNA,a\n4,a\n');
    expect(own.rows).toEqual([2.5, 1, 2.5, 4]);
    expect([...own.report.preview[0]!.inputs]).toEqual([2.5]);
    expect((await trained(numbers({ missing: 'zero' }), 'x,y\nnull,a\n3,a\n')).rows).toEqual([0, 3]);
    expect((await trained(numbers({ missing: 'own category' }), 'x,y\n?,a\n3,a\n')).rows).toEqual([0, 1, 3, 0]);
  });

  it('of hashed categories set the bucket that the hash tells', async () => {
    const column = { name: 'x', type: 'category', categories: { kind: 'hashed', buckets: 5 }, missing: 'own category' };
    const { rows } = await trained({ ...numbers(), columns: [column] }, 'x,y\nAthens,a\n,a\n');
    const bucket = hashBucket('Athens', 5);
    expect(rows).toEqual([...[0, 1, 2, 3, 4, 5].map((i) => Number(i === bucket)), 0, 0, 0, 0, 0, 1]);
    // Worked out once with another implementation: the same on every machine and in every version.
    expect(hashBucket('Athens', 1000)).toBe(956);
  });

  it.each([
    ['year first', '2024-03-31', 19_813],
    ['year first', '2024-03-31 12:00', 19_813.5],
    ['year first', '2024-03-31T12:00:00.000+06:00', 19_813.25],
    ['day first', '31.3.2024', 19_813],
    ['month first', '3/31/2024', 19_813],
    ['day first', '2024-03-31', 19_813],
  ])('of dates, %s, give days since 1970: %s', async (order, cell, days) => {
    const { rows } = await trained({ ...numbers(), columns: [{ name: 'x', type: 'date', order }] }, `x,y\n${cell},a\n`);
    expect(rows).toEqual([days]);
  });

  it('of dates give a sine and a cosine for each cycle', async () => {
    const column = { name: 'x', type: 'date', cycles: ['week', 'day'], normalise: { mean: 7, deviation: 1 } };
    const { rows } = await trained({ ...numbers(), columns: [column] }, 'x,y\n1970-01-08 06:00,a\n');
    const week = (2 * Math.PI * 0.25) / 7;
    [0.25, Math.sin(week), Math.cos(week), 1, 0].forEach((value, i) => expect(rows[i]).toBeCloseTo(value, 6));
  });

  it.each(['2024-02-30', '31.3.2024', '24-03-31', 'soon', '2024-13-01', '2024-03-31 25:00'])(
    'of dates refuse %s',
    async (cell) => {
      const report = await reportOf(
        { ...numbers(), columns: [{ name: 'x', type: 'date' }] },
        file('a.csv', `x,y\n${cell},a\n`),
      );
      expect(report.refused.first).toMatchObject([{ row: 2, column: 'x', expected: 'a date such as 2024-03-31' }]);
    },
  );

  it('may be a value to learn, scaled', async () => {
    const target = { name: 'y', kind: 'value', normalise: { mean: 1, deviation: 2 } };
    const opened = reader({ ...numbers(), target });
    await opened.add([file('a.csv', 'x,y\n1,5\n2,\n3,many\n')]);
    expect([...opened.split(0, 1).training.labels]).toEqual([2]);
    expect(opened.report().refused.first).toMatchObject([
      { row: 3, column: 'y', value: '""' },
      { row: 4, column: 'y', value: '"many"' },
    ]);
    expect(opened.report().byClass).toEqual([]);
  });

  it('that the plan does not name are left out with a warning, ignored ones without', async () => {
    const expected = numbers();
    const columns = [...expected.columns, { name: 'id', type: 'ignored' }];
    const report = await reportOf({ ...expected, columns }, file('a.csv', 'id,x,y,note,z\n7,1,a,,\n8,1,a,,\n'));
    expect(report.warnings).toEqual(['a.csv: the plan names no column "note", "z"; left out.']);
    expect(report.kept).toBe(2);
  });
});

describe('what cannot be used', () => {
  const bad: readonly (readonly [string, string | Uint8Array, Partial<Refusal>])[] = [
    ['an empty file', '', { row: null, value: 'an empty file', expected: 'a file with text' }],
    ['a file with empty lines alone', '\n\n', { row: 1, expected: 'a row of names' }],
    ['a header alone', 'length,island,species\n', { row: 2, expected: 'at least one row' }],
    ['an image', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0), { value: 'a PNG image' }],
    ['a spreadsheet', 'PK\x03\x04', { value: expect.stringContaining('.xlsx') as string }],
    ['random bytes', Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 7) % 256), { expected: 'text' }],
    ['a column missing', 'length,species\n1,Adelie\n', { row: 1, column: 'island', expected: 'a column of this name' }],
    [
      'a column twice',
      'length,island,species,length\n1,Dream,Adelie,1\n',
      { row: 1, column: 'length', value: '2 columns of this name' },
    ],
    ['a short row', `${GOOD}1,Dream\n`, { row: 4, column: null, value: '2 cells', expected: '3, as the header has' }],
    ['a long row', `${GOOD}1,Dream,Adelie,\n`, { row: 4, value: '4 cells' }],
    [
      'text for a number',
      `${GOOD}long,Dream,Adelie\n`,
      { row: 4, column: 'length', value: '"long"', expected: 'a number' },
    ],
    ['a number in another base', `${GOOD}0x10,Dream,Adelie\n`, { row: 4, column: 'length', value: '"0x10"' }],
    ['a number beyond float32', `${GOOD}1e39,Dream,Adelie\n`, { row: 4, column: 'length', value: '"1e39"' }],
    ['no number', `${GOOD},Dream,Adelie\n`, { row: 4, column: 'length', value: '""' }],
    [
      'an unknown category',
      `${GOOD}1,Torgersen,Adelie\n`,
      { row: 4, column: 'island', value: '"Torgersen"', expected: 'one of Biscoe, Dream' },
    ],
    [
      'an unknown class',
      `${GOOD}1,Dream,Emperor\n`,
      { row: 4, column: 'species', value: '"Emperor"', expected: 'one of Adelie, Gentoo' },
    ],
    ['a quote that is never closed', `${GOOD}1,"Dream,Adelie\n`, { row: 4, value: 'a quote that is never closed' }],
    ['a quote amid a cell', `${GOOD}1,"Dr"eam",Adelie\n`, { row: 4, value: 'a quote amid a quoted cell' }],
    ['a zero byte', `${GOOD}1,Dream,Adelie\n${'2,Dream,Adelie\n'.repeat(1000)}\0`, { expected: 'text' }],
  ];
  it.each(bad)(
    'such as %s is refused with its place and reason, and what came before stays',
    async (_, content, what) => {
      const opened = reader(EXPECTED);
      await opened.add([file('before.csv', GOOD)]);
      await opened.add([file('bad.csv', content), file('after.csv', GOOD)]);
      const { refused, kept } = opened.report();
      expect(refused.count).toBe(1);
      expect(refused.first).toEqual([refusal({ file: 'bad.csv', ...what })]);
      expect(kept).toBeGreaterThanOrEqual(4);
      expect([...opened.split(0, 1).training.inputs].slice(0, 6)).toEqual([Math.fround(39.1), 1, 0, 46, 0, 1]);
    },
  );

  it('is counted all, and told the first hundred times', async () => {
    const report = await reportOf(EXPECTED, file('a.csv', GOOD, 'x,Dream,Adelie\n'.repeat(250)));
    expect(report).toMatchObject({ rows: 252, kept: 2, refused: { count: 250 } });
    expect(report.refused.first).toHaveLength(100);
    expect(report.refused.first.at(-1)).toMatchObject({ row: 103 });
  });

  it('is told with its row, however far down', async () => {
    const rows = '1,"Dream",Adelie\n'.repeat(200_000);
    const report = await reportOf(EXPECTED, file('a.csv', 'length,island,species\n', rows, 'far,Dream,Adelie\n'));
    expect(report.kept).toBe(200_000);
    expect(report.refused.first).toEqual([refusal({ row: 200_002, column: 'length', value: '"far"' })]);
  });

  it('does not fill the memory where a quote opens and never closes', async () => {
    const content = `${GOOD}1,"Dream,Adelie\n${'2,Dream,Adelie\n'.repeat(300_000)}`;
    const report = await reportOf(EXPECTED, file('a.csv', content));
    expect(report.kept).toBe(2);
    expect(report.refused.first).toEqual([refusal({ row: 4, expected: 'every quote to be closed' })]);
  });

  it('such as a file that has gone since it was chosen is refused, and the others kept', async () => {
    const gone = new Blob(['gone']);
    gone.slice = () => Object.assign(new Blob(), { arrayBuffer: () => Promise.reject(new Error('not found')) });
    const report = await reportOf(EXPECTED, file('a.csv', GOOD), { path: 'gone.csv', blob: gone }, file('b.csv', GOOD));
    expect(report.kept).toBe(4);
    expect(report.refused.first).toEqual([
      refusal({ file: 'gone.csv', value: 'gone.csv could not be read: not found' }),
    ]);
  });

  it('such as a number that float32 cannot hold once normalised is refused', async () => {
    const expected = numbers({ normalise: { mean: 0, deviation: 1e-30 } });
    const report = await reportOf(expected, file('a.csv', 'x,y\n1e20,a\n1,a\n'));
    expect(report.kept).toBe(1);
    expect(report.refused.first).toEqual([refusal({ row: 2, expected: expect.stringContaining('float32') as string })]);
  });

  it('leaves nothing to train on: the error says why', async () => {
    const opened = reader(EXPECTED);
    await opened.add([file('a.csv', 'length,island,species\nx,Dream,Adelie\n')]);
    expect(() => opened.split(0.1, 1)).toThrow(
      expect.objectContaining({
        code: 'data/nothing',
        message: expect.stringContaining('a.csv, row 2: "x", expected a'),
      }),
    );
  });
});

describe('reading', () => {
  it('tells of its progress, and stops when it is told to, with what it has', async () => {
    const stop = new AbortController();
    const opened = reader(EXPECTED);
    const big = file('big.csv', GOOD, '1,Dream,Adelie\n'.repeat(300_000));
    const seen: number[] = [];
    const reading = opened.add([file('a.csv', GOOD), big], {
      signal: stop.signal,
      onProgress: ({ file, bytesRead, bytesTotal }) => {
        expect(bytesTotal).toBe(big.blob.size + GOOD.length);
        seen.push(bytesRead);
        if (file === 'big.csv' && bytesRead > 3_000_000) stop.abort();
      },
    });
    await expect(reading).rejects.toMatchObject({ code: 'data/aborted' });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    const { kept, refused } = opened.report();
    expect(refused.count).toBe(0);
    expect(kept).toBeGreaterThan(100_000);
    expect(kept).toBeLessThan(300_000);
    await opened.add([file('b.csv', GOOD)]);
    expect(opened.report().kept).toBe(kept + 2);
  });
});
