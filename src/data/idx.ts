/** IDX, the format of MNIST's files (LeCun, Cortes, Burges 1998): a big-endian head, then one unsigned byte a value. */
import { HushError } from '../core/errors.ts';

/** Two zero bytes, the type (8: unsigned byte), the number of dimensions. */
export const IDX_IMAGES_MAGIC = 0x00000803;
export const IDX_LABELS_MAGIC = 0x00000801;

const MAX_COUNT = 10_000_000;
const MAX_SIDE = 4096;

export interface IdxImages {
  readonly count: number;
  /** Pixels of one image. */
  readonly width: number;
  /** Shape [count, rows · columns], 0 to 255; a view into the file. */
  readonly pixels: Uint8Array;
}

/** @throws HushError `data/idx`, naming `file`, the field, its value and what was expected. */
export function parseIdxImages(bytes: Uint8Array, file: string): IdxImages {
  const head = headOf(bytes, file, IDX_IMAGES_MAGIC, 16);
  const count = field(head, 4, 'number of images', MAX_COUNT, file);
  const rows = field(head, 8, 'number of rows', MAX_SIDE, file);
  const columns = field(head, 12, 'number of columns', MAX_SIDE, file);
  const width = rows * columns;
  checkLength(bytes, 16 + count * width, file);
  return { count, width, pixels: bytes.subarray(16) };
}

/** Shape [count]; a view into the file. @throws HushError `data/idx`, as above. */
export function parseIdxLabels(bytes: Uint8Array, file: string): Uint8Array {
  const head = headOf(bytes, file, IDX_LABELS_MAGIC, 8);
  const count = field(head, 4, 'number of labels', MAX_COUNT, file);
  checkLength(bytes, 8 + count, file);
  return bytes.subarray(8);
}

function headOf(bytes: Uint8Array, file: string, magic: number, headBytes: number): DataView {
  if (bytes.length < headBytes) throw wrong(file, 'length', `${bytes.length} bytes`, `at least ${headBytes}`);
  const head = new DataView(bytes.buffer, bytes.byteOffset, headBytes);
  const got = head.getUint32(0);
  if (got !== magic) throw wrong(file, 'magic number', hex(got), hex(magic));
  return head;
}

function field(head: DataView, offset: number, name: string, max: number, file: string): number {
  const value = head.getUint32(offset);
  if (value < 1 || value > max) throw wrong(file, name, String(value), `1 to ${max}`);
  return value;
}

function checkLength(bytes: Uint8Array, expected: number, file: string): void {
  if (bytes.length !== expected) throw wrong(file, 'length', `${bytes.length} bytes`, `${expected}, as its head says`);
}

function wrong(file: string, name: string, got: string, expected: string): HushError {
  return new HushError('data/idx', `${file}: the ${name} is ${got}, expected ${expected}.`);
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}
