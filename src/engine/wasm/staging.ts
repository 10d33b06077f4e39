/** A batch's inputs as the examples have them, turned into scaled floats: kernels by the name of the examples' type. */
import { code, f32x4, i16x8, i32x4, v128 } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import { advance, held, int, times, vec } from './expressions.ts';
import { overFloats } from './lanes.ts';
import type { Machine } from './machine.ts';

export const STAGING_KERNELS = { bytes: 'stageBytes', integers: 'stageIntegers', floats: 'stageFloats' } as const;

/** `size` values of each example from `staging` to `target`, times the float at `scale`. */
export function stagingKernels(machine: Machine, size: number, staging: number, target: number, scale: number): void {
  const kernel = (name: string, bytes: number, write: (f: FunctionBuilder, s: Staged) => void): void =>
    machine.named(name, (f) => {
      const { from, to } = machine.share(f, int.times(machine.rows, size), 4);
      write(f, {
        from: held(f, 'i32', int.plus(int.times(from.get, bytes), staging)),
        to: held(f, 'i32', int.plus(int.times(from.get, 4), target)),
        count: int.subtract(to.get, from.get),
        factor: held(f, 'v128', vec.loadSplat(int.of(scale))),
      });
    });
  kernel(STAGING_KERNELS.bytes, 1, (f, { from, to, count, factor }) => {
    const left = f.local('i32');
    const four = code(from.get, v128.load32Zero(0), i16x8.extendLowUnsigned, i32x4.extendLowUnsigned);
    const store = (value: Code): Code => vec.store(to.get, vec.multiply(code(value, f32x4.fromIntegers), factor.get));
    // Up to three values too many are read and written: both buffers end on a whole cache line.
    f.append(times(left, int.divide(int.plus(count, 3), int.of(4)), store(four), advance(from, 4), advance(to, 16)));
  });
  kernel(STAGING_KERNELS.integers, 4, (f, { from, to, count, factor }) => {
    f.append(
      overFloats(f, count, [from, to], (lanes) =>
        lanes.store(to.get, vec.multiply(code(lanes.load(from.get), f32x4.fromIntegers), factor.get)),
      ),
    );
  });
  kernel(STAGING_KERNELS.floats, 4, (f, { from, to, count, factor }) => {
    f.append(
      overFloats(f, count, [from, to], (lanes) => lanes.store(to.get, vec.multiply(lanes.load(from.get), factor.get))),
    );
  });
}

interface Staged {
  readonly from: Local;
  readonly to: Local;
  readonly count: Code;
  readonly factor: Local;
}
