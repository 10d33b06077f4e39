/** Numbers as people read them: unit, sensible rounding, a no-break space between the two, and a dash for what is unknown. */

export const UNKNOWN = '–';
const SPACE = '\u00a0';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const fourDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
const twoDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 });

type Figure = number | undefined;

function known(value: Figure): value is number {
  return value !== undefined && Number.isFinite(value);
}

/** "1,000". */
export function count(value: Figure): string {
  return known(value) ? whole.format(value) : UNKNOWN;
}

/** "1 person", "8 people". */
export function quantity(value: number, one: string, many: string): string {
  return `${count(value)}${SPACE}${value === 1 ? one : many}`;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Decimal units: "812 B", "1.2 kB", "119 kB". */
export function bytes(value: Figure): string {
  if (!known(value)) return UNKNOWN;
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < BYTE_UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  const shown = unit > 0 && size < 9.95 ? size.toFixed(1) : whole.format(size);
  return `${shown}${SPACE}${BYTE_UNITS[unit] ?? ''}`;
}

/** A fraction of 1 as "94.6 %". Rounds down next to 100 %, so that only all of it is shown as all of it. */
export function percent(fraction: Figure, digits = 1): string {
  if (!known(fraction)) return UNKNOWN;
  const step = 10 ** -digits;
  const value = fraction < 1 ? Math.min(fraction * 100, 100 - step) : fraction * 100;
  return `${value.toFixed(digits)}${SPACE}%`;
}

/** Mean cross-entropy: "0.187", "12.4". */
export function loss(value: Figure): string {
  if (!known(value)) return UNKNOWN;
  return value.toFixed(value < 9.9995 ? 3 : 1);
}

/** A measured value in four significant digits: "0.1307", "20,030". */
export function measure(value: Figure): string {
  return known(value) ? fourDigits.format(value) : UNKNOWN;
}

/** "24 ms", "0.4 s", "42 s", "1 min 30 s", "3 h 5 min". */
export function duration(seconds: Figure): string {
  if (!known(seconds)) return UNKNOWN;
  if (seconds > 0 && seconds < 0.0995) return `${Math.ceil(seconds * 1000)}${SPACE}ms`;
  if (seconds < 9.95) return `${seconds === 0 ? '0' : seconds.toFixed(1)}${SPACE}s`;
  return wholeSeconds(seconds);
}

/** As `duration`, in whole seconds, rounded up: for a countdown. */
export function countdown(seconds: number): string {
  return wholeSeconds(Math.ceil(Math.max(0, seconds)));
}

function wholeSeconds(seconds: number): string {
  const total = Math.round(seconds);
  if (total < 90) return `${total}${SPACE}s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return joined(minutes, 'min', total % 60, 's');
  const rounded = Math.round(total / 60);
  return joined(Math.floor(rounded / 60), 'h', rounded % 60, 'min');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const head = `${large}${SPACE}${largeUnit}`;
  return small === 0 ? head : `${head} ${small}${SPACE}${smallUnit}`;
}

/** Two significant digits, a measurement has no more: "41,000 samples/s". */
export function rate(samplesPerSecond: Figure): string {
  if (!known(samplesPerSecond) || samplesPerSecond <= 0) return UNKNOWN;
  return `${twoDigits.format(samplesPerSecond)}${SPACE}samples/s`;
}

/** The first 8 digits of a hash or an id: "b3f0 91ce". */
export function shortHash(hash: string | undefined): string {
  return hash === undefined ? UNKNOWN : grouped(hash.slice(0, 8));
}

/** All digits in groups of four, so that two people can compare them aloud. */
export function grouped(hash: string): string {
  return hash.replaceAll(/(.{4})(?=.)/g, '$1 ');
}

/** One coordinate of an update, width 7: " 0.0031", "-0.0120". */
export function coordinate(value: number): string {
  return value.toFixed(4).padStart(7);
}

/** Local time of day, "14:03:22". */
export function timeOfDay(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}

/** Local date and time, "23 Nov 2026, 14:03". */
export function dateTime(ms: number): string {
  return new Date(ms).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}
