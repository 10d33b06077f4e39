/** One example to try a model on, prepared as the plan's data is for training. */
import type { ExpectedImages, ExpectedTable } from '../core/dataSchema.ts';
import type { Examples } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import type { Picture } from '../core/tryOut.ts';
import { drawnFigure, inkOf } from './drawing.ts';
import type { ImageDecoder } from './imageDecoder.ts';
import { imageValues } from './imageValues.ts';
import { RowEncoder } from './rowEncoder.ts';

/** Looked at more closely than a figure is in the end, so that scaling it loses nothing. */
const CLOSER = 10;

export function oneExample(inputs: Examples['inputs'], inputScale: number): Examples {
  return { count: 1, width: inputs.length, inputs, inputScale, labels: new Uint8Array(1) };
}

/** @throws HushError `data/image`, saying what was expected of the file. */
export async function imageExample(
  file: Blob,
  expected: ExpectedImages,
  decoder: ImageDecoder,
): Promise<{ readonly example: Examples; readonly picture: Picture }> {
  const pixels = await decoded(file, expected, decoder);
  const values = imageValues(pixels, expected);
  const { height, width, channels, normalise: _, ...rest } = expected;
  const seen = imageValues(pixels, { height, width, channels, ...rest });
  return {
    example: oneExample(values, expected.normalise ? 1 : 1 / 255),
    picture: { height, width, channels, values: Float32Array.from(seen, (value) => value / 255) },
  };
}

/** A figure on paper, or light on dark, made as drawn ones are: [side · side] of ink. @throws HushError `data/image`. */
export async function figureIn(file: Blob, side: number, decoder: ImageDecoder): Promise<Uint8Array> {
  const size = side * CLOSER;
  const frame: ExpectedImages = {
    kind: 'images',
    height: size,
    width: size,
    channels: 1,
    fit: 'crop',
    classes: [],
    labels: { file: '', class: '' },
  };
  const grey = imageValues(await decoded(file, frame, decoder), frame);
  return drawnFigure(inkOf(Uint8Array.from(grey), size), side);
}

async function decoded(file: Blob, expected: ExpectedImages, decoder: ImageDecoder): Promise<Uint8ClampedArray> {
  try {
    return await decoder.decode(file, expected);
  } catch (cause) {
    const why = cause instanceof HushError ? cause.message : 'this browser cannot decode it';
    throw new HushError('data/image', `The file is no image that can be used: ${why}.`, {
      advice: 'Choose a PNG, JPEG or WebP image.',
      cause,
    });
  }
}

/** `leavesMissing`: the model knows what to make of a missing number. @throws HushError `data/row`, naming the column, what is in it and what was expected. */
export function rowExample(
  cells: ReadonlyMap<string, string>,
  expected: ExpectedTable,
  leavesMissing = false,
): Examples {
  const header = [...expected.columns.map(({ name }) => name), expected.target.name];
  const row = header.map((name) => cells.get(name) ?? '');
  const encoder = new RowEncoder(expected, header, undefined, [row], leavesMissing);
  const wrong = encoder.encodeFeatures(row);
  if (wrong) throw wrongCell(wrong.column, wrong.value, wrong.expected);
  if (!leavesMissing && encoder.features.some(Number.isNaN)) {
    // Its mean is that of each participant's own data, and there is none here.
    const at = expected.columns.find(
      (column) =>
        (column.type === 'number' || column.type === 'date') &&
        column.missing === 'mean' &&
        !column.normalise &&
        (cells.get(column.name) ?? '').trim() === '',
    );
    throw wrongCell(at?.name ?? '', 'empty', 'a value');
  }
  return oneExample(encoder.features, 1);
}

function wrongCell(column: string, value: string, expected: string): HushError {
  return new HushError('data/row', `"${column}" is ${value}, expected ${expected}.`);
}
