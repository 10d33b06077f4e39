/** Decodes images with the browser's own decoders; in a worker or a page. */
import { HushError } from '../core/errors.ts';
import { isTooLarge, MAX_PIXELS, MAX_SIDE } from './imageDecoder.ts';
import type { ImageDecoder } from './imageDecoder.ts';
import { shownRegion } from './imageValues.ts';

/** Where an image is transparent it is white, as on paper. */
const PAPER = '#fff';

export const browserImages: ImageDecoder = {
  async decode(image, frame) {
    const bitmap = await createImageBitmap(image);
    try {
      if (isTooLarge(bitmap)) {
        const size = `${bitmap.width} × ${bitmap.height} pixels`;
        throw new HushError('data/image', `${size}, expected at most ${MAX_SIDE} a side and ${MAX_PIXELS} in all`);
      }
      const canvas = new OffscreenCanvas(frame.width, frame.height);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (!context) throw new HushError('data/image', 'This browser gives no canvas to read pixels from.');
      const { left, top, width, height } = shownRegion(bitmap, frame);
      context.fillStyle = PAPER;
      context.fillRect(0, 0, frame.width, frame.height);
      context.imageSmoothingQuality = 'high';
      context.drawImage(bitmap, left, top, width, height, 0, 0, frame.width, frame.height);
      return context.getImageData(0, 0, frame.width, frame.height).data;
    } finally {
      bitmap.close();
    }
  },
};
