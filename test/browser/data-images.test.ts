/** Real images through the browser's own decoders, in files, folders and archives. */
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { parseExpectedData } from '../../src/core/dataSchema.ts';
import { browserImages } from '../../src/data/browserImages.ts';
import { imageSize } from '../../src/data/imageHeader.ts';
import { PrivateDataReader } from '../../src/data/privateData.ts';
import { sourceFile } from '../../src/core/sourceFile.ts';
import type { SourceFile } from '../../src/core/sourceFile.ts';

type Colour = readonly [red: number, green: number, blue: number];

const RED: Colour = [255, 0, 0];
const BLUE: Colour = [0, 0, 255];
const EXPECTED = { kind: 'images', height: 4, width: 4, channels: 3, fit: 'crop', classes: ['cat', 'dog'] };

/** Left half of one colour, right half of the other; where a colour is missing it is transparent. */
async function picture(
  width: number,
  height: number,
  left: Colour | undefined,
  right = left,
  type = 'image/png',
): Promise<Uint8Array<ArrayBuffer>> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d')!;
  [left, right].forEach((colour, i) => {
    if (!colour) return;
    context.fillStyle = `rgb(${colour.join()})`;
    context.fillRect(i === 0 ? 0 : Math.floor(width / 2), 0, i === 0 ? Math.floor(width / 2) : width, height);
  });
  return new Uint8Array(await (await canvas.convertToBlob({ type, quality: 1 })).arrayBuffer());
}

const at = (path: string, bytes: Uint8Array<ArrayBuffer>): SourceFile => ({ path, blob: new Blob([bytes]) });

async function read(expected: unknown, ...files: readonly SourceFile[]): Promise<PrivateDataReader> {
  const reader = new PrivateDataReader(parseExpectedData(expected), browserImages);
  await reader.add(files);
  return reader;
}

const first = (reader: PrivateDataReader, pixel: number): number[] =>
  [...reader.split(0, 1).training.inputs].slice(3 * pixel, 3 * pixel + 3);

describe('images in the browser', () => {
  it.each(['image/png', 'image/jpeg', 'image/webp'])(
    'of %s are decoded, and their size is told before',
    async (type) => {
      const bytes = await picture(30, 20, RED, BLUE, type);
      expect(imageSize(bytes)).toEqual({ width: 30, height: 20 });
      const reader = await read(EXPECTED, at('cat/1', bytes));
      [RED, BLUE].forEach((colour, i) => {
        first(reader, 3 * i).forEach((value, j) => expect(Math.abs(value - (colour[j] ?? 0))).toBeLessThan(40));
      });
    },
  );

  it('are cropped to the middle or stretched', async () => {
    // 12 wide, 4 high, the left half red: a crop of the middle 4 sees as much of each.
    const bytes = await picture(12, 4, RED, BLUE);
    const cropped = await read(EXPECTED, at('cat/1', bytes));
    expect([0, 1, 2, 3].map((pixel) => first(cropped, pixel))).toEqual([RED, RED, BLUE, BLUE]);
    const narrow = await read({ ...EXPECTED, width: 12, fit: 'stretch' }, at('cat/1', await picture(4, 4, RED, BLUE)));
    expect(first(narrow, 0)).toEqual(RED);
    expect(first(narrow, 11)).toEqual(BLUE);
  });

  it('are white where they are transparent, grey if the plan wants so, and normalised', async () => {
    const clear = await picture(4, 4, undefined, RED);
    expect(first(await read(EXPECTED, at('cat/1', clear)), 0)).toEqual([255, 255, 255]);
    const normalise = { mean: [0.5], deviation: [0.5] };
    const grey = await read({ ...EXPECTED, channels: 1, normalise }, at('cat/1', clear));
    const { inputs } = grey.split(0, 1).training;
    expect(inputs[0]).toBe(1);
    expect(inputs[3]).toBeCloseTo((76 / 255 - 0.5) / 0.5, 6);
  });

  it('that are damaged, no images, of one pixel or of 100 megapixels are refused, and the others kept', async () => {
    const whole = await picture(40, 40, RED, BLUE);
    const huge = whole.slice();
    new DataView(huge.buffer).setUint32(16, 10_000);
    new DataView(huge.buffer).setUint32(20, 10_000);
    const cut = whole.slice(0, 40);
    const reader = await read(
      EXPECTED,
      at('cat/1.png', whole),
      at('cat/cut.png', cut),
      at('cat/text.png', new TextEncoder().encode('no image at all')),
      at('cat/one.png', await picture(1, 1, RED)),
      at('dog/huge.png', huge),
      at('dog/1.png', whole),
    );
    const { kept, refused } = reader.report();
    expect(kept).toBe(2);
    expect(refused.first).toMatchObject([
      { file: 'cat/cut.png', expected: 'an image that this browser can decode' },
      { file: 'cat/text.png', expected: 'an image that this browser can decode' },
      { file: 'cat/one.png', value: '1 × 1 pixels', expected: 'at least 2 a side' },
      { file: 'dog/huge.png', value: '10000 × 10000 pixels' },
    ]);
  });

  it('come from a chosen folder or an archive', async () => {
    const bytes = await picture(4, 4, BLUE);
    const chosen = new File([bytes], '1.png');
    Object.defineProperty(chosen, 'webkitRelativePath', { value: 'pets/dog/1.png' });
    const zip = new File([zipSync({ 'cat/1.png': bytes })], 'pets.zip');
    const reader = await read(EXPECTED, sourceFile(chosen), sourceFile(zip));
    expect(reader.report().refused.first).toEqual([]);
    expect(reader.report().preview.map(({ file }) => file)).toEqual(['pets/dog/1.png', 'pets.zip/cat/1.png']);
  });
});

describe('tables in the browser', () => {
  it('are read in Windows-1252, its own letters too', async () => {
    const expected = {
      kind: 'table',
      columns: [{ name: 'x', type: 'number' }],
      target: { name: 'y', kind: 'class', classes: ['5 €'] },
    };
    const bytes = Uint8Array.from('x,y\n1,5 \u0080\n', (letter) => letter.charCodeAt(0));
    const reader = await read(expected, at('a.csv', bytes));
    expect(reader.report()).toMatchObject({ kept: 1, refused: { count: 0 } });
  });
});
