/** What examples look like once private data is read: values of one example, its targets, the network's input. */
import { BYTE_TOKENS } from './bytePairs.ts';
import type { ExpectedData, TableColumn, TokenKind } from './dataSchema.ts';
import type { NetworkInput } from './network.ts';

/** Values that a column gives: a column of missing values of their own comes last. */
export function featureWidth(column: TableColumn): number {
  if (column.type === 'ignored') return 0;
  const own = column.missing === 'own category' ? 1 : 0;
  if (column.type === 'number') return 1 + own;
  if (column.type === 'date') return 1 + 2 * column.cycles.length + own;
  const { categories } = column;
  return (categories.kind === 'list' ? categories.names.length : categories.buckets) + own;
}

/** Values or tokens of one example. */
export function exampleWidth(expected: ExpectedData): number {
  switch (expected.kind) {
    case 'images':
      return expected.height * expected.width * expected.channels;
    case 'table':
      return expected.columns.reduce((sum, column) => sum + featureWidth(column), 0);
    case 'text':
      return expected.length;
    default:
      return expected satisfies never;
  }
}

/** The input of a network that is trained on such data. */
export function networkInput(expected: ExpectedData): NetworkInput {
  switch (expected.kind) {
    case 'images':
      return { kind: 'values', shape: [expected.height, expected.width, expected.channels] };
    case 'table':
      return { kind: 'values', shape: [exampleWidth(expected)] };
    case 'text':
      return { kind: 'tokens', length: expected.length, vocabulary: vocabularySize(expected.tokens) };
    default:
      return expected satisfies never;
  }
}

/** The names of the classes; undefined for values and for tokens. */
export function classesOf(expected: ExpectedData): readonly string[] | undefined {
  if (expected.kind === 'images') return expected.classes;
  return expected.kind === 'table' && expected.target.kind === 'class' ? expected.target.classes : undefined;
}

export function vocabularySize(tokens: TokenKind): number {
  return BYTE_TOKENS + (tokens.kind === 'bpe' ? tokens.merges.length : 0);
}
