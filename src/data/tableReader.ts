/** Tables: rows become float32 features and a class or value. */
import type { DataReport, PreviewExample } from '../core/dataReport.ts';
import type { ExpectedTable } from '../core/dataSchema.ts';
import { classesOf, exampleWidth, featureWidth } from '../core/dataShape.ts';
import type { Examples, TrainingData } from '../core/dataset.ts';
import { refusedFile } from './findings.ts';
import type { Findings } from './findings.ts';
import { GrowingRows } from './growing.ts';
import { Labels } from './labels.ts';
import type { KindReader } from './kindReader.ts';
import { RowEncoder } from './rowEncoder.ts';
import type { Reading, SourceFile } from './sourceFile.ts';
import { randomSplit, stratifiedSplit } from './split.ts';
import type { Cell, RowBatch } from './table.ts';
import { isBlank } from './delimited.ts';
import { openTable } from './tableFile.ts';

interface PreviewRow {
  readonly file: string;
  readonly row: number;
  readonly source: readonly string[];
  readonly target: string;
}

/** Source cells of so many rows are kept, for the preview. */
const KEPT_SOURCES = 100;

export class TableReader implements KindReader {
  readonly #expected: ExpectedTable;
  readonly #findings: Findings;
  readonly #features: GrowingRows<Float32Array>;
  readonly #labels: Labels;
  readonly #wanted: readonly string[];
  readonly #sources: PreviewRow[] = [];
  /** Features whose missing numbers get the mean of all others, with sum and count of these. */
  readonly #means: readonly { readonly at: number; sum: number; count: number }[];

  readonly #leavesMissing: boolean;

  /** `leavesMissing`: what is missing is NaN in the examples, for statistics that must not count it. */
  constructor(expected: ExpectedTable, findings: Findings, leavesMissing = false) {
    this.#leavesMissing = leavesMissing;
    this.#expected = expected;
    this.#findings = findings;
    this.#features = new GrowingRows((length) => new Float32Array(length), exampleWidth(expected));
    this.#labels = new Labels(classesOf(expected));
    const used = expected.columns.filter(({ type }) => type !== 'ignored').map(({ name }) => name);
    this.#wanted = [...used, expected.target.name];
    this.#means = meanFeatures(expected).map((at) => ({ at, sum: 0, count: 0 }));
  }

  get kept(): number {
    return this.#features.count;
  }

  begin(files: readonly SourceFile[]): readonly SourceFile[] {
    return files;
  }

  warnings(): readonly string[] {
    return [];
  }

  async read(file: SourceFile, reading: Reading): Promise<void> {
    const table = await openTable(file, this.#wanted, reading, (text) => this.#findings.warn(text));
    this.#warnOfOthers(file, table.names);
    let encoder: RowEncoder | undefined;
    const rowsBefore = this.#findings.rows;
    for await (const batch of table.batches) {
      encoder ??= new RowEncoder(this.#expected, table.header, table.delimiter, batch.rows, this.#leavesMissing);
      this.#readBatch(file.path, batch, table.header, encoder);
    }
    if (this.#findings.rows > rowsBefore) return;
    const value = 'no row below the header';
    throw refusedFile('data/empty', { file: file.path, row: 2, column: null, value, expected: 'at least one row' });
  }

  classCounts(): DataReport['byClass'] {
    return this.#labels.counts();
  }

  preview(count: number): readonly PreviewExample[] {
    return this.#sources.slice(0, count).map((source, i) => ({ ...source, inputs: this.#shown(i) }));
  }

  split(fraction: number, seed: number): TrainingData {
    const labels = this.#labels.all();
    const { training, validation } =
      this.#expected.target.kind === 'class'
        ? stratifiedSplit(labels, fraction, seed)
        : randomSplit(labels.length, fraction, seed);
    const pick = (rows: Uint32Array): Examples => ({
      count: rows.length,
      width: this.#features.width,
      inputs: this.#leavesMissing ? this.#features.gather(rows) : this.#filled(this.#features.gather(rows)),
      inputScale: 1,
      labels: this.#labels.gather(rows),
    });
    return { training: pick(training), validation: pick(validation), test: pick(new Uint32Array()) };
  }

  #readBatch(file: string, { firstRow, rows, broken }: RowBatch, header: readonly string[], encoder: RowEncoder): void {
    rows.forEach((cells, i) => {
      if (isBlank(cells) && header.length > 1) return;
      this.#findings.rows++;
      const row = firstRow + i;
      const quote = broken.get(i);
      if (quote !== undefined) {
        const expected = 'each quote in a quoted cell doubled, and the cell closed';
        this.#findings.refuse({ file, row, column: null, value: quote, expected });
        return;
      }
      if (cells.length !== header.length) {
        const expected = `${header.length}, as the header has`;
        this.#findings.refuse({ file, row, column: null, value: `${cells.length} cells`, expected });
        return;
      }
      const wrong = encoder.encode(cells);
      if (wrong) this.#findings.refuse({ file, row, ...wrong });
      else this.#keep(file, row, cells, encoder);
    });
  }

  #keep(file: string, row: number, cells: readonly Cell[], encoder: RowEncoder): void {
    const { features, target } = encoder;
    this.#features.push(features);
    this.#labels.push(target);
    for (const mean of this.#means) {
      const value = features[mean.at] ?? 0;
      if (Number.isNaN(value)) continue;
      mean.sum += value;
      mean.count++;
    }
    if (this.#sources.length >= KEPT_SOURCES) return;
    this.#sources.push({ file, row, ...encoder.sources(cells) });
  }

  #shown(example: number): Float32Array {
    return this.#filled(this.#features.row(example)).map((value) => (Number.isNaN(value) ? 0 : value));
  }

  #filled(inputs: Float32Array): Float32Array {
    for (const { at, sum, count } of this.#means) {
      const mean = count > 0 ? sum / count : 0;
      for (let i = at; i < inputs.length; i += this.#features.width) if (Number.isNaN(inputs[i])) inputs[i] = mean;
    }
    return inputs;
  }

  #warnOfOthers({ path }: SourceFile, names: readonly string[]): void {
    const known = new Set([...this.#expected.columns.map(({ name }) => name), this.#expected.target.name]);
    const others = names.filter((name) => !known.has(name));
    if (others.length === 0) return;
    const first = others.slice(0, 5).map((name) => `"${name}"`);
    const more = others.length > 5 ? ` and ${others.length - 5} more` : '';
    this.#findings.warn(`${path}: the plan names no column ${first.join(', ')}${more}; left out.`);
  }
}

/** Where a missing number becomes the mean of this data, because the plan tells none. */
function meanFeatures({ columns }: ExpectedTable): number[] {
  let at = 0;
  return columns.flatMap((column) => {
    const place = at;
    at += featureWidth(column);
    const takesMean = (column.type === 'number' || column.type === 'date') && column.missing === 'mean';
    return takesMean && !column.normalise ? [place] : [];
  });
}
