/**
 * What came of reading private data: what was kept, what was refused and why, and how it will be trained. It quotes the
 * data: it is for the person whose data it is, and is never sent.
 */
import type { Examples } from './dataset.ts';

/** One thing that could not be used; everything else was. */
export interface Refusal {
  readonly file: string;
  /** As a spreadsheet counts: the header is row 1. Null when the file as a whole is meant. */
  readonly row: number | null;
  readonly column: string | null;
  /** What was found there, shortened. */
  readonly value: string;
  readonly expected: string;
}

/** So many refusals are kept; all are counted. */
export const MAX_REFUSALS = 100;

export interface PreviewExample {
  readonly file: string;
  readonly row: number | null;
  /** A table's cells in the order of the plan's columns; the text of tokens; empty for images. */
  readonly source: readonly string[];
  /** As they will be trained, before the scale of the examples. */
  readonly inputs: Examples['inputs'];
  /** The class or value in words; empty for text, whose targets are its own next tokens. */
  readonly target: string;
}

export interface DataReport {
  readonly files: number;
  /** Rows of tables, images, or documents that were looked at. */
  readonly rows: number;
  /** Examples that can be trained on. */
  readonly kept: number;
  readonly refused: { readonly count: number; readonly first: readonly Refusal[] };
  /** Empty when there are no classes. */
  readonly byClass: readonly { readonly name: string; readonly count: number }[];
  readonly warnings: readonly string[];
  readonly preview: readonly PreviewExample[];
}

export interface ReadProgress {
  readonly file: string;
  readonly bytesRead: number;
  readonly bytesTotal: number;
  readonly kept: number;
  readonly refused: number;
}
