/** Text: tokens one after the other, cut into windows whose targets are the tokens one further on. */
import { BYTE_TOKENS, BytePairs } from '../core/bytePairs.ts';
import { utf8 } from '../core/bytes.ts';
import type { DataReport, PreviewExample } from '../core/dataReport.ts';
import type { ExpectedText } from '../core/dataSchema.ts';
import { vocabularySize } from '../core/dataShape.ts';
import type { Examples, TrainingData } from '../core/dataset.ts';
import { shown } from './cells.ts';
import { isBlank } from './delimited.ts';
import type { Findings } from './findings.ts';
import { GrowingValues } from './growing.ts';
import type { Values } from './growing.ts';
import type { KindReader } from './kindReader.ts';
import type { Reading, SourceFile } from './sourceFile.ts';
import { runSplit } from './split.ts';
import { openTable } from './tableFile.ts';
import { textOf } from './textEncoding.ts';

/** Stands between two documents; no text has the byte. */
export const DOCUMENT_END = 0;

/** A run of letters longer than this, without a space, is cut anywhere. */
const MAX_PIECE = 64 * 1024;

interface DocumentStart {
  readonly token: number;
  readonly file: string;
  readonly row: number | null;
}

export class TextReader implements KindReader {
  readonly #expected: ExpectedText;
  readonly #findings: Findings;
  readonly #tokens: GrowingValues<Values>;
  readonly #pairs: BytePairs;
  readonly #isBytes: boolean;
  readonly #documents: DocumentStart[] = [];

  constructor(expected: ExpectedText, findings: Findings) {
    this.#expected = expected;
    this.#findings = findings;
    this.#isBytes = expected.tokens.kind === 'bytes';
    this.#pairs = BytePairs.of(expected.tokens.kind === 'bpe' ? expected.tokens.merges : []);
    const small = vocabularySize(expected.tokens) <= BYTE_TOKENS;
    this.#tokens = new GrowingValues<Values>((length) => (small ? new Uint8Array(length) : new Int32Array(length)));
  }

  /** Windows of `length` tokens with one more after them. */
  get kept(): number {
    const { length, stride } = this.#expected;
    return Math.max(0, Math.floor((this.#tokens.length - length - 1) / stride) + 1);
  }

  begin(files: readonly SourceFile[]): readonly SourceFile[] {
    return files;
  }

  warnings(): readonly string[] {
    const { length } = this.#expected;
    const count = this.#tokens.length;
    if (count === 0 || count > length) return [];
    return [`All text has ${count} tokens, expected at least ${length + 1} for one example.`];
  }

  async read(file: SourceFile, reading: Reading): Promise<void> {
    if (this.#expected.column !== undefined) {
      await this.#readColumn(file, this.#expected.column, reading);
      return;
    }
    this.#findings.rows++;
    const write = this.#document(file.path, null);
    let rest = '';
    try {
      for await (const piece of textOf(file, reading, (text) => this.#findings.warn(text))) {
        const text = rest + piece;
        const at = cutBefore(text);
        write(text.slice(0, at));
        rest = text.slice(at);
      }
    } finally {
      write(rest);
    }
  }

  classCounts(): DataReport['byClass'] {
    return [];
  }

  preview(count: number): readonly PreviewExample[] {
    const { length, stride } = this.#expected;
    return Array.from({ length: Math.min(count, this.kept) }, (_, i) => {
      const inputs = this.#tokens.slice(i * stride, length);
      const document = this.#documents.findLast(({ token }) => token <= i * stride);
      return {
        file: document?.file ?? '',
        row: document?.row ?? null,
        source: [this.#pairs.decode(inputs)],
        inputs,
        target: '',
      };
    });
  }

  split(fraction: number, seed: number): TrainingData {
    const { length, stride } = this.#expected;
    // The window's own tokens and the one after them.
    const overlap = Math.ceil((length + 1) / stride) - 1;
    const { training, validation } = runSplit(this.kept, overlap, fraction, seed);
    return { training: this.#pick(training), validation: this.#pick(validation), test: this.#pick(new Uint32Array()) };
  }

  async #readColumn(file: SourceFile, column: string, reading: Reading): Promise<void> {
    const table = await openTable(file, [column], reading, (text) => this.#findings.warn(text));
    const at = table.header.indexOf(column);
    for await (const { firstRow, rows, broken } of table.batches) {
      rows.forEach((cells, i) => {
        if (isBlank(cells) && table.header.length > 1) return;
        this.#findings.rows++;
        const row = firstRow + i;
        const refuse = (value: string, expected: string): void =>
          this.#findings.refuse({ file: file.path, row, column, value, expected });
        const quote = broken.get(i);
        const cell = cells[at];
        if (quote !== undefined) refuse(quote, 'each quote in a quoted cell doubled, and the cell closed');
        else if (cells.length !== table.header.length) {
          refuse(`${cells.length} cells`, `${table.header.length}, as the header has`);
        } else if (typeof cell !== 'string' || cell.trim() === '') refuse(shown(cell), 'text');
        else this.#document(file.path, row)(cell);
      });
    }
  }

  /** Begins a document; the result adds text to it, which ends where a word does. */
  #document(file: string, row: number | null): (text: string) => void {
    let begun = false;
    return (text) => {
      if (text === '') return;
      if (!begun) {
        if (this.#tokens.length > 0) this.#tokens.push(DOCUMENT_END);
        this.#documents.push({ token: this.#tokens.length, file, row });
        begun = true;
      }
      this.#tokens.append(this.#isBytes ? utf8(text) : this.#pairs.encode(text));
    };
  }

  #pick(windows: Uint32Array): Examples {
    const { length, stride } = this.#expected;
    const tokens = (shift: number): Values =>
      this.#tokens.gather(
        Float64Array.from(windows, (window) => window * stride + shift),
        length,
      );
    return {
      count: windows.length,
      width: length,
      inputs: tokens(0),
      inputScale: 1,
      labels: tokens(1),
      labelWidth: length,
    };
  }
}

/** Where the text can be cut so that its tokens are the same as uncut: before the last run of space after a letter. */
function cutBefore(text: string): number {
  for (let at = text.length - 1; at > 0; at--) {
    if (/\s/.test(text.charAt(at)) && !/\s/.test(text.charAt(at - 1))) return at;
    if (text.length - at > MAX_PIECE) break;
  }
  if (text.length <= MAX_PIECE) return 0;
  const high = text.charCodeAt(text.length - 1);
  // Not between the two halves of a character beyond U+FFFF.
  return high >= 0xd800 && high < 0xdc00 ? text.length - 1 : text.length;
}
