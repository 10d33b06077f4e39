/** From decoded pixels to the values of an example, and which part of an image they show. */
import type { ExpectedImages } from '../core/dataSchema.ts';
import type { ImageSize } from './imageHeader.ts';

export type Frame = Pick<ExpectedImages, 'height' | 'width' | 'fit'>;

export interface Region extends ImageSize {
  readonly left: number;
  readonly top: number;
}

/** `crop`: the largest part in the middle with the frame's proportions; `stretch`: all of it. */
export function shownRegion({ width, height }: ImageSize, frame: Frame): Region {
  if (frame.fit === 'stretch') return { left: 0, top: 0, width, height };
  const scale = Math.min(width / frame.width, height / frame.height);
  const [partWidth, partHeight] = [frame.width * scale, frame.height * scale];
  return { left: (width - partWidth) / 2, top: (height - partHeight) / 2, width: partWidth, height: partHeight };
}

/**
 * `rgba` is [height, width, 4], 0 to 255; the result [height, width, channels]: bytes, to be scaled by 1/255, or with
 * `normalise` float32, (x / 255 − mean) / deviation by channel. Alpha is passed over.
 */
export function imageValues(
  rgba: Uint8ClampedArray,
  { height, width, channels, normalise }: ExpectedImages,
): Uint8Array | Float32Array {
  const pixels = height * width;
  if (rgba.length !== 4 * pixels) throw new RangeError(`${rgba.length} values of pixels, expected ${4 * pixels}`);
  const bytes = new Uint8Array(pixels * channels);
  for (let i = 0; i < pixels; i++) {
    const [red = 0, green = 0, blue = 0] = [rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]];
    if (channels === 1) bytes[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    else {
      bytes[3 * i] = red;
      bytes[3 * i + 1] = green;
      bytes[3 * i + 2] = blue;
    }
  }
  if (!normalise) return bytes;
  const { mean, deviation } = normalise;
  return Float32Array.from(
    bytes,
    (byte, i) => (byte / 255 - (mean[i % channels] ?? 0)) / (deviation[i % channels] ?? 1),
  );
}
