/**
 * The right factor of a product, copied into panels of up to eight columns that lie row after row, so that the innermost
 * loop reads it straight on (Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication", section 4).
 */
import { code, f32 } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import { advance, int, pick, times, vec } from './expressions.ts';

export const PANEL_COLUMNS = 8;

/** How the right factor lies in memory; steps are in bytes. */
export interface RightFactor {
  /** `rows`: the columns of one row lie side by side. `columns`: the rows of one column do. */
  readonly order: 'rows' | 'columns';
  /** From a row to the next, or from a column to the next. */
  readonly step: number;
  /** Parts of the depth that lie apart, e.g. the taps of a filter; the first one begins `first` bytes on. */
  readonly parts: { readonly count: number; readonly step: number; readonly first: number };
}

/** Floats of a panel's row that hold `columns` columns: whole vectors. */
export function panelWidth(columns: number): 4 | 8 {
  return columns <= 4 ? 4 : 8;
}

/** Copies `columns` columns from `source` on into the panel at `target`. `depth` rows in each part. */
export function packPanel(
  f: FunctionBuilder,
  factor: RightFactor,
  columns: number,
  depth: number | Code,
  source: Code,
  target: Code,
): Code {
  const [from, to, part, left] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const width = panelWidth(columns);
  const count = typeof depth === 'number' ? int.of(depth) : depth;
  const one =
    factor.order === 'rows'
      ? times(left, count, copyRow(from, to, columns, 4), advance(from, factor.step), advance(to, 4 * width))
      : columnsOf(f, factor, columns, depth, from, to, left);
  const { parts } = factor;
  const begin = code(part.set(int.plus(source, parts.first)), to.set(target));
  if (parts.count === 1) return code(begin, from.set(part.get), one);
  const turns = f.local('i32');
  return code(begin, times(turns, int.of(parts.count), from.set(part.get), one, advance(part, parts.step)));
}

/** One row of a panel, zeros behind its last column; `apart` is from one column to the next. */
function copyRow(from: Local, to: Local, columns: number, apart: number): Code {
  const parts: Code[] = [];
  for (let i = 0; i < panelWidth(columns); i += 4) {
    if (apart === 4 && i + 4 <= columns) {
      parts.push(vec.store(to.get, vec.load(from.get, 4 * i), 4 * i));
      continue;
    }
    for (let j = i; j < i + 4; j++) {
      const value = j < columns ? [...from.get, ...f32.load(j * apart)] : f32.constant(0);
      parts.push([...to.get, ...value, ...f32.store(4 * j)]);
    }
  }
  return code(...parts);
}

function columnsOf(
  f: FunctionBuilder,
  factor: RightFactor,
  columns: number,
  depth: number | Code,
  from: Local,
  to: Local,
  left: Local,
): Code {
  const width = panelWidth(columns);
  const single = code(copyRow(from, to, columns, factor.step), advance(from, 4), advance(to, 4 * width));
  const all = typeof depth === 'number' ? int.of(depth) : depth;
  if (columns !== width) return times(left, all, single);
  const v = [0, 1, 2, 3].map(() => f.local('v128'));
  const h = [0, 1, 2, 3].map(() => f.local('v128'));
  const blocks: Code[] = [];
  for (let j = 0; j < width; j += 4) {
    const get = (locals: readonly Local[], i: number): Code => locals[i]?.get ?? [];
    const half = (i: number, a: number, b: number, ...by: [number, number, number, number]): Code =>
      h[i]?.set(pick(get(v, a), get(v, b), ...by)) ?? [];
    blocks.push(
      ...v.map((local, i) => local.set(vec.load(from.get, (j + i) * factor.step))),
      half(0, 0, 1, 0, 4, 1, 5),
      half(1, 2, 3, 0, 4, 1, 5),
      half(2, 0, 1, 2, 6, 3, 7),
      half(3, 2, 3, 2, 6, 3, 7),
      vec.store(to.get, pick(get(h, 0), get(h, 1), 0, 1, 4, 5), 4 * j),
      vec.store(to.get, pick(get(h, 0), get(h, 1), 2, 3, 6, 7), 4 * (j + width)),
      vec.store(to.get, pick(get(h, 2), get(h, 3), 0, 1, 4, 5), 4 * (j + 2 * width)),
      vec.store(to.get, pick(get(h, 2), get(h, 3), 2, 3, 6, 7), 4 * (j + 3 * width)),
    );
  }
  const four = code(...blocks, advance(from, 16), advance(to, 16 * width));
  return code(times(left, int.divide(all, int.of(4)), four), times(left, int.remainder(all, int.of(4)), single));
}
