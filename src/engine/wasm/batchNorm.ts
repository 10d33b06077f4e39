/** Batch normalisation (Ioffe and Szegedy 2015): every column of the last axis over all rows of the batch. */
import { code } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import { f32, f32x4 } from '../../core/wasmAssembler.ts';
import type { PlacedLayer } from '../../core/layerShapes.ts';
import type { Layer } from '../../core/network.ts';
import { overColumnBlocks } from './columns.ts';
import type { Columns } from './columns.ts';
import { int, times, vec } from './expressions.ts';
import type { Built, Machine, Tensor, Weights } from './machine.ts';

type BatchNorm = Extract<Layer, { readonly kind: 'batchNorm' }>;

/** One cache line. */
const BLOCK_COLUMNS = 16;

/** Addresses of one value for each column. */
interface Places {
  readonly gamma: number;
  readonly beta: number;
  readonly movingMean: number;
  readonly movingVariance: number;
  /** Of the batch: kept for the way back. */
  readonly mean: number;
  readonly inverse: number;
}

export function batchNormLayer(
  machine: Machine,
  layer: BatchNorm,
  placed: PlacedLayer,
  source: Tensor,
  { weight, gradient }: Weights,
): Built {
  const columns = placed.input.at(-1) ?? 1;
  const [gamma = 0, beta = 0, movingMean = 0, movingVariance = 0] = placed.blocks.map(({ offset }) => 4 * offset);
  const places: Places = {
    gamma: weight + gamma,
    beta: weight + beta,
    movingMean: weight + movingMean,
    movingVariance: weight + movingVariance,
    mean: machine.allocate(4 * columns + 16),
    inverse: machine.allocate(4 * columns + 16),
  };
  const output = machine.tensor(source.size, true);
  const over = { machine, columns, rowsOfOne: source.size / columns };
  machine.kernel(['forward'], (f) =>
    (layer.frozen ? byMovingStatistics : normalise)(over, f, layer, places, source, output),
  );
  machine.kernel(['evaluation'], (f) => byMovingStatistics(over, f, layer, places, source, output));
  const backward = (): void => {
    const adds = source.learns && machine.addsTo(source);
    if (layer.frozen) {
      if (source.learns) machine.kernel(['backward'], (f) => scaleBack(over, f, layer, places, source, output, adds));
      return;
    }
    machine.kernel(['backward'], (f) => {
      const gradients = { gamma: gradient + gamma, beta: gradient + beta };
      back(over, f, places, gradients, source, output, adds);
    });
  };
  return { output, backward };
}

interface Over {
  readonly machine: Machine;
  readonly columns: number;
  /** Rows that one example has. */
  readonly rowsOfOne: number;
}

/** A pass over all rows of a block of columns. Addresses are of matrices; the body has a pointer into each. */
function pass(
  { machine, columns, rowsOfOne }: Over,
  f: FunctionBuilder,
  at: Local,
  matrices: readonly number[],
  body: (pointers: readonly Local[]) => Code,
): Code {
  const left = f.local('i32');
  const pointers = matrices.map(() => f.local('i32'));
  return code(
    ...pointers.map((pointer, i) => pointer.set(int.plus(at.get, matrices[i] ?? 0))),
    times(
      left,
      int.times(machine.rows, rowsOfOne),
      body(pointers),
      ...pointers.map((pointer) => pointer.set(int.plus(pointer.get, 4 * columns))),
    ),
  );
}

/** One over the number of rows, in every lane. */
function perRow({ machine, rowsOfOne }: Over): Code {
  const rows = code(int.times(machine.rows, rowsOfOne), f32.fromInteger);
  return code(f32.constant(1), rows, f32.divide, f32x4.splat);
}

const of = (locals: readonly Local[], i: number): Local => {
  const local = locals[i];
  if (!local) throw new RangeError(`local ${i} of ${locals.length}`);
  return local;
};

