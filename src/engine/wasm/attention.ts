/**
 * Causal scaled dot-product attention (Vaswani et al. 2017, section 3.2.1), each head of each example by products of small
 * matrices: S = QKᵀ/√d, P = softmax(S) below the diagonal, O = PV.
 */
import { call, code } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import type { PlacedLayer } from '../../core/layerShapes.ts';
import type { Layer } from '../../core/network.ts';
import { ONE_PART } from './dense.ts';
import { acrossLanes, advance, int, times, vec } from './expressions.ts';
import { Functions } from './functions.ts';
import { overFloats } from './lanes.ts';
import type { Built, Machine, Tensor } from './machine.ts';
import { panelCount } from './product.ts';
import type { ProductShape } from './product.ts';

type Attention = Extract<Layer, { readonly kind: 'attention' }>;

interface Sizes {
  readonly length: number;
  readonly heads: number;
  /** Width of one head. */
  readonly width: number;
}

export function attentionLayer(machine: Machine, layer: Attention, placed: PlacedLayer, source: Tensor): Built {
  const [length = 1, both = 1] = placed.output;
  const sizes: Sizes = { length, heads: layer.heads, width: both / layer.heads };
  const output = machine.tensor(length * both, source.learns);
  const square = length * length;
  const weights = machine.perExample(sizes.heads * square);
  const shape = shapesOf(sizes);
  const scores = machine.product(shape.scores, sizes.width);
  const mix = machine.product(shape.mix, length);
  machine.kernel(['forward', 'evaluation'], (f) =>
    overHeads(machine, f, sizes, source.value, output.value, weights, (q, o, p) => {
      const [k, v] = [int.plus(q.get, 4 * both), int.plus(q.get, 8 * both)];
      return code(
        productOf(machine, scores, length, q.get, k, p.get),
        causalSoftmax(f, p, length),
        productOf(machine, mix, sizes.width, p.get, v, o.get),
      );
    }),
  );
  const backward = (): void => {
    if (!source.learns) return;
    const accumulates = machine.addsTo(source);
    const [toWeights, toValues] = [machine.product(shape.toWeights, sizes.width), shape.toValues];
    const values = machine.product({ ...toValues, accumulates }, length);
    const queries = machine.product({ ...shape.toQueries, accumulates }, length);
    const keys = machine.product({ ...shape.toKeys, accumulates }, length);
    const changes = machine.perExample(sizes.heads * square);
    machine.kernel(['backward'], (f) =>
      overHeads(machine, f, sizes, source.value, output.gradient, weights, (q, g, p) => {
        const d = int.plus(p.get, changes - weights);
        const toSource = int.plus(q.get, source.gradient - source.value);
        const [k, v] = [int.plus(q.get, 4 * both), int.plus(q.get, 8 * both)];
        return code(
          productOf(machine, toWeights, length, g.get, v, d),
          backThroughSoftmax(f, p, changes - weights, sizes),
          productOf(machine, values, sizes.width, p.get, g.get, int.plus(toSource, 8 * both)),
          productOf(machine, queries, sizes.width, d, k, toSource),
          productOf(machine, keys, sizes.width, d, q.get, int.plus(toSource, 4 * both)),
        );
      }),
    );
  };
  return { output, backward };
}

/** q, k and v are [length, 3 · all heads], o is [length, all heads], p is [length, length]. */
function shapesOf({
  length,
  heads,
  width,
}: Sizes): Record<'scores' | 'mix' | 'toWeights' | 'toValues' | 'toQueries' | 'toKeys', ProductShape> {
  const outputRow = 4 * heads * width;
  const inputRow = 3 * outputRow;
  const squareRow = 4 * length;
  const common = { parts: 1, outer: [], accumulates: false, rows: length };
  const columns = (step: number) => ({ order: 'columns', step, parts: ONE_PART }) as const;
  const rows = (step: number) => ({ order: 'rows', step, parts: ONE_PART }) as const;
  const byRow = (row: number) => ({ row, depth: 4, part: 0 });
  const byColumn = (depth: number) => ({ row: 4, depth, part: 0 });
  const square = { ...common, depth: width, columns: length, outputRow: squareRow };
  const long = { ...common, depth: length, columns: width };
  return {
    scores: { ...square, left: byRow(inputRow), right: columns(inputRow), scale: 1 / Math.sqrt(width) },
    mix: { ...long, left: byRow(squareRow), right: rows(inputRow), outputRow },
    toWeights: { ...square, left: byRow(outputRow), right: columns(inputRow) },
    toValues: { ...long, left: byColumn(squareRow), right: rows(outputRow), outputRow: inputRow },
    toQueries: { ...long, left: byRow(squareRow), right: rows(inputRow), outputRow: inputRow },
    toKeys: { ...long, left: byColumn(squareRow), right: rows(inputRow), outputRow: inputRow },
  };
}

