/** Rows of a table, however its file is written. */

/** Text of a delimited file; whatever type a column of Parquet has. */
export type Cell = string | number | bigint | boolean | Date | object | null | undefined;

export interface RowBatch {
  /** The number of the first row: the header, where there is one in the file, is row 1. */
  readonly firstRow: number;
  /** One cell for each name in the table's header; more or fewer where the file has them so. */
  readonly rows: readonly (readonly Cell[])[];
  /** What is wrong with a row, by its place in `rows`. */
  readonly broken: ReadonlyMap<number, string>;
}

export interface OpenTable {
  /** All columns of the file. */
  readonly names: readonly string[];
  /** The columns of which the rows give cells, in order. */
  readonly header: readonly string[];
  /** Between the cells of a delimited file. */
  readonly delimiter: string | undefined;
  /** To be read once. */
  readonly batches: AsyncGenerator<RowBatch, void>;
}
