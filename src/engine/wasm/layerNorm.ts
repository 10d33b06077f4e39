/** Layer normalisation (Ba, Kiros and Hinton 2016): every row of the last axis alone. */
import { code, f32, f32x4 } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import type { PlacedLayer } from '../../core/layerShapes.ts';
import type { Layer } from '../../core/network.ts';
import { overColumnBlocks } from './columns.ts';
import { acrossLanes, advance, int, times, vec } from './expressions.ts';
import { overFloats } from './lanes.ts';
import type { Built, Machine, Tensor, Weights } from './machine.ts';

type LayerNorm = Extract<Layer, { readonly kind: 'layerNorm' }>;

const BLOCK_COLUMNS = 32;
/** Mean and one over the deviation of each row, beside each other. */
const ROW_BYTES = 8;

interface Rows {
  readonly width: number;
  /** Of one example. */
  readonly count: number;
  /** Address of what is kept of each row. */
  readonly kept: number;
}

export function layerNormLayer(
  machine: Machine,
  layer: LayerNorm,
  placed: PlacedLayer,
  source: Tensor,
  { weight, gradient }: Weights,
): Built {
  const width = placed.input.at(-1) ?? 1;
  const count = source.size / width;
  const rows: Rows = { width, count, kept: machine.perExample(2 * count) };
  const [gamma = 0, beta = 0] = placed.blocks.map(({ offset }) => 4 * offset);
  const output = machine.tensor(source.size, true);
  machine.kernel(['forward', 'evaluation'], (f) => {
    const scales = { gamma: weight + gamma, beta: weight + beta };
    normalise(machine, f, rows, layer.epsilon, scales, source, output);
  });
  const backward = (): void => {
    machine.kernel(['backward'], (f) => {
      const gradients = { gamma: gradient + gamma, beta: gradient + beta };
      scaleGradients(machine, f, rows, gradients, source, output);
    });
    if (!source.learns) return;
    const adds = machine.addsTo(source);
    machine.kernel(['backward'], (f) => back(machine, f, rows, weight + gamma, source, output, adds));
  };
  return { output, backward };
}

/** Each of this thread's rows; pointers begin at `matrices`, and `kept` at what is kept of the row. */
function overRows(
  machine: Machine,
  f: FunctionBuilder,
  { width, count, kept }: Rows,
  matrices: readonly number[],
  body: (pointers: readonly Local[], kept: Local) => Code,
): void {
  const { from, to } = machine.share(f, int.times(machine.rows, count));
  const pointers = matrices.map(() => f.local('i32'));
  const [keptAt, left] = [f.local('i32'), f.local('i32')];
  f.append(
    keptAt.set(int.plus(int.times(from.get, ROW_BYTES), kept)),
    ...pointers.map((pointer, i) => pointer.set(int.plus(int.times(from.get, 4 * width), matrices[i] ?? 0))),
    times(
      left,
      int.subtract(to.get, from.get),
      body(pointers, keptAt),
      advance(keptAt, ROW_BYTES),
      ...pointers.map((pointer) => advance(pointer, 4 * width)),
    ),
  );
}

function normalise(
  machine: Machine,
  f: FunctionBuilder,
  rows: Rows,
  epsilon: number,
  scales: { readonly gamma: number; readonly beta: number },
  source: Tensor,
  output: Tensor,
): void {
  const { width } = rows;
  const [sum, mean, d, inverse] = vectors(f);
  const [at, to, gamma] = [f.local('i32'), f.local('i32'), f.local('i32')];
  overRows(machine, f, rows, [source.value, output.value], ([x, y], kept) =>
    code(
      code(sum.set(vec.of(0)), at.set(x?.get ?? [])),
      overFloats(f, width, [at], (lanes) => sum.set(vec.add(sum.get, lanes.load(at.get)))),
      mean.set(vec.divide(acrossLanes(d, sum.get, vec.add), vec.of(width))),
      code(sum.set(vec.of(0)), at.set(x?.get ?? [])),
      overFloats(f, width, [at], (lanes) =>
        code(
          d.set(lanes.only(vec.subtract(lanes.load(at.get), mean.get))),
          sum.set(vec.add(sum.get, vec.multiply(d.get, d.get))),
        ),
      ),
      sum.set(vec.divide(acrossLanes(d, sum.get, vec.add), vec.of(width))),
      inverse.set(vec.divide(vec.of(1), vec.squareRoot(vec.add(sum.get, vec.of(epsilon))))),
      code(kept.get, mean.get, f32x4.lane(0), f32.store(0)),
      code(kept.get, inverse.get, f32x4.lane(0), f32.store(4)),
      code(at.set(x?.get ?? []), to.set(y?.get ?? []), gamma.set(int.of(scales.gamma))),
      overFloats(f, width, [at, to, gamma], (lanes) => {
        const normalised = vec.multiply(vec.subtract(lanes.load(at.get), mean.get), inverse.get);
        const beta = lanes.load(int.plus(gamma.get, scales.beta - scales.gamma));
        return lanes.store(to.get, vec.add(vec.multiply(normalised, lanes.load(gamma.get)), beta));
      }),
    ),
  );
}

