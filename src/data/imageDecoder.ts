/** What decodes images, and how large one may be. */
import type { ImageSize } from './imageHeader.ts';
import type { Frame } from './imageValues.ts';

/** The port of what decodes images: the browser, or a fake in the tests. */
export interface ImageDecoder {
  /** RGBA of the part that the frame shows, [height, width, 4]. @throws when it is no image that can be decoded. */
  decode(image: Blob, frame: Frame): Promise<Uint8ClampedArray>;
}

/** Decoded, four bytes a pixel: 200 MB. */
export const MAX_PIXELS = 50_000_000;
export const MAX_SIDE = 32_767;

export function isTooLarge({ width, height }: ImageSize): boolean {
  return width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS;
}
