/**
 * Matrix products without workgroup memory: every invocation keeps a tile of the result in registers, and reads four
 * values at a time. The best there is where workgroup memory is only emulated, and where a product is small.
 */
import type { Tensor } from './arena.ts';
import type { Kernel } from './wgsl.ts';

/** Statements that find an operand's row `i`: they declare `at{i}`, an address, and `ok{i}`, 0 or 1, when it may lie outside. */
interface Rows {
  readonly masked: boolean;
  one(address: string): string;
  four(address: string): string;
}

/**
 * out[m, n] = Σ a[m, tap, c] · b[tap, c, n] over the taps of a window (one for a dense layer) and c < inner: a layer
 * forwards, and the gradient of its input.
 */
export interface RowProduct extends Rows {
  readonly kind: 'rows';
  readonly m: number;
  readonly n: number;
  readonly inner: number;
  readonly taps: readonly [number, number];
  /** Once for each row `m` of a tile. */
  row(i: string, m: string): string;
  /** Once for each row of taps, `th`. */
  tapRow(i: string): string;
  /** Once for each tap `tw` of it. */
  tap(i: string): string;
  /** In the parameters: `base` + tap · strides.tap + c · strides.inner + n · strides.n; one of the last two is 1. */
  readonly base: number;
  readonly strides: { readonly tap: number; readonly inner: number; readonly n: number };
}

/**
 * out[k, n] = Σ a[row, k] · b[row, n] over the rows, one for each place (y, x) of each example: the gradient of a
 * layer's kernel; and row k = `k` of it is Σ b[row, n], the gradient of the bias, when `bias`.
 */
export interface ColumnProduct extends Rows {
  readonly kind: 'columns';
  readonly k: number;
  readonly n: number;
  readonly examples: number;
  readonly places: readonly [number, number];
  readonly bias: boolean;
  /** How many columns beside each other one `at` covers: 4 or 1. */
  readonly group: 1 | 4;
  /** Once for each group of columns. */
  column(i: string, k: string): string;
  /** Once for each example `r`. */
  example(): string;
  /** Once for each row of places, `y`, for a group of columns. */
  placeRow(i: string): string;
  /** Once for each place `x` of it. */
  place(i: string): string;
  /** b is a tensor of the arena. */
  readonly b: Tensor;
}

export interface Emission {
  readonly label: string;
  readonly tensors: readonly Tensor[];
  /** Declares `fn emit(row: u32, n: u32, value: vec4<f32>)`, for columns also `emitBias(n, value)` and `part`. */
  readonly declarations: () => string;
}

/** Rows and columns that an invocation computes. */
export interface RegisterTile {
  readonly rows: 4 | 8;
  readonly columns: 4 | 8;
}

const LANES = ['x', 'y', 'z', 'w'] as const;
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const vector = (lane: (lane: number) => string): string => `vec4<f32>(${range(4).map(lane).join(', ')})`;

/** A loop that is run once costs a software adapter as much as its body. */
function loop(name: string, from: number, to: number, step: number, body: string): string {
  if (to - from <= step) return `{ let ${name} = ${from}u; ${body} }`;
  return `for (var ${name} = ${from}u; ${name} < ${to}u; ${name} += ${step}u) { ${body} }`;
}

const lines = (parts: readonly string[]): string => parts.join('\n');

export function registerRows(product: RowProduct, tile: RegisterTile, emission: Emission, size: number): Kernel {
  const { m, n } = product;
  const columns = Math.ceil(n / tile.columns);
  const total = Math.ceil(m / tile.rows) * columns;
  return {
    label: emission.label,
    workgroups: Math.ceil(total / size),
    workgroupSize: size,
    tensors: emission.tensors,
    code: () => ({ declarations: emission.declarations(), body: rowsBody(product, tile, columns, total) }),
  };
}

/** What one step along the reduction adds to the sums `s{i}{j}`: four values of it at a time, and one. */
export function reductionSteps(
  product: RowProduct,
  rows: readonly number[],
  vectors: readonly number[],
): { readonly four: string; readonly one: string } {
  const { masked, strides } = product;
  const ok = (i: number, value: string): string => (masked ? `${value} * ok${i}` : value);
  const b = (c: string, column: string): string => `b + (${c}) * ${strides.inner}u + (${column}) * ${strides.n}u`;
  const byColumn = strides.n === 1;
  const four = lines([
    ...rows.map((i) => `let a${i} = ${ok(i, product.four(`at${i} + c`))};`),
    ...vectors.flatMap((j) =>
      byColumn
        ? range(4).flatMap((lane) => [
            `let b${j}${lane} = p4(${b(`c + ${lane}u`, `n + ${4 * j}u`)});`,
            ...rows.map((i) => `s${i}${j} += a${i}.${LANES[lane]} * b${j}${lane};`),
          ])
        : [
            ...range(4).map((lane) => `let b${j}${lane} = p4(${b('c', `n + ${4 * j + lane}u`)});`),
            ...rows.map((i) => `s${i}${j} += ${vector((lane) => `dot(a${i}, b${j}${lane})`)};`),
          ],
    ),
  ]);
  const one = lines([
    ...rows.map((i) => `let a${i} = ${ok(i, product.one(`at${i} + c`))};`),
    ...vectors.flatMap((j) => [
      byColumn
        ? `let b${j} = p4(${b('c', `n + ${4 * j}u`)});`
        : `let b${j} = ${vector((lane) => `params[${b('c', `n + ${4 * j + lane}u`)}]`)};`,
      ...rows.map((i) => `s${i}${j} += a${i} * b${j};`),
    ]),
  ]);
  return { four, one };
}

