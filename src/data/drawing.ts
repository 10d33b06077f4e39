/**
 * A drawn figure made as those of MNIST were: scaled so that its longer side is 20 of 28 pixels, its centre of mass in the
 * middle (LeCun et al. 1998, section III.A).
 */
import type { Drawing } from '../core/tryOut.ts';

/** Of the side, what the figure itself takes. */
const FIGURE = 20 / 28;

/** Fainter ink is none: the grain of a photograph is no stroke. */
const FAINT = 40;

/** Ink, [side, side], 0 to 255; all 0 when nothing is drawn. */
export function drawnFigure(drawing: Drawing, side: number): Uint8Array {
  const figure = new Uint8Array(side * side);
  const box = boxOf(drawing);
  if (box === undefined) return figure;
  const scale = Math.max(box.width, box.height) / Math.round(side * FIGURE);
  const mass = massOf(drawing, box);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const left = mass.x + (x - side / 2) * scale;
      const top = mass.y + (y - side / 2) * scale;
      figure[y * side + x] = Math.round(meanInk(drawing, left, top, scale));
    }
  }
  return figure;
}

/** Dark on light turned to ink: what the edge shows is the paper. `grey` has `side` · `side` values, 0 to 255. */
export function inkOf(grey: Uint8Array, side: number): Drawing {
  let [edge, count] = [0, 0];
  grey.forEach((value, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    if (x > 0 && y > 0 && x < side - 1 && y < side - 1) return;
    edge += value;
    count++;
  });
  const paper = edge / Math.max(1, count);
  const ink = grey.map((value) => (paper > 127 ? 255 - value : value));
  return { side, ink: ink.map((value) => (value < FAINT ? 0 : value)) };
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function boxOf({ side, ink }: Drawing): Box | undefined {
  let [left, top, right, bottom] = [side, side, -1, -1];
  ink.forEach((value, i) => {
    if (value < FAINT) return;
    const [x, y] = [i % side, Math.floor(i / side)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  });
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** In pixels from the corner; that of a pixel is half a pixel from its edge. */
function massOf({ side, ink }: Drawing, { left, top, width, height }: Box): { readonly x: number; readonly y: number } {
  let [total, x, y] = [0, 0, 0];
  for (let row = top; row < top + height; row++) {
    for (let column = left; column < left + width; column++) {
      const value = ink[row * side + column] ?? 0;
      total += value;
      x += value * (column + 0.5);
      y += value * (row + 0.5);
    }
  }
  return { x: x / total, y: y / total };
}

/** Over the square with this corner and side, each pixel by the area of it that lies within; none beyond the edge. */
function meanInk({ side, ink }: Drawing, left: number, top: number, size: number): number {
  let sum = 0;
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(side, top + size); y++) {
    const tall = Math.min(y + 1, top + size) - Math.max(y, top);
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(side, left + size); x++) {
      const wide = Math.min(x + 1, left + size) - Math.max(x, left);
      sum += tall * wide * (ink[y * side + x] ?? 0);
    }
  }
  return sum / (size * size);
}
