/** Files of a person's own, made in memory, and a decoder of images that needs no browser. */
import type { DataReport } from '../../src/core/dataReport.ts';
import { parseExpectedData } from '../../src/core/dataSchema.ts';
import type { ImageDecoder } from '../../src/data/imageDecoder.ts';
import { PrivateDataReader } from '../../src/data/privateData.ts';
import type { SourceFile } from '../../src/core/sourceFile.ts';

export function file(path: string, ...content: readonly (string | Uint8Array)[]): SourceFile {
  return { path, blob: new Blob(content.map((part) => (typeof part === 'string' ? part : new Uint8Array(part)))) };
}

/** Every pixel has the colour of the file's last three bytes; a file that ends in "bad" is damaged. */
export const fakeImages: ImageDecoder = {
  async decode(image, { height, width }) {
    const bytes = new Uint8Array(await image.arrayBuffer());
    if (new TextDecoder('latin1').decode(bytes).endsWith('bad')) throw new Error('the picture is damaged');
    const [red = 0, green = 0, blue = 0] = bytes.slice(-3);
    const pixels = Array.from({ length: height * width }, () => [red, green, blue, 255]);
    return Uint8ClampedArray.from(pixels.flat());
  },
};

export function reader(expected: unknown): PrivateDataReader {
  return new PrivateDataReader(parseExpectedData(expected), fakeImages);
}

export async function reportOf(expected: unknown, ...files: readonly SourceFile[]): Promise<DataReport> {
  const opened = reader(expected);
  await opened.add(files);
  return opened.report();
}

/** The first bytes of a PNG image of this size, with a colour at its end. */
export function png(width: number, height: number, colour: readonly number[] | 'bad' = [0, 0, 0]): Uint8Array {
  const bytes = new Uint8Array(40);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  bytes.set(colour === 'bad' ? new TextEncoder().encode('bad') : colour, 37);
  return bytes;
}
