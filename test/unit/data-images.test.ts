/** Images of a person's own in folders, archives and tables of labels; the decoder is a fake, the browser's has its own test. */
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { parseExpectedData } from '../../src/core/dataSchema.ts';
import type { ExpectedImages } from '../../src/core/dataSchema.ts';
import { Findings } from '../../src/data/findings.ts';
import { imageSize } from '../../src/data/imageHeader.ts';
import { ImageReader } from '../../src/data/imageReader.ts';
import { imageValues, shownRegion } from '../../src/data/imageValues.ts';
import { fakeImages, file, png, reader, reportOf } from '../support/privateFiles.ts';

const EXPECTED = {
  kind: 'images',
  height: 2,
  width: 2,
  channels: 1,
  fit: 'crop',
  classes: ['cat', 'dog'],
};
const WHITE = [255, 255, 255];
const cat = (path: string, colour: number[] = [0, 0, 0]) => file(path, png(8, 8, colour));

describe('images', () => {
  it('are of the class that their folder names, whatever lies above', async () => {
    const opened = reader(EXPECTED);
    await opened.add([
      cat('pets/cat/1.png'),
      cat('pets/cat/more/2.png', WHITE),
      cat('pets/dog/1.png', WHITE),
      cat('pets/dog/2.png'),
    ]);
    const { training } = opened.split(0, 1);
    expect(training).toMatchObject({ count: 4, width: 4, inputScale: 1 / 255 });
    expect([...training.inputs]).toEqual([0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]);
    expect([...training.labels]).toEqual([0, 0, 1, 1]);
    const { byClass, warnings, preview, rows, kept } = opened.report();
    expect({ rows, kept, warnings }).toEqual({ rows: 4, kept: 4, warnings: [] });
    expect(byClass).toEqual([
      { name: 'cat', count: 2 },
      { name: 'dog', count: 2 },
    ]);
    // One of each class in turn.
    expect(preview.map(({ file, target }) => [file, target])).toEqual([
      ['pets/cat/1.png', 'cat'],
      ['pets/dog/1.png', 'dog'],
      ['pets/cat/more/2.png', 'cat'],
      ['pets/dog/2.png', 'dog'],
    ]);
  });

  it('of one kind only, or of none, are warned of', async () => {
    const report = await reportOf(EXPECTED, cat('cat/1.png'));
    expect(report.warnings).toEqual(['Only one example is of the class "cat".', 'No example is of the class "dog".']);
  });

  it.each([
    ['1 × 100 pixels', png(1, 100), '1 × 100 pixels', 'at least 2 a side'],
    ['1 × 1 pixel', png(1, 1), '1 × 1 pixels', 'at least 2 a side'],
    ['100 megapixels', png(10_000, 10_000), '10000 × 10000 pixels', 'at most 32767 a side and 50000000 in all'],
    ['a very long one', png(40_000, 2), '40000 × 2 pixels', 'at most 32767 a side and 50000000 in all'],
    ['a damaged one', png(8, 8, 'bad'), 'the picture is damaged', 'an image that this browser can decode'],
    ['an empty file', new Uint8Array(), 'an empty file', 'an image'],
  ])('of %s are refused, and the others kept', async (_, bytes, value, wanted) => {
    const report = await reportOf(EXPECTED, cat('cat/1.png'), file('cat/2.png', bytes), cat('dog/1.png'));
    expect(report).toMatchObject({ rows: 3, kept: 2, refused: { count: 1 } });
    expect(report.refused.first).toEqual([{ file: 'cat/2.png', row: null, column: null, value, expected: wanted }]);
  });

  it('are never given to the decoder when they are too large', async () => {
    let decoded = 0;
    const expected = parseExpectedData(EXPECTED) as ExpectedImages;
    const findings = new Findings();
    const images = new ImageReader(expected, findings, {
      decode: (image, frame) => {
        decoded++;
        return fakeImages.decode(image, frame);
      },
    });
    await expect(images.read(file('cat/1.png', png(10_000, 10_000)), {})).rejects.toMatchObject({ code: 'data/image' });
    await images.read(cat('cat/2.png'), {});
    expect(decoded).toBe(1);
  });

  it('without a known class are refused', async () => {
    const report = await reportOf(EXPECTED, cat('cow/1.png'), cat('2.png'));
    expect(report.refused.first).toMatchObject([
      { file: 'cow/1.png', value: 'folder "cow"', expected: 'a folder named one of cat, dog' },
      { file: '2.png', value: 'no folder', expected: 'a folder named one of cat, dog' },
    ]);
  });

  it('beside files of the system are read, the files of the system passed over', async () => {
    const report = await reportOf(EXPECTED, cat('cat/1.png'), file('cat/.DS_Store', 'x'), file('cat/Thumbs.db', 'x'));
    expect(report).toMatchObject({ files: 1, rows: 1, refused: { count: 0 } });
  });

  it('smaller than the plan says are told of', async () => {
    const report = await reportOf({ ...EXPECTED, width: 9 }, cat('cat/1.png'), cat('cat/2.png'), cat('dog/1.png'));
    expect(report.warnings[0]).toBe('Smaller than 9 × 2 pixels and enlarged: 3 images.');
  });
});

