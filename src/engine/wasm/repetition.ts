/** Each value several times side by side, as several depthwise filters for one channel need it. */
import { code } from '../../core/wasmAssembler.ts';
import { advance, int, times, vec } from './expressions.ts';
import { ONE } from './lanes.ts';
import type { Machine, Tensor } from './machine.ts';

export function repeatLayer(machine: Machine, source: Tensor, copies: number): Tensor {
  const output = machine.tensor(source.size * copies, source.learns);
  machine.kernel(['forward', 'evaluation'], (f) => {
    const { from, to: end } = machine.share(f, int.times(machine.rows, source.size));
    const [left, at, to] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const value = f.local('v128');
    f.append(
      at.set(int.plus(int.times(from.get, 4), source.value)),
      to.set(int.plus(int.times(from.get, 4 * copies), output.value)),
      times(
        left,
        int.subtract(end.get, from.get),
        value.set(ONE.load(at.get)),
        ...Array.from({ length: copies }, (_, i) => ONE.store(to.get, value.get, 4 * i)),
        code(advance(at, 4), advance(to, 4 * copies)),
      ),
    );
  });
  return output;
}

export function backThroughRepetition(machine: Machine, source: Tensor, output: Tensor, copies: number): void {
  const adds = machine.addsTo(source);
  machine.kernel(['backward'], (f) => {
    const { from, to: end } = machine.share(f, int.times(machine.rows, source.size));
    const [left, at, to] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const sum = f.local('v128');
    f.append(
      at.set(int.plus(int.times(from.get, 4 * copies), output.gradient)),
      to.set(int.plus(int.times(from.get, 4), source.gradient)),
      times(
        left,
        int.subtract(end.get, from.get),
        sum.set(adds ? ONE.load(to.get) : vec.of(0)),
        ...Array.from({ length: copies }, (_, i) => sum.set(vec.add(sum.get, ONE.load(at.get, 4 * i)))),
        ONE.store(to.get, sum.get),
        code(advance(at, 4 * copies), advance(to, 4)),
      ),
    );
  });
}
