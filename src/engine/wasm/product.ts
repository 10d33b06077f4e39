/**
 * Products of matrices: output = left · right, for every layout that layers need. The output is computed in tiles of a few
 * rows by eight columns that stay in registers over the whole depth; shapes and steps are constants of the function, so
 * the innermost loop has two pointers and no other arithmetic on addresses.
 */
import { code, f32x4, v128, when } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import { FunctionBuilder } from '../../core/wasmModule.ts';
import type { Local } from '../../core/wasmModule.ts';
import { advance, int, times, vec, whileBelow, whileTrue } from './expressions.ts';
import { PANEL_COLUMNS, packPanel, panelWidth } from './packing.ts';
import type { RightFactor } from './packing.ts';

/** Steps are in bytes. `given`: the number that the function is called with. */
export interface ProductShape {
  readonly left: { readonly row: number; readonly depth: number; readonly part: number };
  /** Depth of one part; the left factor's parts lie `left.part` apart. */
  readonly depth: number | 'given';
  readonly parts: number;
  readonly right: RightFactor;
  readonly columns: number;
  readonly rows: number | 'given';
  /** From one row of the output to the next. */
  readonly outputRow: number;
  /** Rows in further dimensions, outermost first. */
  readonly outer: readonly { readonly count: number | 'given'; readonly left: number; readonly output: number }[];
  /** Adds to the output instead of replacing it. */
  readonly accumulates: boolean;
  /** Address of one value for each column, added to every row. */
  readonly bias?: number;
  /** Negative results become zero. */
  readonly rectified?: boolean;
  /** Multiplies every result. */
  readonly scale?: number;
}

/** What the processor at hand can do. */
export interface Arithmetic {
  /** Relaxed SIMD: a product and a sum in one instruction. */
  readonly fused: boolean;
}

// Fifteen vector registers on x86: two for the right factor, one for the left, and one for a product that is not fused.
const TALLEST = { fused: 6, plain: 5 } as const;

/** Straight code for a depth of up to so much. */
const UNROLLED_DEPTH = 8;

export function panelCount(columns: number): number {
  return Math.ceil(columns / PANEL_COLUMNS);
}

/** Bytes of the packed panel that a product needs as scratch; `depth` is all of it. */
export function panelBytes(depth: number): number {
  return depth * PANEL_COLUMNS * 4;
}

/** A function (left, right, output, given, firstPanel, endPanel, scratch). */
export function productFunction(shape: ProductShape, arithmetic: Arithmetic): FunctionBuilder {
  const f = new FunctionBuilder(['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32']);
  const tiles = new TileWriter(f, shape, arithmetic);
  const { columns } = shape;
  const panel = f.parameter(4);
  const whole = Math.floor(columns / PANEL_COLUMNS);
  const end = f.local('i32');
  const all = f.parameter(5).get;
  if (whole > 0) {
    f.append(
      end.set(int.smaller(all, int.of(whole))),
      whileBelow(panel, end.get, 1, tiles.panel(PANEL_COLUMNS, panel)),
    );
  }
  if (columns % PANEL_COLUMNS > 0) {
    const isWanted = int.and(int.below(int.of(whole), all), int.below(panel.get, int.of(whole + 1)));
    f.append(when(isWanted, panel.set(int.of(whole)), tiles.panel(columns % PANEL_COLUMNS, panel)));
  }
  return f;
}

class TileWriter {
  readonly #f: FunctionBuilder;
  readonly #shape: ProductShape;
  readonly #fused: boolean;
  readonly #sums: readonly Local[];
  readonly #rights: readonly Local[];
  readonly #left: Local;
  readonly #leftAt: Local;
  readonly #rightAt: Local;
  readonly #rightEnd: Local;
  readonly #parts: Local;
  readonly #tileLeft: Local;
  readonly #tileOutput: Local;
  readonly #biasAt: Local;

