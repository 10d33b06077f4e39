/**
 * Models in the safetensors format: an unsigned 64-bit little-endian length, a JSON header of so many bytes, then the
 * tensors one after the other (https://github.com/huggingface/safetensors, "Format"). Float32 alone: a plan's model has
 * nothing else.
 */
import { bytesToFloat32, float32AsBytes, utf8 } from './bytes.ts';
import type { Bytes } from './bytes.ts';
import { HushError } from './errors.ts';
import { sizeOf } from './layerShapes.ts';
import { integer, list, parseDocument, v } from './schema.ts';

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

export interface Safetensors {
  /** In the order in which they lie in the file. */
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

const LENGTH_BYTES = 8;
const METADATA = '__metadata__';

/** Of a header: a plan has at most 256 KiB, and a tensor's entry some 100 bytes. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;
const MAX_TENSORS = 100_000;
const MAX_VALUES = 2 ** 31;

/** @throws HushError `safetensors/write` when two tensors have one name, or a shape is not that of its values. */
export function writeSafetensors({ tensors, metadata }: Safetensors): Bytes {
  const entries = new Map<string, unknown>([[METADATA, metadata]]);
  let end = 0;
  for (const { name, shape, values } of tensors) {
    if (entries.has(name)) throw wrong('safetensors/write', `"${name}" is there twice, expected each name once`);
    if (sizeOf(shape) !== values.length) {
      throw wrong(
        'safetensors/write',
        `"${name}" has ${values.length} values, expected those of [${shape.join(', ')}]`,
      );
    }
    const begin = end;
    end += 4 * values.length;
    entries.set(name, { dtype: 'F32', shape, data_offsets: [begin, end] });
  }
  const json = utf8(JSON.stringify(Object.fromEntries(entries)));
  // Spaces, so that the tensors begin at a multiple of 8 and can be mapped into memory.
  const headerBytes = Math.ceil(json.length / LENGTH_BYTES) * LENGTH_BYTES;
  const dataAt = LENGTH_BYTES + headerBytes;
  const file = new Uint8Array(dataAt + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, LENGTH_BYTES, dataAt);
  file.set(json, LENGTH_BYTES);
  let at = dataAt;
  for (const { values } of tensors) {
    file.set(float32AsBytes(values), at);
    at += 4 * values.length;
  }
  return file;
}

const tensorSchema = v.strictObject({
  dtype: v.literal('F32', 'F32'),
  shape: list(integer(0, MAX_VALUES), 16),
  data_offsets: v.strictTuple([integer(0, 4 * MAX_VALUES), integer(0, 4 * MAX_VALUES)]),
});

const metadataSchema = v.record(v.string(), v.string('text'));

/** @throws HushError `safetensors/…`, naming the tensor or field, what it has and what was expected. */
export function readSafetensors(file: Uint8Array): Safetensors {
  const { header, data } = partsOf(file);
  const { [METADATA]: metadata = {}, ...entries } = header;
  const named = Object.entries(entries);
  if (named.length > MAX_TENSORS) {
    throw wrong('safetensors/header', `${named.length} tensors, expected at most ${MAX_TENSORS}`);
  }
  const placed = named
    .map(([name, entry]) => {
      const { shape, data_offsets } = parseDocument(tensorSchema, entry, `Tensor "${name}"`, 'safetensors/tensor');
      return { name, shape, begin: data_offsets[0], end: data_offsets[1] };
    })
    .toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, shape, begin, end } of placed) {
    if (begin !== at) throw wrong('safetensors/offsets', `"${name}" begins at byte ${begin}, expected ${at}`);
    if (end - begin !== 4 * sizeOf(shape)) {
      const expected = `${4 * sizeOf(shape)} for the shape [${shape.join(', ')}]`;
      throw wrong('safetensors/offsets', `"${name}" has ${end - begin} bytes, expected ${expected}`);
    }
    at = end;
  }
  if (at !== data.length) {
    throw wrong('safetensors/length', `${data.length} bytes follow the header, expected ${at} by its offsets`);
  }
  return {
    tensors: placed.map(({ name, shape, begin, end }) => ({
      name,
      shape,
      values: bytesToFloat32(data.subarray(begin, end)),
    })),
    metadata: parseDocument(metadataSchema, metadata, 'Metadata', 'safetensors/metadata'),
  };
}

function partsOf(file: Uint8Array): { readonly header: Readonly<Record<string, unknown>>; readonly data: Uint8Array } {
  if (file.length < LENGTH_BYTES) {
    throw wrong('safetensors/length', `${file.length} bytes, expected at least ${LENGTH_BYTES}`);
  }
  const stated = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  const most = Math.min(MAX_HEADER_BYTES, file.length - LENGTH_BYTES);
  if (stated > BigInt(most)) {
    throw wrong('safetensors/length', `the header has ${stated} bytes, expected at most ${most} in this file`);
  }
  const dataAt = LENGTH_BYTES + Number(stated);
  let header: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file.subarray(LENGTH_BYTES, dataAt));
    // The format says so, so that other software does not take a file of another kind for one of these.
    if (!text.startsWith('{')) throw new SyntaxError('it does not begin with {');
    header = JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof SyntaxError ? cause.message : 'it is not UTF-8';
    throw wrong('safetensors/header', `the header is not JSON: ${why}`, cause);
  }
  return { header: header as Readonly<Record<string, unknown>>, data: file.subarray(dataAt) };
}

function wrong(code: `safetensors/${string}`, what: string, cause?: unknown): HushError {
  return new HushError(code, `The safetensors file: ${what}.`, {
    advice: 'Choose the file again, or save it anew where it comes from.',
    ...(cause === undefined ? {} : { cause }),
  });
}
