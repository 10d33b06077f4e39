/**
 * A dense layer's product with its reduction cut into slices, one for each invocation of a part of the workgroup. For a
 * real adapter and a small batch, which would otherwise leave most of it idle while a few invocations add up.
 */
import { reductionSteps } from './product.ts';
import type { Emission, RowProduct } from './product.ts';
import type { Kernel } from './wgsl.ts';

const SIZE = 64;
const SLICES = 16;
const TILES = SIZE / SLICES;
const ROWS = 4;
const COLUMNS = 4;
/** Below this a slice has nothing to do. */
const MIN_INNER = 4 * SLICES;

export function canBeSliced({ taps, inner }: RowProduct): boolean {
  return taps[0] === 1 && taps[1] === 1 && inner >= MIN_INNER;
}

export function slicedRows(product: RowProduct, emission: Emission): Kernel {
  const { m, n, inner, base } = product;
  const columns = Math.ceil(n / COLUMNS);
  const total = Math.ceil(m / ROWS) * columns;
  const wide = inner - (inner % 4);
  const rows = [0, 1, 2, 3];
  return {
    label: emission.label,
    workgroups: Math.ceil(total / TILES),
    workgroupSize: SIZE,
    tensors: emission.tensors,
    code: () => {
      const { four, one } = reductionSteps(product, rows, [0]);
      return {
        declarations: `var<workgroup> shares: array<vec4<f32>, ${SIZE * ROWS}>;\n${emission.declarations()}`,
        body: `let slice = local / ${TILES}u;
let tile = group * ${TILES}u + local % ${TILES}u;
let n = tile % ${columns}u * ${COLUMNS}u;
let m = tile / ${columns}u * ${ROWS}u;
${rows.map((i) => `var s${i}0 = vec4<f32>();`).join(' ')}
if (tile < ${total}u) {
  let b = ${base}u; let th = 0u; let tw = 0u;
  ${rows.map((i) => `${product.row(String(i), `min(m + ${i}u, ${m - 1}u)`)} ${product.tapRow(String(i))} ${product.tap(String(i))}`).join('\n')}
  for (var c = slice * 4u; c < ${wide}u; c += ${4 * SLICES}u) { ${four} }
  for (var c = ${wide}u + slice; c < ${inner}u; c += ${SLICES}u) { ${one} }
}
${rows.map((i) => `shares[${i * SIZE}u + local] = s${i}0;`).join(' ')}
workgroupBarrier();
if (slice >= ${ROWS}u || tile >= ${total}u || m + slice >= ${m}u) { return; }
var sum = vec4<f32>();
for (var i = local % ${TILES}u; i < ${SIZE}u; i += ${TILES}u) { sum += shares[slice * ${SIZE}u + i]; }
emit(m + slice, n, sum);`,
      };
    },
  };
}
