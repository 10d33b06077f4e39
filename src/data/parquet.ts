/** The one place through which hyparquet enters: Parquet, one row group after the other, only the columns wanted. */
import { parquetMetadataAsync, parquetScan, parquetSchema } from 'hyparquet';
import type { AsyncBuffer, DecodedArray, FileMetaData } from 'hyparquet';
import { asHushError, HushError } from '../core/errors.ts';
import { refusedFile } from './findings.ts';
import { bytesOf, stopIfAborted } from './sourceFile.ts';
import type { Reading, SourceFile } from './sourceFile.ts';
import type { Cell, OpenTable, RowBatch } from './table.ts';

/** What the wanted columns of one row group may take, unpacked: it is held as a whole. */
const MAX_GROUP_BYTES = 512 * 1024 * 1024;
const MAX_GROUP_ROWS = 20_000_000;

const BATCH_ROWS = 8192;

const CODECS = new Set(['UNCOMPRESSED', 'SNAPPY']);

/** @throws HushError `data/parquet`, `data/too-large`, `data/aborted`, `data/unreadable`. */
export async function openParquet(file: SourceFile, wanted: readonly string[], reading: Reading): Promise<OpenTable> {
  const buffer: AsyncBuffer = {
    byteLength: file.blob.size,
    slice: async (start, end) =>
      (await bytesOf({ path: file.path, blob: file.blob.slice(start, end) }, reading)).buffer,
  };
  const metadata = await damagedUnless(file, parquetMetadataAsync(buffer));
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  const used = new Set(wanted);
  const header = names.filter((name) => used.has(name));
  checkGroups(file, metadata, header);
  return { names, header, delimiter: undefined, batches: batchesOf(file, buffer, metadata, header, reading) };
}

async function* batchesOf(
  source: SourceFile,
  file: AsyncBuffer,
  metadata: FileMetaData,
  header: readonly string[],
  reading: Reading,
): AsyncGenerator<RowBatch, void> {
  const scan = await damagedUnless(source, parquetScan({ file, metadata, columns: [...header] }));
  for (const { rowStart, rowEnd } of scan.ranges) {
    const columns: DecodedArray[] = [];
    for (const column of header) {
      columns.push(await damagedUnless(source, scan.readColumn({ column, rowStart, rowEnd })));
      stopIfAborted(reading.signal);
    }
    for (let start = 0; start < rowEnd - rowStart; start += BATCH_ROWS) {
      const length = Math.min(BATCH_ROWS, rowEnd - rowStart - start);
      const rows = Array.from({ length }, (_, i) => columns.map((cells) => cells[start + i] as Cell));
      // Rows are counted as if there were a header in row 1.
      yield { firstRow: rowStart + start + 2, rows, broken: new Map() };
    }
  }
}

/** Before anything is unpacked. */
function checkGroups(file: SourceFile, metadata: FileMetaData, header: readonly string[]): void {
  const used = new Set(header);
  for (const [i, { columns, num_rows: rows }] of metadata.row_groups.entries()) {
    const read = columns.flatMap(({ meta_data: column }) =>
      column && used.has(column.path_in_schema[0] ?? '') ? [column] : [],
    );
    const bytes = read.reduce((sum, column) => sum + Number(column.total_uncompressed_size), 0);
    if (bytes > MAX_GROUP_BYTES || Number(rows) > MAX_GROUP_ROWS) {
      throw refusedFile(
        'data/too-large',
        {
          file: file.path,
          row: null,
          column: null,
          value: `row group ${i} with ${rows} rows and ${bytes} bytes`,
          expected: `at most ${MAX_GROUP_ROWS} rows and ${MAX_GROUP_BYTES} bytes of the columns used`,
        },
        'Write the file with smaller row groups.',
      );
    }
    const strange = read.find(({ codec }) => !CODECS.has(codec));
    if (strange) {
      throw refusedFile(
        'data/parquet',
        {
          file: file.path,
          row: null,
          column: strange.path_in_schema.join('.'),
          value: `compression ${strange.codec}`,
          expected: 'none or SNAPPY',
        },
        'Write the file with Snappy, as most programs do unless told otherwise.',
      );
    }
  }
}

async function damagedUnless<T>({ path }: SourceFile, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof HushError) throw cause;
    const value = asHushError(cause, 'data/parquet').message;
    throw refusedFile('data/parquet', { file: path, row: null, column: null, value, expected: 'a whole Parquet file' });
  }
}
