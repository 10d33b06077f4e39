/** Light augmentation of images: another view of the same thing, told by a seed alone. */
import type { ExpectedImages } from './dataSchema.ts';
import { SeededRandom } from './seededRandom.ts';

/** A stream of its own, so that it shares no randomness with the order of batches. */
const AUGMENT_STREAM = 0x617567;

type Pixels = Uint8Array | Float32Array;

/**
 * `values` is one image, [height, width, channels]; so is the result, which is new. Mirrored left to right half of the
 * time if `flip`, then moved by up to `shift` pixels either way, down and across; the edge is repeated where nothing is.
 */
export function augment<Values extends Pixels>(values: Values, images: ExpectedImages, seed: number): Values {
  const { height, width, channels } = images;
  const { flip, shift } = images.augment ?? { flip: false, shift: 0 };
  const random = SeededRandom.of(seed, AUGMENT_STREAM);
  const mirrored = random.below(2) === 1 && flip;
  const down = random.below(2 * shift + 1) - shift;
  const across = random.below(2 * shift + 1) - shift;
  const result = values.slice() as Values;
  for (let row = 0; row < height; row++) {
    const fromRow = within(row - down, height);
    for (let column = 0; column < width; column++) {
      const moved = within(column - across, width);
      const fromColumn = mirrored ? width - 1 - moved : moved;
      const from = (fromRow * width + fromColumn) * channels;
      const to = (row * width + column) * channels;
      for (let channel = 0; channel < channels; channel++) result[to + channel] = values[from + channel] ?? 0;
    }
  }
  return result;
}

function within(place: number, length: number): number {
  return Math.max(0, Math.min(length - 1, place));
}
