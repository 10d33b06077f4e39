/** What a plan expects of files, spelt out for whoever has to prepare them. */
import type { ExpectedData, ExpectedTable, TableColumn } from '../core/dataSchema.ts';
import { count } from './format.ts';

type Expectation = readonly [name: string, value: string];

/** More names than these are counted. */
const MOST_NAMES = 12;

export function expectations(expected: ExpectedData): readonly Expectation[] {
  switch (expected.kind) {
    case 'images':
      return [
        ['Files', 'images in one folder for each class, a zip of them, or images with a CSV file of labels'],
        ['Classes', names(expected.classes)],
        ['Labels', `columns “${expected.labels.file}” and “${expected.labels.class}”, if there is a CSV file`],
        [
          'Made',
          `${expected.width} × ${expected.height} pixels, ${expected.channels === 1 ? 'grey' : 'in colour'}, ${expected.fit === 'crop' ? 'cropped to the middle' : 'stretched'}`,
        ],
      ];
    case 'table':
      return tableExpectations(expected);
    case 'text':
      return [
        ['Files', expected.column === undefined ? 'plain text' : `tables with a column “${expected.column}”`],
        ['Tokens', expected.tokens.kind === 'bytes' ? 'bytes' : 'byte pairs'],
        ['Pieces', `${count(expected.length)} tokens, one every ${count(expected.stride)}`],
      ];
    default:
      return expected satisfies never;
  }
}

function tableExpectations({ columns, target }: ExpectedTable): readonly Expectation[] {
  return [
    ['Files', 'CSV, TSV or Parquet, with the names of the columns in the first row'],
    ...columns
      .filter(({ type }) => type !== 'ignored')
      .map((column): Expectation => [column.name, columnWords(column)]),
    [target.name, target.kind === 'class' ? `learnt: ${names(target.classes)}` : 'learnt: a number'],
  ];
}

function columnWords(column: TableColumn): string {
  switch (column.type) {
    case 'number':
      return `a number${missingWords(column.missing)}`;
    case 'date':
      return `a date, ${column.order}${missingWords(column.missing)}`;
    case 'category': {
      const { categories } = column;
      const of = categories.kind === 'list' ? names(categories.names) : 'any text';
      return `${of}${missingWords(column.missing)}`;
    }
    case 'ignored':
      return 'ignored';
    default:
      return column satisfies never;
  }
}

function missingWords(missing: 'mean' | 'zero' | 'own category' | 'refuse'): string {
  return missing === 'refuse' ? '' : ', or empty';
}

function names(of: readonly string[]): string {
  const more = of.length - MOST_NAMES;
  return more > 0 ? `${of.slice(0, MOST_NAMES).join(', ')} and ${count(more)} more` : of.join(', ');
}