/** dx = (γg − mean(γg) − x̂ · mean(γg · x̂)) / σ. */
function back(
  machine: Machine,
  f: FunctionBuilder,
  rows: Rows,
  gammaAt: number,
  source: Tensor,
  output: Tensor,
  adds: boolean,
): void {
  const { width } = rows;
  const [mean, inverse, sum, product] = vectors(f);
  const [hat, scaled, scratch] = vectors(f);
  const [at, g, gamma, to] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
  overRows(machine, f, rows, [source.value, output.gradient, source.gradient], ([x, given, back], kept) => {
    const begin = code(at.set(x?.get ?? []), g.set(given?.get ?? []), gamma.set(int.of(gammaAt)));
    const perValue = (load: (pointer: Local) => Code): Code =>
      code(
        hat.set(vec.multiply(vec.subtract(load(at), mean.get), inverse.get)),
        scaled.set(vec.multiply(load(g), load(gamma))),
      );
    return code(
      mean.set(vec.loadSplat(kept.get)),
      inverse.set(vec.loadSplat(kept.get, 4)),
      code(sum.set(vec.of(0)), product.set(vec.of(0)), begin),
      overFloats(f, width, [at, g, gamma], (lanes) =>
        code(
          perValue((pointer) => lanes.load(pointer.get)),
          sum.set(vec.add(sum.get, scaled.get)),
          // The gradient is zero in lanes that do not count.
          product.set(vec.add(product.get, vec.multiply(scaled.get, hat.get))),
        ),
      ),
      sum.set(vec.divide(acrossLanes(scratch, sum.get, vec.add), vec.of(width))),
      product.set(vec.divide(acrossLanes(scratch, product.get, vec.add), vec.of(width))),
      code(begin, to.set(back?.get ?? [])),
      overFloats(f, width, [at, g, gamma, to], (lanes) => {
        const free = vec.subtract(vec.subtract(scaled.get, sum.get), vec.multiply(hat.get, product.get));
        const value = vec.multiply(free, inverse.get);
        return code(
          perValue((pointer) => lanes.load(pointer.get)),
          lanes.store(to.get, adds ? vec.add(lanes.load(to.get), value) : value),
        );
      }),
    );
  });
}

function scaleGradients(
  machine: Machine,
  f: FunctionBuilder,
  { width, count, kept }: Rows,
  gradients: { readonly gamma: number; readonly beta: number },
  source: Tensor,
  output: Tensor,
): void {
  const [x, g, row, left] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
  const [mean, inverse, given] = vectors(f);
  overColumnBlocks(machine, f, width, BLOCK_COLUMNS, (block, at) => {
    const sums = block.map((column) => ({ column, gamma: f.local('v128'), beta: f.local('v128') }));
    const each = sums.map(({ column: { lanes, offset }, gamma, beta }) => {
      const hat = vec.multiply(vec.subtract(lanes.load(x.get, offset), mean.get), inverse.get);
      return code(
        given.set(lanes.load(g.get, offset)),
        gamma.set(vec.add(gamma.get, vec.multiply(given.get, hat))),
        beta.set(vec.add(beta.get, given.get)),
      );
    });
    return code(
      ...sums.map(({ gamma, beta }) => code(gamma.set(vec.of(0)), beta.set(vec.of(0)))),
      code(x.set(int.plus(at.get, source.value)), g.set(int.plus(at.get, output.gradient)), row.set(int.of(kept))),
      times(
        left,
        int.times(machine.rows, count),
        code(mean.set(vec.loadSplat(row.get)), inverse.set(vec.loadSplat(row.get, 4))),
        ...each,
        code(advance(x, 4 * width), advance(g, 4 * width), advance(row, ROW_BYTES)),
      ),
      ...sums.map(({ column: { lanes, offset }, gamma, beta }) =>
        code(
          lanes.store(int.plus(at.get, gradients.gamma), gamma.get, offset),
          lanes.store(int.plus(at.get, gradients.beta), beta.get, offset),
        ),
      ),
    );
  });
}

function vectors(f: FunctionBuilder): [Local, Local, Local, Local] {
  return [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')];
}
