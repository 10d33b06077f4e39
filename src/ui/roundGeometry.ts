/** Where the round's picture puts things: participants clockwise from the top, chords that bend towards the centre. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Radius of the circle that people stand on, and of the centre that counts, in the picture's units. */
export const RING_RADIUS = 122;
export const CENTRE_RADIUS = 37;

/** More than this many people are dots without names. */
export const MAX_LABELS = 12;

/** More chords than this are a grey disc, and slow: of a larger round, evenly spread pairs stand for all. */
export const MAX_CHORDS = 780;

export function place(index: number, size: number, radius = RING_RADIUS): Point {
  const angle = (2 * Math.PI * index) / Math.max(1, size) - Math.PI / 2;
  return { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
}

/** Dots of neighbours never touch, and stay at most 9 units wide. */
export function dotRadius(size: number): number {
  return Math.min(9, (0.4 * 2 * Math.PI * RING_RADIUS) / Math.max(1, size));
}

/** Pairs [i, j], i < j, whose chords are drawn: all of them where there are `most` or fewer. */
export function drawnPairs(size: number, most = MAX_CHORDS): readonly (readonly [number, number])[] {
  const half = Math.floor(size / 2);
  const perPerson = Math.max(1, Math.floor(most / Math.max(1, size)));
  const all = (size * (size - 1)) / 2 <= most;
  const offsets = all
    ? Array.from({ length: half }, (_, i) => i + 1)
    : Array.from({ length: perPerson }, (_, i) => Math.round(((i + 1) * half) / perPerson));
  const pairs = new Map<number, readonly [number, number]>();
  for (const offset of offsets) {
    for (let i = 0; i < size; i++) {
      const j = (i + offset) % size;
      if (i !== j) pairs.set(Math.min(i, j) * size + Math.max(i, j), [Math.min(i, j), Math.max(i, j)]);
    }
  }
  return [...pairs.values()];
}

export function chord(a: Point, b: Point): string {
  const bend = 0.12;
  const x = ((a.x + b.x) / 2) * bend;
  const y = ((a.y + b.y) / 2) * bend;
  return `M${short(a.x)} ${short(a.y)}Q${short(x)} ${short(y)} ${short(b.x)} ${short(b.y)}`;
}

function short(value: number): string {
  return value.toFixed(1);
}