function rowsBody(product: RowProduct, tile: RegisterTile, columns: number, total: number): string {
  const { m, n, inner, taps, base, strides } = product;
  const rows = range(tile.rows);
  const vectors = range(tile.columns / 4);
  const wide = inner - (inner % 4);
  const { four, one } = reductionSteps(product, rows, vectors);
  const tap = lines([
    ...rows.map((i) => product.tap(String(i))),
    `let b = ${base}u + (th * ${taps[1]}u + tw) * ${strides.tap}u;`,
    wide > 0 ? loop('c', 0, wide, 4, four) : '',
    wide < inner ? loop('c', wide, inner, 1, one) : '',
  ]);
  const tapRow = lines([...rows.map((i) => product.tapRow(String(i))), loop('tw', 0, taps[1], 1, tap)]);
  return `if (id >= ${total}u) { return; }
let n = (id % ${columns}u) * ${tile.columns}u;
let m = (id / ${columns}u) * ${tile.rows}u;
${lines(rows.flatMap((i) => vectors.map((j) => `var s${i}${j} = vec4<f32>();`)))}
${lines(rows.map((i) => product.row(String(i), m % tile.rows === 0 ? `m + ${i}u` : `min(m + ${i}u, ${m - 1}u)`)))}
${loop('th', 0, taps[0], 1, tapRow)}
${lines(rows.map((i) => emitted(vectors, i, 'm', m % tile.rows === 0 ? undefined : m, n % tile.columns === 0 ? undefined : n)))}`;
}

function emitted(
  vectors: readonly number[],
  i: number,
  row: string,
  rowLimit: number | undefined,
  columnLimit: number | undefined,
): string {
  const stores = vectors.map((j) => {
    const store = `emit(${row} + ${i}u, n + ${4 * j}u, s${i}${j});`;
    return columnLimit === undefined || j === 0 ? store : `if (n + ${4 * j}u < ${columnLimit}u) { ${store} }`;
  });
  return rowLimit === undefined ? stores.join(' ') : `if (${row} + ${i}u < ${rowLimit}u) { ${stores.join(' ')} }`;
}

/** `parts`: the examples are cut into so many sums, which somebody else adds up. */
export function registerColumns(
  product: ColumnProduct,
  tile: RegisterTile,
  emission: Emission,
  size: number,
  parts: number,
): Kernel {
  const columns = Math.ceil(product.n / tile.columns);
  const tiles = Math.ceil(product.k / tile.rows) * columns;
  const total = tiles * parts;
  return {
    label: emission.label,
    workgroups: Math.ceil(total / size),
    workgroupSize: size,
    tensors: emission.tensors,
    code: () => ({
      declarations: `var<private> part: u32;\n${emission.declarations()}`,
      body: columnsBody(product, tile, { columns, tiles, total, parts }),
    }),
  };
}

interface Tiling {
  readonly columns: number;
  readonly tiles: number;
  readonly total: number;
  readonly parts: number;
}

function columnsBody(product: ColumnProduct, tile: RegisterTile, { columns, tiles, total, parts }: Tiling): string {
  const { k, n, examples, places, group, masked, bias } = product;
  const rows = range(tile.rows);
  const groups = range(tile.rows / group);
  const vectors = range(tile.columns / 4);
  const ok = (i: number, value: string): string => (masked ? `${value} * ok${i}` : value);
  const read = (i: number): string => (group === 4 ? product.four(`at${i}`) : product.one(`at${i}`));
  const a = (i: number): string => (group === 4 ? `a${i >> 2}.${LANES[i & 3]}` : `a${i}`);
  const [height, width] = places;
  const whole = k % tile.rows === 0;
  const step = lines([
    ...groups.map((i) => `${product.place(String(i))} let a${i} = ${ok(i, read(i))};`),
    ...vectors.map((j) => `let b${j} = x4(row + ${4 * j}u);`),
    ...rows.flatMap((i) => vectors.map((j) => `s${i}${j} += ${a(i)} * b${j};`)),
    ...(bias ? vectors.map((j) => `t${j} += b${j};`) : []),
    `row += ${n}u;`,
  ]);
  const from = parts === 1 ? '0u' : `part * ${examples}u / ${parts}u`;
  const to = parts === 1 ? `${examples}u` : `(part + 1u) * ${examples}u / ${parts}u`;
  return `if (id >= ${total}u) { return; }
part = id / ${tiles}u;
let n = (id % ${columns}u) * ${tile.columns}u;
let k = (id % ${tiles}u / ${columns}u) * ${tile.rows}u;
${lines(rows.flatMap((i) => vectors.map((j) => `var s${i}${j} = vec4<f32>();`)))}
${bias ? lines(vectors.map((j) => `var t${j} = vec4<f32>();`)) : ''}
${lines(groups.map((i) => product.column(String(i), whole ? `k + ${i * group}u` : `min(k + ${i * group}u, ${k - group}u)`)))}
for (var r = ${from}; r < ${to}; r++) {
  ${product.example()}
  var row = ${product.b.offset}u + r * ${height * width * n}u + n;
  ${loop('y', 0, height, 1, lines([...groups.map((i) => product.placeRow(String(i))), loop('x', 0, width, 1, step)]))}
}
${lines(rows.map((i) => emitted(vectors, i, 'k', whole ? undefined : k, n % tile.columns === 0 ? undefined : n)))}
${bias ? `if (k == 0u) { ${lines(vectors.map((j) => `if (n + ${4 * j}u < ${n}u) { emitBias(n + ${4 * j}u, t${j}); }`))} }` : ''}`;
}