describe('a table of labels', () => {
  const LABELS = 'file,class\na.png,cat\nsub/b.png,dog\n';

  it('names files with or without the folders above them', async () => {
    const report = await reportOf(EXPECTED, cat('set/a.png'), cat('set/sub/b.png'), file('set/labels.csv', LABELS));
    expect(report.refused.first).toEqual([]);
    expect(report.byClass.map(({ count }) => count)).toEqual([1, 1]);
  });

  it('has its rows refused with their place, and files that it does not name', async () => {
    const content = `${LABELS}a.png,dog\nc.png,cow\n,dog\nd.png\ngone.png,cat\n`;
    const report = await reportOf(EXPECTED, cat('a.png'), cat('sub/b.png'), cat('e.png'), file('labels.csv', content));
    expect(report.refused.first).toMatchObject([
      { file: 'labels.csv', row: 4, column: 'file', value: '"a.png"', expected: 'each file once' },
      { file: 'labels.csv', row: 5, column: 'class', value: '"cow"', expected: 'one of cat, dog' },
      { file: 'labels.csv', row: 6, column: 'file', value: '""', expected: 'the name of a file' },
      { file: 'labels.csv', row: 7, column: null, value: '1 cells', expected: '2 cells, as the header has' },
      { file: 'e.png', value: 'no label', expected: 'a row with its name in the table of labels' },
    ]);
    expect(report.warnings[0]).toBe('labels.csv: row 8 names "gone.png", which is not among the files.');
    expect(report.kept).toBe(2);
  });

  it('may lie behind the images of an archive, and have columns of other names', async () => {
    const labels = { file: 'image', class: 'label' };
    const zip = zipSync({
      'a.png': png(8, 8),
      'sub/b.png': png(8, 8),
      'z.csv': strToU8('image;label\na.png;cat\nb.png;dog\n'),
    });
    const report = await reportOf({ ...EXPECTED, labels }, file('set.zip', zip));
    expect(report.refused.first).toEqual([]);
    expect(report.byClass.map(({ count }) => count)).toEqual([1, 1]);
  });

  it('does not guess which of two files of one name is meant', async () => {
    const report = await reportOf(EXPECTED, cat('x/a.png'), cat('y/a.png'), file('labels.csv', LABELS));
    expect(report.kept).toBe(1);
    expect(report.refused.first).toMatchObject([{ file: 'y/a.png', value: 'the same name in labels.csv as x/a.png' }]);
  });
});

describe('sizes of images by their first bytes', () => {
  const bytes = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
    Uint8Array.from(
      parts.flatMap((part) => (typeof part === 'string' ? Array.from(part, (c) => c.charCodeAt(0)) : part)),
    );
  const size = { width: 300, height: 200 };

  it.each([
    ['PNG', png(300, 200)],
    ['GIF', bytes('GIF89a', [44, 1, 200, 0])],
    [
      'JPEG',
      bytes([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc4, 0, 2, 0xff, 0xc2, 0, 11, 8, 0, 200, 1, 44, 3]),
    ],
    [
      'BMP',
      bytes(
        'BM',
        Array.from({ length: 12 }, () => 0),
        [40, 0, 0, 0, 44, 1, 0, 0, 0x38, 0xff, 0xff, 0xff],
      ),
    ],
    [
      'old BMP',
      bytes(
        'BM',
        Array.from({ length: 12 }, () => 0),
        [12, 0, 0, 0, 44, 1, 200, 0],
      ),
    ],
    ['lossy WebP', bytes('RIFF....WEBPVP8 ', [0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 44, 1, 200, 0])],
    ['lossless WebP', bytes('RIFF....WEBPVP8L', [0, 0, 0, 0, 0x2f, 0x2b, 0xc1, 0x31, 0])],
    ['extended WebP', bytes('RIFF....WEBPVP8X', [10, 0, 0, 0, 0, 0, 0, 0, 43, 1, 0, 199, 0, 0])],
    [
      'AVIF',
      bytes(
        '....ftypavif',
        'ispe',
        [0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 9],
        'ispe',
        [0, 0, 0, 0, 0, 0, 1, 44, 0, 0, 0, 200],
      ),
    ],
  ])('%s', (_, head) => {
    expect(imageSize(head)).toEqual(size);
    // Cut anywhere, there is a size or none, and never an error.
    for (let length = 0; length < head.length; length++) imageSize(head.subarray(0, length));
  });

  it('of other files are not known', () => {
    expect(imageSize(strToU8('GIF'))).toBeUndefined();
    expect(imageSize(strToU8('<svg width="3"/>'))).toBeUndefined();
  });
});

describe('pixels', () => {
  const expected = (more: object): ExpectedImages =>
    parseExpectedData({ ...EXPECTED, height: 1, width: 2, ...more }) as ExpectedImages;
  const rgba = Uint8ClampedArray.of(255, 0, 0, 255, 10, 20, 30, 255);

  it('become grey by the luma, or stay red, green and blue', () => {
    expect([...imageValues(rgba, expected({}))]).toEqual([76, 18]);
    expect([...imageValues(rgba, expected({ channels: 3 }))]).toEqual([255, 0, 0, 10, 20, 30]);
  });

  it('are normalised by channel', () => {
    const normalise = { mean: [0.5, 0.25, 0], deviation: [0.5, 0.25, 2] };
    const values = imageValues(rgba, expected({ channels: 3, normalise }));
    const wanted = [1, -1, 0, (10 / 255 - 0.5) / 0.5, (20 / 255 - 0.25) / 0.25, 30 / 255 / 2];
    wanted.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 6));
  });

  it('shown are the middle with the same proportions, or all', () => {
    expect(shownRegion({ width: 100, height: 40 }, { width: 10, height: 10, fit: 'crop' })).toEqual({
      left: 30,
      top: 0,
      width: 40,
      height: 40,
    });
    expect(shownRegion({ width: 100, height: 400 }, { width: 20, height: 10, fit: 'crop' })).toEqual({
      left: 0,
      top: 175,
      width: 100,
      height: 50,
    });
    expect(shownRegion({ width: 100, height: 40 }, { width: 10, height: 10, fit: 'stretch' })).toEqual({
      left: 0,
      top: 0,
      width: 100,
      height: 40,
    });
  });
});
