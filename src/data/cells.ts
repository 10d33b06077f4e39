/** What one cell of a table says: a number, a point in time, a name, or nothing. */
import { utf8 } from '../core/bytes.ts';
import type { Cell } from './table.ts';

/** Written for a number that is not there. */
const NOTHING = new Set(['', 'na', 'n/a', '#n/a', 'nan', 'null', 'none', '-', '?']);

const MAX_FLOAT32 = 3.4028234663852886e38;

export type DecimalMark = '.' | ',';

/** For people. */
export function shown(cell: Cell): string {
  if (cell === null || cell === undefined) return 'nothing';
  if (typeof cell === 'string') return JSON.stringify(cell);
  if (cell instanceof Date) return Number.isNaN(cell.getTime()) ? 'a date out of range' : cell.toISOString();
  return typeof cell === 'object' ? 'a list or structure' : String(cell);
}

export function lacksName(cell: Cell): boolean {
  return cell === null || cell === undefined || (typeof cell === 'string' && cell.trim() === '');
}

export function lacksValue(cell: Cell): boolean {
  if (typeof cell === 'number') return Number.isNaN(cell);
  if (typeof cell === 'string') {
    const first = cell.charCodeAt(0);
    // Nearly every cell of a large table begins with a figure.
    if (first >= 48 && first <= 57) return false;
    return cell.length < 8 && NOTHING.has(cell.trim().toLowerCase());
  }
  return cell === null || cell === undefined;
}

/** Without spaces around; numbers as JavaScript writes them; undefined for what has no name. */
export function nameOf(cell: Cell): string | undefined {
  if (typeof cell === 'string') return cell.trim();
  if (typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean') return String(cell);
  return cell instanceof Date ? shown(cell) : undefined;
}

/** 1,234.5 or 1 234.5, and 1.234,5. */
const GROUPED_POINT = /^[+-]?\d{1,3}(?:([,' \u00A0\u202F])\d{3})(?:\1\d{3})*(?:\.\d*)?$/;
const GROUPED_COMMA = /^[+-]?\d{1,3}(?:([.' \u00A0\u202F])\d{3})(?:\1\d{3})*(?:,\d*)?$/;
const DECIMAL_COMMA = /^[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?$/;
const OTHER_BASE = /0[xob]/i;

/**
 * NaN for what is no number that float32 holds. `mark` is undefined where nothing told what a comma means: then a number
 * with a comma is none.
 */
export function numberOf(cell: Cell, mark: DecimalMark | undefined): number {
  const value = typeof cell === 'string' ? parseNumber(cell, mark) : numberOfTyped(cell);
  return Math.abs(value) <= MAX_FLOAT32 ? value : Number.NaN;
}

function numberOfTyped(cell: Cell): number {
  if (typeof cell === 'number') return cell;
  return typeof cell === 'bigint' || typeof cell === 'boolean' ? Number(cell) : Number.NaN;
}

function parseNumber(cell: string, mark: DecimalMark | undefined): number {
  if (mark !== ',') {
    const plain = Number(cell);
    if (!Number.isNaN(plain)) {
      // JavaScript reads 0x10 as 16, and spaces as 0.
      const strange = Number.isInteger(plain) && (OTHER_BASE.test(cell) || (plain === 0 && cell.trim() === ''));
      return strange ? Number.NaN : plain;
    }
    const text = cell.trim();
    return mark === '.' && GROUPED_POINT.test(text) ? Number(text.replaceAll(/[,' \u00A0\u202F]/g, '')) : Number.NaN;
  }
  const text = cell.trim();
  if (DECIMAL_COMMA.test(text)) return Number(text.replace(',', '.'));
  return GROUPED_COMMA.test(text) ? Number(text.replaceAll(/[.' \u00A0\u202F]/g, '').replace(',', '.')) : Number.NaN;
}

/** Which mark the numbers of a column show; undefined when none of them tells, as 1,234 and 1.234 do not. */
export function decimalMarkOf(cells: Iterable<Cell>): DecimalMark | undefined {
  let [points, commas] = [0, 0];
  for (const cell of cells) {
    if (typeof cell !== 'string') continue;
    const text = cell.trim();
    const [asPoint, asComma] = [numberOf(text, '.'), numberOf(text, ',')];
    if (Number.isNaN(asComma) && !Number.isNaN(asPoint)) points++;
    if (Number.isNaN(asPoint) && !Number.isNaN(asComma)) commas++;
  }
  if (points === commas) return undefined;
  return points > commas ? '.' : ',';
}

export type DateOrder = 'year first' | 'day first' | 'month first';

const ISO_DATE =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)? ?(Z|[+-]\d{2}:?\d{2})?$/;
const DATE_IN_FIGURES =
  /^(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?$/;

/** Milliseconds since 1970, in UTC where no zone is given; NaN for what is no date. Years have four figures. */
export function dateOf(cell: Cell, order: DateOrder): number {
  if (cell instanceof Date) return cell.getTime();
  if (typeof cell !== 'string') return Number.NaN;
  const text = cell.trim();
  const iso = ISO_DATE.exec(text);
  if (iso) return timeOf(iso[1], iso[2], iso[3], iso.slice(4), iso[8]);
  const [, a, b, c, ...time] = DATE_IN_FIGURES.exec(text) ?? [];
  if (order === 'year first') return timeOf(a, b, c, time);
  return order === 'day first' ? timeOf(c, b, a, time) : timeOf(c, a, b, time);
}

function timeOf(
  year = '',
  month = '',
  day = '',
  [hour = '0', minute = '0', second = '0', part = '']: readonly (string | undefined)[],
  zone = 'Z',
): number {
  if (year.length !== 4 || day.length > 2) return Number.NaN;
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const back = new Date(date);
  // Date.UTC carries what is out of range over: the 31st of April would be the 1st of May.
  const fits = back.getUTCMonth() === Number(month) - 1 && back.getUTCDate() === Number(day);
  if (!fits || back.getUTCMinutes() !== Number(minute) || Number(second) > 59) return Number.NaN;
  return date + Number(`0.${part || '0'}`) * 1000 - zoneMs(zone);
}

function zoneMs(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

/**
 * The bucket of a name, the same everywhere: FNV-1a (Fowler, Noll and Vo, 32 bits) over its UTF-8 in normal form C, mixed
 * as MurmurHash3 ends (fmix32, Appleby), modulo the number of buckets.
 */
export function hashBucket(name: string, buckets: number): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8(name.normalize('NFC'))) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % buckets;
}
