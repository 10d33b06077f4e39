/** A second, slow and separate reader of safetensors files: byte by byte from the format's description. */

export interface SlowTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Of float32 tensors. @throws Error when a byte is not where the format has it. */
export function slowSafetensors(file: Uint8Array): {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, SlowTensor>>;
} {
  let headerBytes = 0;
  for (let i = 7; i >= 0; i--) headerBytes = headerBytes * 256 + byteAt(file, i);
  let text = '';
  for (let i = 8; i < 8 + headerBytes; i++) text += `%${byteAt(file, i).toString(16).padStart(2, '0')}`;
  const header = JSON.parse(decodeURIComponent(text)) as Record<string, never>;
  const { __metadata__: metadata, ...entries } = header as unknown as Record<string, Entry> & {
    readonly __metadata__: Record<string, string>;
  };
  const used = new Set<number>();
  const tensors: Record<string, SlowTensor> = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    const values: number[] = [];
    for (let at = data_offsets[0]; at < data_offsets[1]; at += 4) {
      const bytes = [0, 1, 2, 3].map((i) => byteAt(file, 8 + headerBytes + at + i));
      for (let i = 0; i < 4; i++) used.add(at + i);
      values.push(float32Of(bytes));
    }
    tensors[name] = { dtype, shape, values };
  }
  if (used.size !== file.length - 8 - headerBytes) throw new Error('bytes are in two tensors, or in none');
  return { metadata, tensors };
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function byteAt(file: Uint8Array, at: number): number {
  const byte = file[at];
  if (byte === undefined) throw new Error(`byte ${at} is not there`);
  return byte;
}

/** IEEE 754 binary32 by its definition: sign, exponent with bias 127, fraction of 23 bits. */
function float32Of([b0 = 0, b1 = 0, b2 = 0, b3 = 0]: readonly number[]): number {
  const sign = b3 >= 128 ? -1 : 1;
  const exponent = (b3 % 128) * 2 + (b2 >= 128 ? 1 : 0);
  const fraction = (b2 % 128) * 65_536 + b1 * 256 + b0;
  if (exponent === 255) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -149;
  return sign * (1 + fraction / 2 ** 23) * 2 ** (exponent - 127);
}
