/**
 * Writes small Parquet files, uncompressed and plain, by the format's documents (parquet-format, parquet.thrift and
 * Encodings.md): independent of the reader that is tested.
 */

export interface ParquetColumn {
  readonly name: string;
  readonly type: 'double' | 'int64' | 'text' | 'boolean' | 'timestamp';
}

type Value = number | bigint | string | boolean | null;

const PHYSICAL = { boolean: 0, int64: 2, double: 5, text: 6, timestamp: 2 };

/** Every column is optional. */
export function parquet(
  columns: readonly ParquetColumn[],
  groups: readonly (readonly (readonly Value[])[])[],
): Uint8Array {
  const file: number[] = [...letters('PAR1')];
  const rowGroups = groups.map((rows) => {
    const chunks = columns.map((column, at) => {
      const values = rows.map((row) => row[at] ?? null);
      const body = [
        ...definitionLevels(values),
        ...values.flatMap((value) => (value === null ? [] : plain(column, value))),
      ];
      const data = column.type === 'boolean' ? [...definitionLevels(values), ...bits(values)] : body;
      const offset = file.length;
      // PageHeader: DATA_PAGE, sizes, DataPageHeader with PLAIN (0) values and RLE (3) levels.
      const header = struct(
        [1, i32(0)],
        [2, i32(data.length)],
        [3, i32(data.length)],
        [5, { type: 12, bytes: struct([1, i32(values.length)], [2, i32(0)], [3, i32(3)], [4, i32(3)]) }],
      );
      for (const byte of [...header, ...data]) file.push(byte);
      const size = file.length - offset;
      const meta = struct(
        [1, i32(PHYSICAL[column.type])],
        [2, list(5, [zigzag(0), zigzag(3)])],
        [3, list(8, [binary(column.name)])],
        [4, i32(0)],
        [5, i64(values.length)],
        [6, i64(size)],
        [7, i64(size)],
        [9, i64(offset)],
      );
      return struct([2, i64(offset)], [3, { type: 12, bytes: meta }]);
    });
    return struct([1, list(12, chunks)], [2, i64(file.length)], [3, i64(rows.length)]);
  });
  const schema = [
    struct([4, { type: 8, bytes: binary('root') }], [5, i32(columns.length)]),
    ...columns.map(({ name, type }) =>
      struct(
        [1, i32(PHYSICAL[type])],
        [3, i32(1)],
        [4, { type: 8, bytes: binary(name) }],
        ...(type === 'text' ? [[6, i32(0)] as const] : type === 'timestamp' ? [[6, i32(9)] as const] : []),
      ),
    ),
  ];
  const count = groups.reduce((sum, rows) => sum + rows.length, 0);
  const footer = struct([1, i32(1)], [2, list(12, schema)], [3, i64(count)], [4, list(12, rowGroups)]);
  return Uint8Array.from([...file, ...footer, ...littleEndian(footer.length), ...letters('PAR1')]);
}

interface Field {
  readonly type: number;
  readonly bytes: readonly number[];
}

/** Thrift's compact protocol: each field by its distance from the one before and its type, a zero at the end. */
function struct(...fields: readonly (readonly [id: number, field: Field])[]): number[] {
  let before = 0;
  const bytes = fields.flatMap(([id, { type, bytes: content }]) => {
    const head = ((id - before) << 4) | type;
    before = id;
    return [head, ...content];
  });
  return [...bytes, 0];
}

const i32 = (value: number): Field => ({ type: 5, bytes: zigzag(value) });
const i64 = (value: number): Field => ({ type: 6, bytes: zigzag(value) });

function list(type: number, items: readonly (readonly number[])[]): Field {
  const head = items.length < 15 ? [(items.length << 4) | type] : [0xf0 | type, ...varint(items.length)];
  return { type: 9, bytes: [...head, ...items.flat()] };
}

function binary(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...varint(bytes.length), ...bytes];
}

const zigzag = (value: number): number[] => varint(2 * value);

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

const letters = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** 1 where there is a value: the hybrid of runs and packed bits, one run a value, behind its length. */
function definitionLevels(values: readonly Value[]): number[] {
  const runs = values.flatMap((value) => [...varint(1 << 1), value === null ? 0 : 1]);
  return [...littleEndian(runs.length), ...runs];
}

function plain({ type }: ParquetColumn, value: Exclude<Value, null>): number[] {
  if (type === 'text') {
    const bytes = new TextEncoder().encode(String(value));
    return [...littleEndian(bytes.length), ...bytes];
  }
  const bytes = new Uint8Array(8);
  if (type === 'double') new DataView(bytes.buffer).setFloat64(0, Number(value), true);
  else new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return [...bytes];
}

function bits(values: readonly Value[]): number[] {
  const given = values.filter((value) => value !== null);
  const bytes = Array.from({ length: Math.ceil(given.length / 8) }, () => 0);
  given.forEach((value, i) => {
    if (value) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  });
  return bytes;
}