function normalise(
  over: Over,
  f: FunctionBuilder,
  { momentum, epsilon }: BatchNorm,
  places: Places,
  source: Tensor,
  output: Tensor,
): void {
  const share = f.local('v128');
  f.append(share.set(perRow(over)));
  const d = f.local('v128');
  overColumnBlocks(over.machine, f, over.columns, BLOCK_COLUMNS, (block, at) => {
    const means = block.map(() => f.local('v128'));
    const sums = block.map(() => f.local('v128'));
    const each = (body: (column: Columns, i: number) => Code): Code => code(...block.map(body));
    const followed = (place: number, value: Code, { lanes, offset }: Columns): Code => {
      const address = int.plus(at.get, place);
      const old = vec.multiply(lanes.load(address, offset), vec.of(momentum));
      return lanes.store(address, vec.add(old, vec.multiply(value, vec.of(1 - momentum))), offset);
    };
    const zero = sums.map((sum) => sum.set(vec.of(0)));
    return code(
      ...zero,
      pass(over, f, at, [source.value], ([x]) =>
        each(({ lanes, offset }, i) => of(sums, i).set(vec.add(of(sums, i).get, lanes.load(x?.get ?? [], offset)))),
      ),
      each((_, i) => of(means, i).set(vec.multiply(of(sums, i).get, share.get))),
      ...zero,
      pass(over, f, at, [source.value], ([x]) =>
        each(({ lanes, offset }, i) =>
          code(
            d.set(vec.subtract(lanes.load(x?.get ?? [], offset), of(means, i).get)),
            of(sums, i).set(vec.add(of(sums, i).get, vec.multiply(d.get, d.get))),
          ),
        ),
      ),
      each((column, i) => {
        const { lanes, offset } = column;
        const sum = of(sums, i);
        const inverse = vec.divide(vec.of(1), vec.squareRoot(vec.add(sum.get, vec.of(epsilon))));
        return code(
          sum.set(vec.multiply(sum.get, share.get)),
          followed(places.movingMean, of(means, i).get, column),
          followed(places.movingVariance, sum.get, column),
          sum.set(inverse),
          lanes.store(int.plus(at.get, places.mean), of(means, i).get, offset),
          lanes.store(int.plus(at.get, places.inverse), sum.get, offset),
        );
      }),
      pass(over, f, at, [source.value, output.value], ([x, y]) =>
        each(({ lanes, offset }, i) => {
          const centred = vec.subtract(lanes.load(x?.get ?? [], offset), of(means, i).get);
          const gamma = lanes.load(int.plus(at.get, places.gamma), offset);
          const beta = lanes.load(int.plus(at.get, places.beta), offset);
          const scaled = vec.multiply(vec.multiply(centred, of(sums, i).get), gamma);
          return lanes.store(y?.get ?? [], vec.add(scaled, beta), offset);
        }),
      ),
    );
  });
}

function byMovingStatistics(
  over: Over,
  f: FunctionBuilder,
  { epsilon }: BatchNorm,
  places: Places,
  source: Tensor,
  output: Tensor,
): void {
  overColumnBlocks(over.machine, f, over.columns, BLOCK_COLUMNS, (block, at) => {
    const { scales, prepare } = movingScales(f, block, at, epsilon, places);
    const load = (place: number, { lanes, offset }: Columns): Code => lanes.load(int.plus(at.get, place), offset);
    return code(
      ...prepare,
      pass(over, f, at, [source.value, output.value], ([x, y]) =>
        code(
          ...block.map((column, i) => {
            const { lanes, offset } = column;
            const centred = vec.subtract(lanes.load(x?.get ?? [], offset), load(places.movingMean, column));
            const value = vec.add(vec.multiply(centred, of(scales, i).get), load(places.beta, column));
            return lanes.store(y?.get ?? [], value, offset);
          }),
        ),
      ),
    );
  });
}

/** γ/σ of each column by the moving variance, and the code that finds it. */
function movingScales(
  f: FunctionBuilder,
  block: readonly Columns[],
  at: Local,
  epsilon: number,
  places: Places,
): { readonly scales: readonly Local[]; readonly prepare: readonly Code[] } {
  const scales = block.map(() => f.local('v128'));
  const load = (place: number, { lanes, offset }: Columns): Code => lanes.load(int.plus(at.get, place), offset);
  const prepare = block.map((column, i) => {
    const deviation = vec.squareRoot(vec.add(load(places.movingVariance, column), vec.of(epsilon)));
    return of(scales, i).set(vec.divide(load(places.gamma, column), deviation));
  });
  return { scales, prepare };
}

