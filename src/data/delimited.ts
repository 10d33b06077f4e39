/** The one place through which papaparse enters: CSV and TSV, piece by piece, in the dialect in which they are written. */
import Papa from 'papaparse';
import { refusedFile } from './findings.ts';
import type { Reading, SourceFile } from './sourceFile.ts';
import type { OpenTable, RowBatch } from './table.ts';
import { textOf } from './textEncoding.ts';

const DELIMITERS = [',', ';', '\t', '|'];

/** The dialect is told by so much of the file; a first piece that is shorter is all of it. */
const SAMPLE_CHARACTERS = 256 * 1024;
const SAMPLE_ROWS = 100;

/** A quote that is never closed would otherwise make one cell of the rest of the file. */
const MAX_ROW_CHARACTERS = 1024 * 1024;

interface Dialect {
  readonly delimiter: string;
  readonly quote: string;
}

/**
 * `wanted` are columns that the header should have: the dialect that finds most of them is the one.
 * @throws HushError `data/empty`, `data/not-text`, `data/row-too-long`, `data/aborted`, `data/unreadable`.
 */
export async function openDelimited(
  file: SourceFile,
  wanted: readonly string[],
  reading: Reading,
  warn: (text: string) => void,
): Promise<OpenTable> {
  const pieces = textOf(file, reading, warn);
  const first = await pieces.next();
  const start = first.done ? '' : first.value;
  const told = /^sep=(.)\n/.exec(start)?.[1];
  const dialect = dialectOf(start.slice(0, SAMPLE_CHARACTERS), wanted, told);
  const batches = batchesOf(start, pieces, dialect, file.path);
  // The header is the first row that is not empty; nothing else of its batch may be lost.
  for (;;) {
    const { done, value: batch } = await batches.next();
    if (done) {
      const value = 'a file without rows';
      throw refusedFile('data/empty', { file: file.path, row: 1, column: null, value, expected: 'a row of names' });
    }
    const at = batch.rows.findIndex((row) => !isBlank(row) && !isSeparatorLine(row, told));
    if (at === -1) continue;
    const names = (batch.rows[at] as readonly string[]).map((name) => name.trim());
    const rest: RowBatch = {
      firstRow: batch.firstRow + at + 1,
      rows: batch.rows.slice(at + 1),
      broken: new Map(Array.from(batch.broken, ([i, what]) => [i - at - 1, what])),
    };
    return { names, header: names, delimiter: dialect.delimiter, batches: prepend(rest, batches) };
  }
}

/** An empty line: a row of one empty cell. */
export function isBlank(row: readonly unknown[]): boolean {
  return row.length === 1 && row[0] === '';
}

/** Excel's "sep=;" tells the delimiter in a line before the header. */
function isSeparatorLine(row: readonly unknown[], told: string | undefined): boolean {
  return told !== undefined && row[0] === 'sep=' && row.length === 2;
}

async function* prepend(batch: RowBatch, rest: AsyncGenerator<RowBatch, void>): AsyncGenerator<RowBatch, void> {
  yield batch;
  yield* rest;
}

async function* batchesOf(
  start: string,
  pieces: AsyncGenerator<string, void>,
  dialect: Dialect,
  file: string,
): AsyncGenerator<RowBatch, void> {
  let text = start;
  let row = 1;
  for (;;) {
    // One piece ahead, so that the last row is known to be whole.
    const next = await pieces.next();
    const last = next.done === true;
    const { rows, broken, rest } = parse(text, dialect, last);
    if (rows.length > 0) yield { firstRow: row, rows, broken };
    row += rows.length;
    if (last) return;
    if (rest.length > MAX_ROW_CHARACTERS) {
      const value = `a row of more than ${MAX_ROW_CHARACTERS} characters`;
      throw refusedFile('data/row-too-long', { file, row, column: null, value, expected: 'every quote to be closed' });
    }
    text = rest + next.value;
  }
}

interface ParserResult {
  readonly data: string[][];
  readonly errors: readonly { readonly row: number; readonly code: string }[];
  readonly meta: { readonly cursor: number };
}

function parse(
  text: string,
  { delimiter, quote }: Dialect,
  last: boolean,
  maxRows = 0,
): { readonly rows: string[][]; readonly broken: ReadonlyMap<number, string>; readonly rest: string } {
  const parser = new Papa.Parser({ delimiter, quoteChar: quote, newline: '\n', preview: maxRows });
  const { data, errors, meta } = parser.parse(text, 0, !last) as ParserResult;
  const broken = new Map<number, string>();
  for (const { row, code } of errors) {
    broken.set(row, code === 'MissingQuotes' ? 'a quote that is never closed' : 'a quote amid a quoted cell');
  }
  return { rows: data, broken, rest: text.slice(meta.cursor) };
}

/** Most of the wanted columns first, then the fewest rows that do not fit the header, then the most columns. */
function dialectOf(sample: string, wanted: readonly string[], told: string | undefined): Dialect {
  let best: Dialect = { delimiter: told ?? ',', quote: '"' };
  let bestScore = [-1, 0, 0];
  const names = new Set(wanted);
  const consider = (dialect: Dialect): readonly string[][] => {
    const { rows, broken } = parse(sample, dialect, sample.length < SAMPLE_CHARACTERS, SAMPLE_ROWS);
    const full = rows.filter((row) => !isBlank(row) && !isSeparatorLine(row, told));
    const [header = [], ...others] = full;
    const found = header.filter((name) => names.has(name.trim())).length;
    const ragged = others.filter((row) => row.length !== header.length).length + broken.size;
    const score = [found, -ragged, header.length];
    if (isAbove(score, bestScore)) [best, bestScore] = [dialect, score];
    return full;
  };
  for (const delimiter of told === undefined ? DELIMITERS : [told]) {
    const rows = consider({ delimiter, quote: '"' });
    // Only where there are any: a damaged row must not turn the dialect over.
    if (rows.some((row) => row.some((cell) => cell.startsWith("'")))) consider({ delimiter, quote: "'" });
  }
  return best;
}

function isAbove(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at !== -1 && (a[at] ?? 0) > (b[at] ?? 0);
}
