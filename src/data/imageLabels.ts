/** Which image is of which class: by a table that names files, else by the folders in which an image lies. */
import type { ExpectedImages } from '../core/dataSchema.ts';
import { nameOf, shown } from './cells.ts';
import { isBlank } from './delimited.ts';
import type { Findings } from './findings.ts';
import { oneOf } from './rowEncoder.ts';
import type { Reading, SourceFile } from './sourceFile.ts';
import { openTable } from './tableFile.ts';

interface NamedFile {
  readonly label: number;
  readonly table: string;
  readonly row: number;
  /** The image that it was used for. */
  usedBy: string | undefined;
}

/** What is wrong with an image's label. */
export interface WrongLabel {
  readonly value: string;
  readonly expected: string;
}

export class ImageLabels {
  readonly #expected: ExpectedImages;
  readonly #findings: Findings;
  readonly #classes: ReadonlyMap<string, number>;
  readonly #files = new Map<string, NamedFile>();

  constructor(expected: ExpectedImages, findings: Findings) {
    this.#expected = expected;
    this.#findings = findings;
    this.#classes = new Map(expected.classes.map((name, i) => [name.normalize('NFC'), i]));
  }

  /** Reads a table of labels. @throws HushError as `openTable` does. */
  async read(file: SourceFile, reading: Reading): Promise<void> {
    const { labels } = this.#expected;
    const table = await openTable(file, [labels.file, labels.class], reading, (text) => this.#findings.warn(text));
    const [fileAt, classAt] = [table.header.indexOf(labels.file), table.header.indexOf(labels.class)];
    for await (const { firstRow, rows, broken } of table.batches) {
      rows.forEach((cells, i) => {
        if (isBlank(cells)) return;
        const row = firstRow + i;
        const refuse = (column: string | null, value: string, expected: string): void =>
          this.#findings.refuse({ file: file.path, row, column, value, expected });
        if (broken.has(i) || cells.length !== table.header.length) {
          refuse(null, broken.get(i) ?? `${cells.length} cells`, `${table.header.length} cells, as the header has`);
          return;
        }
        const name = nameOf(cells[fileAt]) ?? '';
        const label = this.#classes.get((nameOf(cells[classAt]) ?? '').normalize('NFC'));
        const key = keyOf(name);
        if (name === '') refuse(labels.file, shown(cells[fileAt]), 'the name of a file');
        else if (label === undefined) refuse(labels.class, shown(cells[classAt]), oneOf(this.#expected.classes));
        else if (this.#files.has(key)) refuse(labels.file, shown(name), 'each file once');
        else this.#files.set(key, { label, table: file.path, row, usedBy: undefined });
      });
    }
  }

  /** The class of the image at `path`: a table may name it with or without the folders above it. */
  labelOf(path: string): number | WrongLabel {
    const parts = keyOf(path).split('/');
    for (let from = 0; from < parts.length; from++) {
      const named = this.#files.get(parts.slice(from).join('/'));
      if (!named) continue;
      if (named.usedBy !== undefined && named.usedBy !== path) {
        const value = `the same name in ${named.table} as ${named.usedBy}`;
        return { value, expected: 'the folder before the name where two files have the same' };
      }
      named.usedBy = path;
      return named.label;
    }
    const folders = parts.slice(0, -1);
    const label = folders.map((folder) => this.#classes.get(folder)).findLast((found) => found !== undefined);
    if (label !== undefined) return label;
    if (this.#files.size > 0) return { value: 'no label', expected: 'a row with its name in the table of labels' };
    const folder = folders.at(-1);
    const value = folder === undefined ? 'no folder' : `folder ${JSON.stringify(folder)}`;
    return { value, expected: `a folder named ${oneOf(this.#expected.classes)}` };
  }

  warnings(): readonly string[] {
    const unused = [...this.#files].filter(([, { usedBy }]) => usedBy === undefined);
    const [first] = unused;
    if (!first) return [];
    const [name, { table, row }] = first;
    const others = unused.length === 1 ? '' : `, and ${unused.length - 1} more rows name files that are not there`;
    return [`${table}: row ${row} names "${name}", which is not among the files${others}.`];
  }
}

function keyOf(path: string): string {
  return path
    .normalize('NFC')
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '');
}