/** Of a frozen layer: dx = γ/σ · g, σ from the moving variance. */
function scaleBack(
  over: Over,
  f: FunctionBuilder,
  { epsilon }: BatchNorm,
  places: Places,
  source: Tensor,
  output: Tensor,
  adds: boolean,
): void {
  overColumnBlocks(over.machine, f, over.columns, BLOCK_COLUMNS, (block, at) => {
    const { scales, prepare } = movingScales(f, block, at, epsilon, places);
    const toSource = pass(over, f, at, [output.gradient, source.gradient], ([g, to]) =>
      code(
        ...block.map(({ lanes, offset }, i) => {
          const value = vec.multiply(lanes.load(g?.get ?? [], offset), of(scales, i).get);
          const old = lanes.load(to?.get ?? [], offset);
          return lanes.store(to?.get ?? [], adds ? vec.add(old, value) : value, offset);
        }),
      ),
    );
    return code(...prepare, toSource);
  });
}

/** dx = γ/σ · (g − mean(g) − x̂ · mean(g · x̂)). */
function back(
  over: Over,
  f: FunctionBuilder,
  places: Places,
  gradients: { readonly gamma: number; readonly beta: number },
  source: Tensor,
  output: Tensor,
  adds: boolean,
): void {
  const share = f.local('v128');
  f.append(share.set(perRow(over)));
  overColumnBlocks(over.machine, f, over.columns, BLOCK_COLUMNS, (block, at) => {
    const forGamma = block.map(() => f.local('v128'));
    const forBeta = block.map(() => f.local('v128'));
    const load = (place: number, { lanes, offset }: Columns): Code => lanes.load(int.plus(at.get, place), offset);
    const normalised = (x: Local | undefined, column: Columns): Code => {
      const centred = vec.subtract(column.lanes.load(x?.get ?? [], column.offset), load(places.mean, column));
      return vec.multiply(centred, load(places.inverse, column));
    };
    const sums = pass(over, f, at, [source.value, output.gradient], ([x, g]) =>
      code(
        ...block.map((column, i) => {
          const given = column.lanes.load(g?.get ?? [], column.offset);
          const product = vec.multiply(given, normalised(x, column));
          return code(
            of(forGamma, i).set(vec.add(of(forGamma, i).get, product)),
            of(forBeta, i).set(vec.add(of(forBeta, i).get, given)),
          );
        }),
      ),
    );
    const store = block.map(({ lanes, offset }, i) =>
      code(
        lanes.store(int.plus(at.get, gradients.gamma), of(forGamma, i).get, offset),
        lanes.store(int.plus(at.get, gradients.beta), of(forBeta, i).get, offset),
        of(forGamma, i).set(vec.multiply(of(forGamma, i).get, share.get)),
        of(forBeta, i).set(vec.multiply(of(forBeta, i).get, share.get)),
      ),
    );
    const toSource = pass(over, f, at, [source.value, output.gradient, source.gradient], ([x, g, to]) =>
      code(
        ...block.map((column, i) => {
          const { lanes, offset } = column;
          const pulled = vec.multiply(normalised(x, column), of(forGamma, i).get);
          const free = vec.subtract(vec.subtract(lanes.load(g?.get ?? [], offset), of(forBeta, i).get), pulled);
          const scale = vec.multiply(load(places.gamma, column), load(places.inverse, column));
          const value = vec.multiply(free, scale);
          const old = lanes.load(to?.get ?? [], offset);
          return lanes.store(to?.get ?? [], adds ? vec.add(old, value) : value, offset);
        }),
      ),
    );
    const zero = [...forGamma, ...forBeta].map((sum) => sum.set(vec.of(0)));
    return code(...zero, sums, ...store, source.learns ? toSource : []);
  });
}
