/** What a plan says of private data, the width that follows from it, and the augmentation of images. */
import { describe, expect, it } from 'vitest';
import { augment } from '../../src/core/augmentation.ts';
import { parseExpectedData } from '../../src/core/dataSchema.ts';
import type { ExpectedImages } from '../../src/core/dataSchema.ts';
import { classesOf, exampleWidth, networkInput } from '../../src/core/dataShape.ts';

const IMAGES = { kind: 'images', height: 28, width: 20, channels: 3, fit: 'crop', classes: ['a', 'b'] };
const NUMBER = { name: 'n', type: 'number' };
const TABLE = { kind: 'table', columns: [NUMBER], target: { name: 'y', kind: 'value' } };
const TEXT = { kind: 'text', tokens: { kind: 'bytes' }, length: 64, stride: 32 };

describe('the width of an example', () => {
  it.each([
    ['images', IMAGES, 28 * 20 * 3, { kind: 'values', shape: [28, 20, 3] }, ['a', 'b']],
    ['a number', TABLE, 1, { kind: 'values', shape: [1] }, undefined],
    ['text', TEXT, 64, { kind: 'tokens', length: 64, vocabulary: 256 }, undefined],
    [
      'columns of all types',
      {
        ...TABLE,
        columns: [
          { ...NUMBER, missing: 'own category' },
          { name: 'c', type: 'category', categories: { kind: 'list', names: ['u', 'v', 'w'] } },
          { name: 'h', type: 'category', categories: { kind: 'hashed', buckets: 8 }, missing: 'own category' },
          { name: 'd', type: 'date', cycles: ['year', 'day'], missing: 'own category' },
          { name: 'i', type: 'ignored' },
        ],
        target: { name: 'y', kind: 'class', classes: ['k'] },
      },
      2 + 3 + 9 + 6,
      { kind: 'values', shape: [20] },
      ['k'],
    ],
  ])('of %s', (_, given, width, input, classes) => {
    const expected = parseExpectedData(given);
    expect(exampleWidth(expected)).toBe(width);
    expect(networkInput(expected)).toEqual(input);
    expect(classesOf(expected)).toEqual(classes);
  });
});

describe('what a plan cannot expect is told by field, value and what was expected', () => {
  it.each([
    [{ kind: 'sound' }, '"kind" is "sound", expected one of images, table, text.'],
    [{ ...IMAGES, height: 0 }, '"height" is 0, expected an integer from 1 to 4096.'],
    [{ ...IMAGES, channels: 2 }, '"channels" is 2, expected one of 1, 3.'],
    [{ ...IMAGES, fit: 'pad' }, '"fit" is "pad", expected one of crop, stretch.'],
    [
      { ...IMAGES, height: 4096, width: 4096 },
      '"height" is 4096, expected height · width · channels of at most 1000000.',
    ],
    [{ ...IMAGES, classes: [] }, '"classes" is [], expected at least one name.'],
    [{ ...IMAGES, classes: ['a', 'a'] }, '"classes.1" is "a", expected each name once.'],
    [
      { ...IMAGES, normalise: { mean: [0], deviation: [1, 1, 1] } },
      '"normalise.mean" is [0], expected one value for each of the 3 channels.',
    ],
    [{ ...TABLE, columns: [] }, '"columns" is 0, expected 1 to 1000000 values in all.'],
    [{ ...TABLE, columns: [{ ...NUMBER, type: 'colour' }] }, 'expected one of number, category, date, ignored.'],
    [{ ...TABLE, columns: [{ ...NUMBER, missing: 'guess' }] }, 'expected one of mean, zero, own category, refuse.'],
    [
      { ...TABLE, columns: [NUMBER, NUMBER] },
      '"columns.1.name" is "n", expected each name once, the target among them.',
    ],
    [{ ...TABLE, columns: [{ ...NUMBER, name: 'y' }] }, '"columns.0.name" is "y"'],
    [{ ...TABLE, target: { name: 'y', kind: 'class', classes: ['k', 'k'] } }, '"target.classes.1" is "k"'],
    [{ ...TEXT, stride: 0 }, '"stride" is 0, expected an integer from 1 to 65536.'],
    [{ ...TEXT, tokens: { kind: 'words' } }, 'expected one of bytes, bpe.'],
    [{ ...TEXT, pages: 1 }, '"pages" is 1, expected no such field.'],
  ])('%j', (given, message) => {
    expect(() => parseExpectedData(given)).toThrow(
      expect.objectContaining({ code: 'plan/invalid', message: expect.stringContaining(message) }),
    );
  });
});

describe('augmentation', () => {
  const images = (more: object): ExpectedImages =>
    parseExpectedData({ ...IMAGES, height: 3, width: 4, channels: 1, ...more }) as ExpectedImages;
  const image = Uint8Array.from({ length: 12 }, (_, i) => i);

  it('gives the same for the same seed, and leaves what it is given', () => {
    const light = images({ augment: { flip: true, shift: 2 } });
    const views = Array.from({ length: 50 }, (_, seed) => augment(image, light, seed).join());
    expect(Array.from({ length: 50 }, (_, seed) => augment(image, light, seed).join())).toEqual(views);
    expect(new Set(views).size).toBeGreaterThan(20);
    expect([...image]).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  it('mirrors half of the time, and nothing else without a shift', () => {
    const views = Array.from({ length: 200 }, (_, seed) =>
      augment(image, images({ augment: { flip: true, shift: 0 } }), seed),
    );
    const mirrored = views.filter((view) => view[0] === 3);
    for (const view of mirrored) expect([...view]).toEqual([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8]);
    for (const view of views.filter((view) => view[0] === 0)) expect(view).toEqual(image);
    expect(mirrored.length).toBeGreaterThan(60);
    expect(mirrored.length).toBeLessThan(140);
  });

  it('moves by up to the shift, and repeats the edge; a slow reference agrees', () => {
    const wanted = new Set<string>();
    for (const down of [-1, 0, 1]) {
      for (const across of [-1, 0, 1]) {
        const at = (row: number, column: number): number =>
          4 * Math.min(2, Math.max(0, row - down)) + Math.min(3, Math.max(0, column - across));
        wanted.add([0, 1, 2].flatMap((row) => [0, 1, 2, 3].map((column) => at(row, column))).join());
      }
    }
    const moved = images({ augment: { flip: false, shift: 1 } });
    const seen = new Set(Array.from({ length: 300 }, (_, seed) => augment(image, moved, seed).join()));
    expect(seen).toEqual(wanted);
  });

  it('keeps the channels of a pixel together, and leaves images alone that ask for none', () => {
    const colours = images({ channels: 3, augment: { flip: true, shift: 1 } });
    const values = Float32Array.from({ length: 36 }, (_, i) => i / 4);
    for (let seed = 0; seed < 20; seed++) {
      const view = augment(values, colours, seed);
      for (let i = 0; i < 36; i += 3) {
        expect([view[i + 1], view[i + 2]]).toEqual([view[i]! + 0.25, view[i]! + 0.5]);
        expect((view[i]! * 4) % 3).toBe(0);
      }
    }
    expect(augment(image, images({}), 3)).toEqual(image);
  });
});