function productOf(machine: Machine, index: number, columns: number, left: Code, right: Code, output: Code): Code {
  const panels = [int.of(0), int.of(panelCount(columns))];
  return code(left, right, output, int.of(0), ...panels, machine.scratch, call(index));
}

/** Every head of this thread's examples: where its queries, its output and its weights are. */
function overHeads(
  machine: Machine,
  f: FunctionBuilder,
  { length, heads, width }: Sizes,
  input: number,
  output: number,
  weights: number,
  body: (q: Local, o: Local, p: Local) => Code,
): void {
  const { from, to } = machine.share(f, int.times(machine.rows, heads));
  const [q, o, p, unit] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
  const left = f.local('i32');
  const all = 4 * length * heads * width;
  const place = (step: number, at: number): Code => {
    const example = int.times(int.divide(unit.get, int.of(heads)), step);
    return int.plus(int.add(example, int.times(int.remainder(unit.get, int.of(heads)), 4 * width)), at);
  };
  f.append(
    unit.set(from.get),
    times(
      left,
      int.subtract(to.get, from.get),
      code(q.set(place(3 * all, input)), o.set(place(all, output))),
      p.set(int.plus(int.times(unit.get, 4 * length * length), weights)),
      body(q, o, p),
      advance(unit, 1),
    ),
  );
}

/** Row i over its first i + 1 columns; zeros behind them. */
function causalSoftmax(f: FunctionBuilder, p: Local, length: number): Code {
  const [row, at, count, left] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
  const [most, sum, x, scratch] = [0, 1, 2, 3].map(() => f.local('v128')) as [Local, Local, Local, Local];
  const functions = new Functions(f);
  const begin = at.set(row.get);
  return code(
    code(row.set(p.get), count.set(int.of(1))),
    times(
      left,
      int.of(length),
      code(most.set(vec.loadSplat(row.get)), begin),
      // Lanes that do not count repeat the row's first value, which cannot be more than the most.
      overFloats(f, count.get, [at], (lanes) =>
        most.set(vec.maximum(most.get, lanes.count === 4 ? lanes.load(at.get) : vec.loadSplat(at.get))),
      ),
      most.set(acrossLanes(scratch, most.get, vec.maximum)),
      code(sum.set(vec.of(0)), begin),
      overFloats(f, count.get, [at], (lanes) =>
        code(
          x.set(lanes.only(functions.exponential(vec.subtract(lanes.load(at.get), most.get)))),
          sum.set(vec.add(sum.get, x.get)),
          lanes.store(at.get, x.get),
        ),
      ),
      sum.set(vec.divide(vec.of(1), acrossLanes(scratch, sum.get, vec.add))),
      begin,
      overFloats(f, count.get, [at], (lanes) => lanes.store(at.get, vec.multiply(lanes.load(at.get), sum.get))),
      overFloats(f, int.subtract(int.of(length), count.get), [at], (lanes) => lanes.store(at.get, vec.of(0))),
      code(advance(row, 4 * length), advance(count, 1)),
    ),
  );
}

/** d ← P · (d − Σ P · d) / √width, row by row, where d is `apart` bytes behind P. */
function backThroughSoftmax(f: FunctionBuilder, p: Local, apart: number, { length, width }: Sizes): Code {
  const [at, left] = [f.local('i32'), f.local('i32')];
  const row = f.local('i32');
  const [sum, scratch] = [f.local('v128'), f.local('v128')];
  const d = int.plus(at.get, apart);
  return code(
    row.set(p.get),
    times(
      left,
      int.of(length),
      code(sum.set(vec.of(0)), at.set(row.get)),
      overFloats(f, length, [at], (lanes) =>
        sum.set(vec.add(sum.get, vec.multiply(lanes.load(at.get), lanes.load(d)))),
      ),
      code(sum.set(acrossLanes(scratch, sum.get, vec.add)), at.set(row.get)),
      overFloats(f, length, [at], (lanes) => {
        const free = vec.subtract(lanes.load(d), sum.get);
        const value = vec.multiply(vec.multiply(lanes.load(at.get), free), vec.of(1 / Math.sqrt(width)));
        return lanes.store(d, value);
      }),
      advance(row, 4 * length),
    ),
  );
}
