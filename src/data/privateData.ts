/**
 * A person's own files, read as the plan expects them: the same steps for images, tables and text. Files are added in any
 * number of turns; what cannot be used is refused with its place and reason, and what was read before stays.
 */
import type { DataReport, ReadProgress } from '../core/dataReport.ts';
import type { ExpectedData } from '../core/dataSchema.ts';
import type { TrainingData } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import { Findings } from './findings.ts';
import type { ImageDecoder } from './imageDecoder.ts';
import { ImageReader } from './imageReader.ts';
import type { KindReader } from './kindReader.ts';
import { isHidden } from './sourceFile.ts';
import type { Reading, SourceFile } from './sourceFile.ts';
import { TableReader } from './tableReader.ts';
import { TextReader } from './textReader.ts';

export interface ReadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReadProgress) => void;
}

const PREVIEW = 20;

export class PrivateDataReader {
  readonly #findings = new Findings();
  readonly #reader: KindReader;

  /** `leavesMissing`: see `TableReader`. */
  constructor(expected: ExpectedData, decoder: ImageDecoder, leavesMissing = false) {
    this.#reader = kindReader(expected, this.#findings, decoder, leavesMissing);
  }

  /** @throws HushError `data/aborted` alone; whatever else is wrong is in the report. */
  async add(given: readonly SourceFile[], { signal, onProgress }: ReadOptions = {}): Promise<void> {
    const files = this.#reader.begin(given.filter(({ path }) => !isHidden(path)));
    const bytesTotal = files.reduce((sum, { blob }) => sum + blob.size, 0);
    let bytesBefore = 0;
    for (const file of files) {
      let bytesRead = bytesBefore;
      const tell = (): void => {
        // What is read twice, such as the list of an archive, counts once.
        const read = Math.min(bytesRead, bytesBefore + file.blob.size);
        const refused = this.#findings.refused.count;
        onProgress?.({ file: file.path, bytesRead: read, bytesTotal, kept: this.#reader.kept, refused });
      };
      this.#findings.files++;
      await this.#read(file, {
        signal,
        onBytes: (bytes) => {
          bytesRead += bytes;
          tell();
        },
      });
      bytesBefore += file.blob.size;
      bytesRead = bytesBefore;
      tell();
    }
  }

  report(): DataReport {
    const { files, rows, refused, warnings } = this.#findings;
    const byClass = this.#reader.classCounts();
    const few = byClass.flatMap(({ name, count }) => {
      if (count > 1) return [];
      return [count === 0 ? `No example is of the class "${name}".` : `Only one example is of the class "${name}".`];
    });
    return {
      files,
      rows,
      kept: this.#reader.kept,
      refused,
      byClass,
      warnings: [...warnings, ...this.#reader.warnings(), ...(this.#reader.kept > 0 ? few : [])],
      preview: this.#reader.preview(PREVIEW),
    };
  }

  /**
   * Copies of what was read: `validationFraction` of it for validation, by the seed, nothing for the test. The same for
   * the same files in the same order. @throws HushError `data/nothing` when no example was kept, saying why.
   */
  split(validationFraction: number, seed: number): TrainingData {
    if (this.#reader.kept === 0) throw nothingKept(this.#findings);
    return this.#reader.split(validationFraction, seed);
  }

  async #read(file: SourceFile, reading: Reading): Promise<void> {
    try {
      await this.#reader.read(file, reading);
    } catch (thrown) {
      this.#findings.refuseThrown(thrown, file.path);
    }
  }
}

function kindReader(
  expected: ExpectedData,
  findings: Findings,
  decoder: ImageDecoder,
  leavesMissing: boolean,
): KindReader {
  switch (expected.kind) {
    case 'images':
      return new ImageReader(expected, findings, decoder);
    case 'table':
      return new TableReader(expected, findings, leavesMissing);
    case 'text':
      return new TextReader(expected, findings);
    default:
      return expected satisfies never;
  }
}

function nothingKept({ refused, files }: Findings): HushError {
  const [first] = refused.first;
  const why = first
    ? `${first.file}${first.row === null ? '' : `, row ${first.row}`}: ${first.value}, expected ${first.expected}`
    : `${files} files were given`;
  return new HushError('data/nothing', `Nothing that was read can be trained on. ${why}.`, {
    advice: 'Look at what was refused, and choose other files.',
  });
}
