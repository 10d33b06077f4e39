/** Opens a table, whether it is Parquet or delimited text. */
import { openDelimited } from './delimited.ts';
import { hasSign } from './fileKind.ts';
import { refusedFile } from './findings.ts';
import { openParquet } from './parquet.ts';
import { bytesOf } from './sourceFile.ts';
import type { Reading, SourceFile } from './sourceFile.ts';
import type { OpenTable } from './table.ts';

/** @throws HushError `data/column` when a wanted column is missing or there twice, and what the formats throw. */
export async function openTable(
  file: SourceFile,
  wanted: readonly string[],
  reading: Reading,
  warn: (text: string) => void,
): Promise<OpenTable> {
  const head = await bytesOf({ path: file.path, blob: file.blob.slice(0, 4) }, { signal: reading.signal });
  const isParquet = hasSign(head, 'PAR1') || /\.parquet$/i.test(file.path);
  const table = await (isParquet ? openParquet(file, wanted, reading) : openDelimited(file, wanted, reading, warn));
  const counts = new Map<string, number>();
  for (const name of table.names) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const column of wanted) {
    const count = counts.get(column) ?? 0;
    if (count === 1) continue;
    throw refusedFile('data/column', {
      file: file.path,
      row: 1,
      column,
      value: count === 0 ? `no such column among ${namesShown(table.names)}` : `${count} columns of this name`,
      expected: 'a column of this name',
    });
  }
  return table;
}

function namesShown(names: readonly string[]): string {
  const first = names.slice(0, 5).map((name) => JSON.stringify(name));
  return names.length > 5 ? `${first.join(', ')} and ${names.length - 5} more` : first.join(', ');
}
