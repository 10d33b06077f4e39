/** Turns the cells of one row into float32 features and a target, as the plan's columns say. */
import type { ExpectedTable, TableColumn, TableTarget } from '../core/dataSchema.ts';
import { exampleWidth, featureWidth } from '../core/dataShape.ts';
import { dateOf, decimalMarkOf, hashBucket, lacksName, lacksValue, nameOf, numberOf, shown } from './cells.ts';
import type { DecimalMark } from './cells.ts';
import { shorten } from './findings.ts';
import type { Cell } from './table.ts';

/** Why a row cannot be used. */
export interface WrongCell {
  readonly column: string;
  readonly value: string;
  readonly expected: string;
}

type Scale = { readonly mean: number; readonly deviation: number } | undefined;

const TOO_LARGE = 'a number that float32 holds once it is normalised';

const DAY_MS = 86_400_000;

/** The mean year of the Gregorian calendar; all begin where 1970 did. */
const CYCLE_DAYS = { year: 365.2425, week: 7, day: 1 };

interface PlacedColumn {
  readonly column: Exclude<TableColumn, { type: 'ignored' }>;
  /** Its place among the cells. */
  readonly cell: number;
  /** Its first feature, and how many it has. */
  readonly at: number;
  readonly width: number;
  readonly mark: DecimalMark | undefined;
  /** Features by the name of a category. */
  readonly names: ReadonlyMap<string, number> | undefined;
}

export class RowEncoder {
  readonly features: Float32Array;
  /** The class or the value of the row encoded last. */
  target = 0;
  readonly #columns: readonly PlacedColumn[];
  readonly #target: TableTarget;
  readonly #targetCell: number;
  readonly #targetMark: DecimalMark | undefined;
  readonly #classes: ReadonlyMap<string, number>;
  readonly #leavesMissing: boolean;

  /**
   * `sample`, some rows, tells what a comma in a number means; `header` has every column that is used. `leavesMissing`: a
   * number that is missing is NaN, whatever the plan makes of it.
   */
  constructor(
    expected: ExpectedTable,
    header: readonly string[],
    delimiter: string | undefined,
    sample: readonly (readonly Cell[])[],
    leavesMissing = false,
  ) {
    this.#leavesMissing = leavesMissing;
    const places = new Map(header.map((name, i) => [name, i]));
    const cellOf = (name: string): number => places.get(name) ?? -1;
    const marks = decimalMarks(expected, cellOf, delimiter, sample);
    const placed: PlacedColumn[] = [];
    let at = 0;
    for (const column of expected.columns) {
      if (column.type === 'ignored') continue;
      const width = featureWidth(column);
      const listed =
        column.type === 'category' && column.categories.kind === 'list' ? column.categories.names : undefined;
      const names = listed && byName(listed);
      placed.push({ column, cell: cellOf(column.name), at, width, mark: marks(column.name), names });
      at += width;
    }
    this.#columns = placed;
    this.#target = expected.target;
    this.#targetCell = cellOf(expected.target.name);
    this.#targetMark = marks(expected.target.name);
    const classes = expected.target.kind === 'class' ? expected.target.classes : [];
    this.#classes = byName(classes);
    this.features = new Float32Array(exampleWidth(expected));
  }

