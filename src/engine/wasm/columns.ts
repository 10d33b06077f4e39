/** Sums over all rows of a matrix, for each column: what biases, scales and normalisations need. */
import { code } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import type { Activation } from '../../core/network.ts';
import { int, times, vec } from './expressions.ts';
import { Functions } from './functions.ts';
import { FOUR, ONE } from './lanes.ts';
import type { Lanes } from './lanes.ts';
import type { Machine, Tensor } from './machine.ts';
import { pointwise } from './pointwise.ts';

/** Some columns of a block, side by side in one vector. */
export interface Columns {
  readonly lanes: Lanes;
  /** Bytes from the block's first column. */
  readonly offset: number;
}

/**
 * Runs `body` for one block of columns after the other, each thread its own; `at` is the first column's offset in bytes.
 * A block has at most `blockColumns`, a multiple of four.
 */
export function overColumnBlocks(
  machine: Machine,
  f: FunctionBuilder,
  columns: number,
  blockColumns: number,
  body: (block: readonly Columns[], at: Local) => Code,
): void {
  const at = f.local('i32');
  const whole = Math.floor(columns / blockColumns);
  if (whole > 0) {
    const { from, to } = machine.share(f, int.of(whole));
    const left = f.local('i32');
    f.append(
      at.set(int.times(from.get, 4 * blockColumns)),
      times(
        left,
        int.subtract(to.get, from.get),
        body(blockOf(blockColumns), at),
        at.set(int.plus(at.get, 4 * blockColumns)),
      ),
    );
  }
  const rest = columns - whole * blockColumns;
  if (rest > 0) machine.once(f, code(at.set(int.of(4 * blockColumns * whole)), body(blockOf(rest), at)));
}

function blockOf(columns: number): Columns[] {
  const block: Columns[] = [];
  for (let i = 0; i < columns; i += block.at(-1)?.lanes.count ?? 0) {
    block.push({ lanes: columns - i >= 4 ? FOUR : ONE, offset: 4 * i });
  }
  return block;
}

const BLOCK_COLUMNS = 32;

export interface Sums {
  /** The layer's output. */
  readonly tensor: Tensor;
  /** What went into the activation, where that is kept. */
  readonly before?: number;
  readonly activation: Activation;
  readonly columns: number;
  /** Address of the bias's gradient. */
  readonly bias?: number;
}

/** Takes the gradient back through the activation, where it lies, and sums it up for the bias. */
export function backThroughSums(machine: Machine, { tensor, before = 0, activation, columns, bias }: Sums): void {
  const { value, gradient, size } = tensor;
  // Too long to be written out for every column of a block.
  const apart = bias === undefined || activation === 'gelu';
  if (apart && activation !== 'linear') {
    pointwise(machine, ['backward'], size, [gradient, value, before], (f, lanes, [g, after, sum]) => {
      const load = (pointer: Local): Code => lanes.load(pointer.get);
      const back = new Functions(f).derivative(activation, load(g), load(sum), load(after));
      return lanes.store(g.get, back);
    });
  }
  if (bias === undefined) return;
  const kind = apart ? 'linear' : activation;
  machine.kernel(['backward'], (f) => {
    const [g, y, left] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const back = f.local('v128');
    const functions = new Functions(f);
    overColumnBlocks(machine, f, columns, BLOCK_COLUMNS, (block, at) => {
      const sums = block.map(() => f.local('v128'));
      const zero = sums.map((sum) => sum.set(vec.of(0)));
      const each = sums.map((sum, i) => {
        const { lanes, offset } = block[i] ?? { lanes: FOUR, offset: 0 };
        const loaded = lanes.load(g.get, offset);
        if (kind === 'linear') return sum.set(vec.add(sum.get, loaded));
        return code(
          back.set(functions.derivative(kind, loaded, [], lanes.load(y.get, offset))),
          lanes.store(g.get, back.get, offset),
          sum.set(vec.add(sum.get, back.get)),
        );
      });
      const next = [g, y].map((pointer) => pointer.set(int.plus(pointer.get, 4 * columns)));
      return code(
        ...zero,
        g.set(int.plus(at.get, gradient)),
        y.set(int.plus(at.get, value)),
        times(left, int.times(machine.rows, size / columns), ...each, ...next),
        ...sums.map((sum, i) => {
          const { lanes, offset } = block[i] ?? { lanes: FOUR, offset: 0 };
          return lanes.store(int.plus(at.get, bias), sum.get, offset);
        }),
      );
    });
  });
}
