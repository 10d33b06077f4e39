import { describe, expect, it } from 'vitest';
import { IDX_IMAGES_MAGIC, IDX_LABELS_MAGIC, parseIdxImages, parseIdxLabels } from '../../src/data/idx.ts';

function idx(words: readonly number[], body: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length + body.length);
  words.forEach((word, i) => new DataView(bytes.buffer).setUint32(4 * i, word));
  bytes.set(body, 4 * words.length);
  return bytes;
}

describe('IDX files', () => {
  it('gives images and labels as they were written', () => {
    const pixels = [0, 1, 2, 3, 4, 255, 6, 7, 8, 9, 10, 11];
    const images = parseIdxImages(idx([IDX_IMAGES_MAGIC, 2, 2, 3], pixels), 'images');
    expect(images).toMatchObject({ count: 2, width: 6 });
    expect([...images.pixels]).toEqual(pixels);
    expect([...parseIdxLabels(idx([IDX_LABELS_MAGIC, 3], [7, 0, 9]), 'labels')]).toEqual([7, 0, 9]);
  });

  it('reads a file that lies inside a larger buffer', () => {
    const file = idx([IDX_LABELS_MAGIC, 2], [5, 6]);
    const around = new Uint8Array(file.length + 8);
    around.set(file, 3);
    expect([...parseIdxLabels(around.subarray(3, 3 + file.length), 'labels')]).toEqual([5, 6]);
  });

  it.each([
    ['too short for a head', idx([IDX_IMAGES_MAGIC, 1], []), /length is 8 bytes, expected at least 16/],
    ['another magic number', idx([IDX_LABELS_MAGIC, 1, 1, 1], [0]), /magic number is 0x00000801, expected 0x00000803/],
    ['no images', idx([IDX_IMAGES_MAGIC, 0, 1, 1], []), /number of images is 0, expected 1 to/],
    ['too many rows', idx([IDX_IMAGES_MAGIC, 1, 2 ** 31, 1], [0]), /number of rows is 2147483648, expected 1 to/],
    ['a body too short', idx([IDX_IMAGES_MAGIC, 2, 1, 2], [1, 2, 3]), /length is 19 bytes, expected 20/],
    ['a body too long', idx([IDX_IMAGES_MAGIC, 1, 1, 2], [1, 2, 3]), /length is 19 bytes, expected 18/],
  ])('refuses images with %s', (_, bytes, message) => {
    expect(() => parseIdxImages(bytes, 'digits.gz')).toThrow(
      expect.objectContaining({ code: 'data/idx', message: expect.stringMatching(message) }),
    );
    expect(() => parseIdxImages(bytes, 'digits.gz')).toThrow(/^digits\.gz: /);
  });

  it('refuses labels that are fewer than their head says', () => {
    expect(() => parseIdxLabels(idx([IDX_LABELS_MAGIC, 3], [1, 2]), 'labels')).toThrow(
      /length is 10 bytes, expected 11/,
    );
  });
});
