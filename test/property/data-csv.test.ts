/** Random tables, written in random dialects, are read back as they were. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openDelimited } from '../../src/data/delimited.ts';
import { encodingOf } from '../../src/data/textEncoding.ts';
import { file, reader } from '../support/privateFiles.ts';

interface Dialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly lineEnd: string;
  readonly quoteAll: boolean;
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be';
  readonly mark: boolean;
  readonly lastLineEnd: boolean;
}

const dialects: fc.Arbitrary<Dialect> = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  quote: fc.constantFrom('"', "'"),
  lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
  quoteAll: fc.boolean(),
  encoding: fc.constantFrom('utf-8', 'utf-16le', 'utf-16be'),
  mark: fc.boolean(),
  lastLineEnd: fc.boolean(),
});

/** RFC 4180 with another delimiter and quote. */
function write(
  rows: readonly (readonly string[])[],
  { delimiter, quote, lineEnd, quoteAll, lastLineEnd }: Dialect,
): string {
  const cell = (text: string): string => {
    const needed =
      quoteAll || [delimiter, '"', "'", '\n', '\r'].some((sign) => text.includes(sign)) || text.trim() !== text;
    return needed ? quote + text.replaceAll(quote, quote + quote) + quote : text;
  };
  return rows.map((row) => row.map(cell).join(delimiter)).join(lineEnd) + (lastLineEnd ? lineEnd : '');
}

function encode(text: string, { encoding, mark }: Dialect): Uint8Array {
  const whole = mark ? `\uFEFF${text}` : text;
  if (encoding === 'utf-8') return new TextEncoder().encode(whole);
  const bytes = new Uint8Array(2 * whole.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < whole.length; i++) view.setUint16(2 * i, whole.charCodeAt(i), encoding === 'utf-16le');
  return bytes;
}

/** Letters of all kinds with every sign that a dialect is made of; a line end in a cell is one "\n" in the end. */
const cells = fc.string({
  unit: fc.constantFrom('a', 'B', '7', ' ', ',', ';', '\t', '|', '"', "'", '\n', '.', 'é', 'ß', '漢', '😀'),
  maxLength: 12,
});

test('cells come back whatever is in them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc
        .integer({ min: 2, max: 5 })
        .chain((width) =>
          fc.tuple(
            fc.array(fc.array(cells, { minLength: width, maxLength: width }), { maxLength: 20 }),
            fc.constant(Array.from({ length: width }, (_, i) => `name ${i}`)),
          ),
        ),
      dialects,
      async ([rows, names], dialect) => {
        const quoted = { ...dialect, quoteAll: dialect.quoteAll || dialect.quote === "'" };
        const bytes = encode(write([names, ...rows], quoted), dialect);
        // Without a mark UTF-16 is told by its zeros: there are few in a short table of other letters than Latin.
        fc.pre(dialect.encoding === 'utf-8' || encodingOf(bytes) === dialect.encoding);
        const table = await openDelimited(file('a.csv', bytes), names, {}, () => undefined);
        expect(table.header).toEqual(names);
        const read: (readonly unknown[])[] = [];
        for await (const batch of table.batches) {
          expect(batch.broken.size).toBe(0);
          read.push(...batch.rows);
        }
        if (dialect.lastLineEnd) expect(read.pop()).toEqual(['']);
        expect(read).toEqual(rows);
      },
    ),
    { numRuns: 400 },
  );
});

const numbers = fc.float({ noNaN: true, noDefaultInfinity: true });

test('numbers come back, with the decimal mark that they are written with', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(numbers, numbers), { minLength: 1, maxLength: 30 }),
      dialects,
      fc.boolean(),
      async (rows, dialect, comma) => {
        const text = (value: number): string => (comma ? String(value).replace('.', ',') : String(value));
        // One number that tells: 1.234 alone could be a thousand and more.
        const told = [[0.5, 0.25], ...rows].map(([a = 0, b = 0]) => [text(a), text(b), 'c']);
        const opened = reader({
          kind: 'table',
          columns: [
            { name: 'first', type: 'number' },
            { name: 'second', type: 'number' },
          ],
          target: { name: 'third', kind: 'class', classes: ['c'] },
        });
        const bytes = encode(write([['first', 'second', 'third'], ...told], { ...dialect, quote: '"' }), dialect);
        await opened.add([file('a.csv', bytes)]);
        expect(opened.report().refused.first).toEqual([]);
        // A zero is written without its sign.
        expect([...opened.split(0, 1).training.inputs]).toEqual(
          [0.5, 0.25, ...rows.flat()].map((value) => (value === 0 ? 0 : value)),
        );
      },
    ),
    { numRuns: 300 },
  );
});
