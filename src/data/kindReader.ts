/** What reading images, tables and text have in common. */
import type { DataReport, PreviewExample } from '../core/dataReport.ts';
import type { TrainingData } from '../core/dataset.ts';
import type { Reading, SourceFile } from './sourceFile.ts';

/** Reads one kind of data; what it throws of a file is a refusal of what is left of that file. */
export interface KindReader {
  readonly kept: number;
  /** The files of one turn that are to be read, in order; the others are passed over. */
  begin(files: readonly SourceFile[]): readonly SourceFile[];
  read(file: SourceFile, reading: Reading): Promise<void>;
  /** What is worth saying of all that was read so far. */
  warnings(): readonly string[];
  classCounts(): DataReport['byClass'];
  preview(count: number): readonly PreviewExample[];
  split(fraction: number, seed: number): TrainingData;
}
