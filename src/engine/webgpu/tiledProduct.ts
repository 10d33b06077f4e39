/**
 * The same products through workgroup memory: a workgroup loads a tile of both operands once, and all its invocations read
 * it from there. For adapters whose memory is slower than their arithmetic, which is every real one.
 */
import type { ColumnProduct, Emission, RowProduct } from './product.ts';
import type { Kernel } from './wgsl.ts';

/** Each invocation computes 4 by 4 of a square tile of `side`. */
export interface WorkgroupTile {
  readonly side: 32 | 64;
}

/** How far along the reduction a tile goes. */
const DEPTH = 16;

export function tiledRows(product: RowProduct, tile: WorkgroupTile, emission: Emission): Kernel {
  const { m, n, inner, taps, masked, base, strides } = product;
  const [height, width] = taps;
  return tiled({
    tile,
    emission,
    shape: { rows: m, columns: n, parts: 1 },
    // Beside each other in memory: along the reduction for a, along whichever has stride 1 for b.
    alongReduction: { a: true, b: strides.inner === 1 },
    from: '0u',
    to: `${inner * height * width}u`,
    fetches: () => `fn fetchA(m: u32, k: u32) -> f32 {
  let c = k % ${inner}u;
  let th = k / ${inner}u / ${width}u;
  let tw = k / ${inner}u % ${width}u;
  ${product.row('0', 'm')}
  ${product.tapRow('0')}
  ${product.tap('0')}
  return ${product.one('at0 + c')}${masked ? ' * ok0' : ''};
}
fn fetchB(k: u32, n: u32) -> f32 {
  return params[${base}u + (k / ${inner}u) * ${strides.tap}u + (k % ${inner}u) * ${strides.inner}u + n * ${strides.n}u];
}`,
    emit: (row) => `emit(${row}, n, s);`,
  });
}

export function tiledColumns(product: ColumnProduct, tile: WorkgroupTile, emission: Emission, parts: number): Kernel {
  const { k, n, examples, places, masked, bias, b } = product;
  const [height, width] = places;
  const area = height * width;
  const part = (which: string): string => `(${which} * ${examples}u / ${parts}u) * ${area}u`;
  return tiled({
    tile,
    emission,
    shape: { rows: bias ? k + 1 : k, columns: n, parts },
    alongReduction: { a: false, b: false },
    from: part('number'),
    to: part('(number + 1u)'),
    fetches: () => `fn fetchA(k: u32, m: u32) -> f32 {
  ${bias ? `if (k == ${k}u) { return 1.0; }` : ''}
  let r = m / ${area}u;
  let y = m % ${area}u / ${width}u;
  let x = m % ${width}u;
  ${product.column('0', 'k')}
  ${product.example()}
  ${product.placeRow('0')}
  ${product.place('0')}
  return ${product.one('at0')}${masked ? ' * ok0' : ''};
}
fn fetchB(m: u32, n: u32) -> f32 { return arena[${b.offset}u + m * ${n}u + n]; }`,
    emit: (row) =>
      bias ? `if (${row} == ${k}u) { emitBias(n, s); } else { emit(${row}, n, s); }` : `emit(${row}, n, s);`,
  });
}

interface Tiled {
  readonly tile: WorkgroupTile;
  readonly emission: Emission;
  readonly shape: { readonly rows: number; readonly columns: number; readonly parts: number };
  readonly alongReduction: { readonly a: boolean; readonly b: boolean };
  /** Bounds of the reduction. */
  readonly from: string;
  readonly to: string;
  /** fetchA(row, reduced) and fetchB(reduced, column). */
  readonly fetches: () => string;
  /** Stores `s`, four columns from `n`, at a row. */
  readonly emit: (row: string) => string;
}

function tiled({ tile, emission, shape, alongReduction, from, to, fetches, emit }: Tiled): Kernel {
  const { side } = tile;
  const size = (side / 4) ** 2;
  const across = Math.ceil(shape.columns / side);
  const tiles = across * Math.ceil(shape.rows / side);
  const fill = (name: 'A' | 'B', along: boolean, limit: number, origin: string): string => `
  for (var l = local; l < ${side * DEPTH}u; l += ${size}u) {
    let d = ${along ? `l % ${DEPTH}u` : `l / ${side}u`};
    let e = ${along ? `l / ${DEPTH}u` : `l % ${side}u`};
    var value = 0.0;
    if (at + d < end && ${origin} + e < ${limit}u) { value = fetch${name}(${name === 'A' ? `${origin} + e, at + d` : `at + d, ${origin} + e`}); }
    tile${name}[d * ${side}u + e] = value;
  }`;
  const lane = (name: string, position: string): string =>
    `vec4<f32>(${[0, 1, 2, 3].map((i) => `tile${name}[d * ${side}u + ${position} + ${i}u]`).join(', ')})`;
  return {
    label: emission.label,
    workgroups: tiles * shape.parts,
    workgroupSize: size,
    tensors: emission.tensors,
    code: () => ({
      declarations: `var<private> part: u32;
var<workgroup> tileA: array<f32, ${side * DEPTH}>;
var<workgroup> tileB: array<f32, ${side * DEPTH}>;
${fetches()}
${emission.declarations()}`,
      body: `let number = group / ${tiles}u;
part = number;
let left = group % ${across}u * ${side}u;
let top = group % ${tiles}u / ${across}u * ${side}u;
let column = local % ${side / 4}u * 4u;
let row = local / ${side / 4}u * 4u;
let end = ${to};
var sums: array<vec4<f32>, 4>;
for (var at = ${from}; at < end; at += ${DEPTH}u) {
  ${fill('A', alongReduction.a, shape.rows, 'top')}
  ${fill('B', alongReduction.b, shape.columns, 'left')}
  workgroupBarrier();
  for (var d = 0u; d < ${DEPTH}u; d++) {
    let a = ${lane('A', 'row')};
    let b = ${lane('B', 'column')};
    sums[0] += a.x * b; sums[1] += a.y * b; sums[2] += a.z * b; sums[3] += a.w * b;
  }
  workgroupBarrier();
}
let n = left + column;
if (n >= ${shape.columns}u) { return; }
${[0, 1, 2, 3].map((i) => `{ let s = sums[${i}]; if (top + row + ${i}u < ${shape.rows}u) { ${emit(`top + row + ${i}u`)} } }`).join('\n')}`,
    }),
  };
}