  /** Sets `features` and `target`; NaN stands for a missing number whose mean is not known yet. */
  encode(cells: readonly Cell[]): WrongCell | undefined {
    const wrong = this.encodeFeatures(cells);
    if (wrong) return wrong;
    const cell = cells[this.#targetCell];
    const expected = this.#encodeTarget(cell);
    return expected ? { column: this.#target.name, value: shown(cell), expected } : undefined;
  }

  /** Sets `features` alone. */
  encodeFeatures(cells: readonly Cell[]): WrongCell | undefined {
    this.features.fill(0);
    for (const place of this.#columns) {
      const cell = cells[place.cell];
      const expected = this.#encodeCell(place, cell);
      if (expected) return { column: place.column.name, value: shown(cell), expected };
    }
    return undefined;
  }

  /** The cells of the columns that are used, as they stand in the file. */
  sources(cells: readonly Cell[]): { readonly source: readonly string[]; readonly target: string } {
    const textOf = (cell: Cell): string => shorten(typeof cell === 'string' ? cell : shown(cell));
    return { source: this.#columns.map(({ cell }) => textOf(cells[cell])), target: textOf(cells[this.#targetCell]) };
  }

  /** What was expected, when it is not what is there. */
  #encodeCell(place: PlacedColumn, cell: Cell): string | undefined {
    const { column, at, mark } = place;
    switch (column.type) {
      case 'number': {
        if (lacksValue(cell)) return this.#fillMissing(place);
        const value = numberOf(cell, mark);
        if (Number.isNaN(value)) return expectedNumber(mark);
        this.features[at] = scaled(value, column.normalise);
        return Number.isFinite(this.features[at]) ? undefined : TOO_LARGE;
      }
      case 'date': {
        if (lacksValue(cell)) return this.#fillMissing(place);
        const days = dateOf(cell, column.order) / DAY_MS;
        if (Number.isNaN(days)) return expectedDate(column.order);
        this.features[at] = scaled(days, column.normalise);
        column.cycles.forEach((cycle, i) => {
          const phase = (2 * Math.PI * days) / CYCLE_DAYS[cycle];
          this.features[at + 1 + 2 * i] = Math.sin(phase);
          this.features[at + 2 + 2 * i] = Math.cos(phase);
        });
        return undefined;
      }
      case 'category': {
        if (lacksName(cell)) return this.#fillMissing(place);
        const feature = this.#categoryOf(place, nameOf(cell) ?? '');
        if (feature === undefined) return place.names ? oneOf([...place.names.keys()]) : 'a name';
        this.features[at + feature] = 1;
        return undefined;
      }
      default:
        return column satisfies never;
    }
  }

  #categoryOf({ column, names }: PlacedColumn, name: string): number | undefined {
    if (names) return placeOf(names, name);
    if (name === '' || column.type !== 'category' || column.categories.kind === 'list') return undefined;
    return hashBucket(name, column.categories.buckets);
  }

  #fillMissing({ column, at, width }: PlacedColumn): string | undefined {
    const { missing } = column;
    if (missing === 'refuse') return column.type === 'category' ? 'a name' : `a ${column.type}`;
    if (missing === 'own category') this.features[at + width - 1] = 1;
    // The mean of what is normalised by the plan's mean is 0.
    const isOpen = column.type !== 'category' && this.#leavesMissing;
    if (isOpen || (missing === 'mean' && !column.normalise)) this.features[at] = Number.NaN;
    return undefined;
  }

  #encodeTarget(cell: Cell): string | undefined {
    if (this.#target.kind === 'class') {
      const label = placeOf(this.#classes, nameOf(cell) ?? '');
      if (label === undefined) return oneOf(this.#target.classes);
      this.target = label;
      return undefined;
    }
    const value = lacksValue(cell) ? Number.NaN : numberOf(cell, this.#targetMark);
    if (Number.isNaN(value)) return expectedNumber(this.#targetMark);
    this.target = Math.fround(scaled(value, this.#target.normalise));
    return Number.isFinite(this.target) ? undefined : TOO_LARGE;
  }
}

function byName(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map(names.map((name, i) => [name.normalize('NFC'), i]));
}

function placeOf(names: ReadonlyMap<string, number>, name: string): number | undefined {
  return names.get(name) ?? names.get(name.normalize('NFC'));
}

function scaled(value: number, scale: Scale): number {
  return scale ? (value - scale.mean) / scale.deviation : value;
}

function expectedNumber(mark: DecimalMark | undefined): string {
  if (mark === ',') return 'a number with a decimal comma, as others of the column have';
  return mark === '.' ? 'a number' : 'a number, without a comma as nothing tells whether it is a decimal one';
}

function expectedDate(order: string): string {
  if (order === 'year first') return 'a date such as 2024-03-31';
  return `a date such as 2024-03-31 or ${order === 'day first' ? '31.3.2024' : '3/31/2024'}`;
}

/** Names the first few. */
export function oneOf(names: readonly string[]): string {
  const first = names.slice(0, 5).join(', ');
  return names.length > 5 ? `one of ${first} and ${names.length - 5} more` : `one of ${first}`;
}

/**
 * A column whose own numbers do not tell goes by the others of the file; where none tells, a comma in a file with semicolons
 * is a decimal one. What is left is read as JavaScript does, and a number with a comma is refused rather than guessed.
 */
function decimalMarks(
  expected: ExpectedTable,
  cellOf: (name: string) => number,
  delimiter: string | undefined,
  sample: readonly (readonly Cell[])[],
): (column: string) => DecimalMark | undefined {
  const numbers = expected.columns.filter(({ type }) => type === 'number').map(({ name }) => name);
  if (expected.target.kind === 'value') numbers.push(expected.target.name);
  const cellsOf = (name: string): readonly Cell[] => {
    const cell = cellOf(name);
    return sample.map((row) => row[cell]);
  };
  const own = new Map(numbers.map((name) => [name, decimalMarkOf(cellsOf(name))] as const));
  const [first, ...others] = new Set([...own.values()].filter((mark) => mark !== undefined));
  const general = others.length === 0 ? first : undefined;
  const hasCommas = (name: string): boolean =>
    delimiter === ';' && cellsOf(name).some((cell) => typeof cell === 'string' && cell.includes(','));
  const marks = new Map(numbers.map((name) => [name, own.get(name) ?? general ?? (hasCommas(name) ? ',' : undefined)]));
  return (column) => marks.get(column);
}