  constructor(f: FunctionBuilder, shape: ProductShape, { fused }: Arithmetic) {
    this.#f = f;
    this.#shape = shape;
    this.#fused = fused;
    const vectors = (count: number): Local[] => Array.from({ length: count }, () => f.local('v128'));
    this.#sums = vectors(2 * TALLEST.fused);
    this.#rights = vectors(2);
    this.#left = f.local('v128');
    [this.#leftAt, this.#rightAt, this.#rightEnd, this.#parts] = pointers(f);
    [this.#tileLeft, this.#tileOutput, this.#biasAt] = pointers(f);
  }

  /** Packs the panel with number `panel`, of `columns` columns, and multiplies it with everything on the left. */
  panel(columns: number, panel: Local): Code {
    const f = this.#f;
    const { right, depth, parts, bias, outer } = this.#shape;
    const source = f.local('i32');
    const panelStep = right.order === 'rows' ? 4 * PANEL_COLUMNS : right.step * PANEL_COLUMNS;
    const perPart = depth === 'given' ? f.parameter(3).get : (depth * parts) / right.parts.count;
    const lefts = [f.parameter(0), ...outer.map(() => f.local('i32'))];
    const outputs = [f.local('i32'), ...outer.map(() => f.local('i32'))];
    const inside = (level: number): Code => {
      const [left, output] = [local(lefts, level), local(outputs, level)];
      const loop = outer[level];
      if (!loop) return this.#rows(columns, left, output);
      const [turns, innerLeft, innerOutput] = [f.local('i32'), local(lefts, level + 1), local(outputs, level + 1)];
      const count = loop.count === 'given' ? f.parameter(3).get : int.of(loop.count);
      // The level's own pointers are needed again for the next panel, so the inner ones move.
      const [movingLeft, movingOutput] = [f.local('i32'), f.local('i32')];
      return code(
        code(movingLeft.set(left.get), movingOutput.set(output.get)),
        times(
          turns,
          count,
          code(innerLeft.set(movingLeft.get), innerOutput.set(movingOutput.get), inside(level + 1)),
          code(advance(movingLeft, loop.left), advance(movingOutput, loop.output)),
        ),
      );
    };
    return code(
      source.set(int.add(f.parameter(1).get, int.times(panel.get, panelStep))),
      packPanel(f, right, columns, perPart, source.get, f.parameter(6).get),
      local(outputs, 0).set(int.add(f.parameter(2).get, int.times(panel.get, 4 * PANEL_COLUMNS))),
      bias === undefined ? [] : this.#biasAt.set(int.plus(int.times(panel.get, 4 * PANEL_COLUMNS), bias)),
      inside(0),
    );
  }

  /** All rows of the innermost dimension, in tiles. */
  #rows(columns: number, left: Local, output: Local): Code {
    const { rows } = this.#shape;
    const tallest = this.#fused ? TALLEST.fused : TALLEST.plain;
    const begin = code(this.#tileLeft.set(left.get), this.#tileOutput.set(output.get));
    const remaining = this.#f.local('i32');
    if (rows === 'given') {
      const some = (height: number): Code => {
        const enough = int.atLeast(remaining.get, int.of(height));
        return whileTrue(enough, this.#tile(height, columns), advance(remaining, -height));
      };
      return code(begin, remaining.set(this.#f.parameter(3).get), ...[tallest, 3, 2, 1].map(some));
    }
    // Tiles of two heights at most, as even as can be.
    const count = Math.ceil(rows / tallest);
    const low = Math.floor(rows / count);
    const higher = rows - low * count;
    const some = (height: number, tiles: number): Code => {
      if (tiles === 0) return [];
      if (tiles === 1) return this.#tile(height, columns);
      return times(remaining, int.of(tiles), this.#tile(height, columns));
    };
    return code(begin, some(low + 1, higher), some(low, count - higher));
  }

  /** One tile, and on to the next. */
  #tile(height: number, columns: number): Code {
    const { left, depth, parts, outputRow } = this.#shape;
    const width = panelWidth(columns);
    const sums = this.#sums.slice(0, (height * width) / 4);
    const zeros = sums.map((sum) => sum.set(vec.of(0)));
    const rowBytes = 4 * width;
    const step = (at: number): Code => {
      const loads = this.#rights
        .slice(0, width / 4)
        .map((right, j) => right.set(vec.load(this.#rightAt.get, at * rowBytes + 16 * j)));
      const rows = Array.from({ length: height }, (_, i) => {
        const loaded = this.#left.set(vec.loadSplat(this.#leftAt.get, i * left.row + at * left.depth));
        const updates = this.#rights.slice(0, width / 4).map((right, j) => {
          const sum = local(sums, (i * width) / 4 + j);
          return sum.set(this.#multiplyAdd(this.#left.get, right.get, sum.get));
        });
        return code(loaded, ...updates);
      });
      return code(...loads, ...rows);
    };
    return code(
      ...zeros,
      code(this.#leftAt.set(this.#tileLeft.get), this.#rightAt.set(this.#f.parameter(6).get)),
      parts === 1
        ? this.#overDepth(depth, rowBytes, step)
        : times(this.#parts, int.of(parts), this.#overDepth(depth, rowBytes, step, left.part)),
      ...Array.from({ length: height }, (_, i) => this.#finish(sums, i, columns)),
      advance(this.#tileLeft, height * left.row),
      advance(this.#tileOutput, height * outputRow),
    );
  }

  #overDepth(depth: number | 'given', rowBytes: number, step: (at: number) => Code, partStep?: number): Code {
    const stepLeft = this.#shape.left.depth;
    const [left, right] = [this.#leftAt, this.#rightAt];
    if (depth === 'given') {
      const end = this.#rightEnd.set(int.add(right.get, int.times(this.#f.parameter(3).get, rowBytes)));
      const body = code(step(0), advance(left, stepLeft));
      return code(end, whileBelow(right, this.#rightEnd.get, rowBytes, body));
    }
    const unrolled = depth <= UNROLLED_DEPTH ? depth : ([4, 3, 2, 1].find((by) => depth % by === 0) ?? 1);
    const steps = code(...Array.from({ length: unrolled }, (_, at) => step(at)));
    if (unrolled === depth) {
      return partStep === undefined ? steps : code(steps, advance(left, partStep), advance(right, depth * rowBytes));
    }
    return code(
      this.#rightEnd.set(int.plus(right.get, depth * rowBytes)),
      whileBelow(right, this.#rightEnd.get, unrolled * rowBytes, steps, advance(left, unrolled * stepLeft)),
      partStep === undefined ? [] : advance(left, partStep - depth * stepLeft),
    );
  }

  #multiplyAdd(a: Code, b: Code, c: Code): Code {
    return this.#fused ? code(a, b, c, f32x4.relaxedMultiplyAdd) : vec.add(c, vec.multiply(a, b));
  }

  /** Row `i` of a tile from registers to the output. */
  #finish(sums: readonly Local[], i: number, columns: number): Code {
    const { outputRow, accumulates, bias, rectified, scale } = this.#shape;
    const width = panelWidth(columns);
    const parts: Code[] = [];
    for (let j = 0; j < columns; j += 4) {
      const sum = local(sums, (i * width) / 4 + j / 4);
      const offset = i * outputRow + 4 * j;
      const count = Math.min(4, columns - j);
      let value = sum.get;
      if (scale !== undefined) value = vec.multiply(value, vec.of(scale));
      if (bias !== undefined) value = vec.add(value, vec.load(this.#biasAt.get, 4 * j));
      if (accumulates) value = vec.add(value, vec.load(this.#tileOutput.get, offset));
      if (rectified) value = vec.maximum(value, vec.of(0));
      parts.push(sum.set(value), storeSome(this.#tileOutput.get, sum.get, offset, count));
    }
    return code(...parts);
  }
}

/** The first `count` lanes. */
export function storeSome(address: Code, value: Code, offset: number, count: number): Code {
  if (count === 4) return vec.store(address, value, offset);
  const pair = count >= 2 ? code(address, value, v128.store64Lane(offset, 0)) : [];
  const last = count - 1;
  return count === 2 ? pair : code(pair, address, value, v128.store32Lane(offset + 4 * last, last));
}

function pointers(f: FunctionBuilder): [Local, Local, Local, Local] {
  return [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
}

function local(locals: readonly Local[], index: number): Local {
  const found = locals[index];
  if (!found) throw new RangeError(`local ${index} of ${locals.length}`);
  return found;
}
