/** Kernels that treat every value alone: activations, sums of two layers, dropout. */
import { code } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import { GOLDEN, dropoutLimit } from '../../core/dropout.ts';
import type { Activation } from '../../core/network.ts';
import { int, vec, words } from './expressions.ts';
import { Functions } from './functions.ts';
import { overFloats } from './lanes.ts';
import type { Lanes } from './lanes.ts';
import type { Machine, Phase, Tensor } from './machine.ts';

type Three = [Local, Local, Local];

/** A kernel over `size` floats of each example; pointers begin at `addresses`, at most three, and move along. */
export function pointwise(
  machine: Machine,
  phases: readonly Phase[],
  size: number,
  addresses: readonly number[],
  body: (f: FunctionBuilder, lanes: Lanes, pointers: Three, first: Local) => Code,
): void {
  machine.kernel(phases, (f) => {
    const { from, to } = machine.share(f, int.times(machine.rows, size), 4);
    const pointers: Three = [f.local('i32'), f.local('i32'), f.local('i32')];
    const used = pointers.slice(0, addresses.length);
    f.append(...used.map((pointer, i) => pointer.set(int.plus(int.times(from.get, 4), addresses[i] ?? 0))));
    f.append(overFloats(f, int.subtract(to.get, from.get), used, (lanes) => body(f, lanes, pointers, from)));
  });
}

/** `source` through an activation into `target`; they may be the same. */
export function activate(
  machine: Machine,
  phases: readonly Phase[],
  size: number,
  kind: Activation,
  source: number,
  target: number,
): void {
  pointwise(machine, phases, size, [source, target], (f, lanes, [from, to]) =>
    lanes.store(to.get, new Functions(f).activation(kind, lanes.load(from.get))),
  );
}

export function activationLayer(machine: Machine, source: Tensor, kind: Activation): Tensor {
  const output = machine.tensor(source.size, source.learns);
  activate(machine, ['forward', 'evaluation'], source.size, kind, source.value, output.value);
  return output;
}

export function backThroughActivation(machine: Machine, source: Tensor, output: Tensor, kind: Activation): void {
  const adds = machine.addsTo(source);
  // The fourth pointer is the third, moved by a constant.
  const toGradient = source.gradient - source.value;
  const addresses = [output.gradient, output.value, source.value];
  pointwise(machine, ['backward'], source.size, addresses, (f, lanes, [g, after, before]) => {
    const load = (pointer: Local): Code => lanes.load(pointer.get);
    const back = new Functions(f).derivative(kind, load(g), load(before), load(after));
    const to = int.plus(before.get, toGradient);
    return lanes.store(to, adds ? vec.add(lanes.load(to), back) : back);
  });
}

/** The gradient of `output` goes on to `source` as it is. */
export function passBack(machine: Machine, source: Tensor, output: Tensor): void {
  if (!source.learns) return;
  const adds = machine.addsTo(source);
  pointwise(machine, ['backward'], source.size, [output.gradient, source.gradient], (_f, lanes, [g, to]) => {
    const back = lanes.load(g.get);
    return lanes.store(to.get, adds ? vec.add(lanes.load(to.get), back) : back);
  });
}

export function addLayer(machine: Machine, a: Tensor, b: Tensor): Tensor {
  const output = machine.tensor(a.size, a.learns || b.learns);
  const addresses = [a.value, b.value, output.value];
  pointwise(machine, ['forward', 'evaluation'], a.size, addresses, (_f, lanes, [x, y, to]) =>
    lanes.store(to.get, vec.add(lanes.load(x.get), lanes.load(y.get))),
  );
  return output;
}

export interface Dropout {
  readonly rate: number;
  /** Address of the step's key, which the host writes. */
  readonly key: number;
}

export function dropoutLayer(machine: Machine, source: Tensor, dropout: Dropout): Tensor {
  const output = machine.tensor(source.size, source.learns);
  const addresses = [source.value, output.value];
  drop(machine, ['forward'], source.size, addresses, dropout, false);
  pointwise(machine, ['evaluation'], source.size, addresses, (_f, lanes, [from, to]) =>
    lanes.store(to.get, lanes.load(from.get)),
  );
  return output;
}

export function backThroughDropout(machine: Machine, source: Tensor, output: Tensor, dropout: Dropout): void {
  const adds = machine.addsTo(source);
  drop(machine, ['backward'], source.size, [output.gradient, source.gradient], dropout, adds);
}

/** As `isKept` in core/dropout.ts has it, four words side by side. */
function drop(
  machine: Machine,
  phases: readonly Phase[],
  size: number,
  addresses: readonly number[],
  { rate, key }: Dropout,
  adds: boolean,
): void {
  const [source = 0] = addresses;
  const all = (value: number): Code => vec.words(value, value, value, value);
  pointwise(machine, phases, size, addresses, (f, lanes, [from, to]) => {
    const x = f.local('v128');
    const index = int.divide(int.plus(from.get, -source), int.of(4));
    const first = int.add(int.load(int.of(key)), int.multiply(index, int.of(GOLDEN | 0)));
    const steps = [0, 1, 2, 3].map((lane) => Math.imul(lane, GOLDEN)) as [number, number, number, number];
    const mixed = (shift: number): Code => x.set(words.xor(x.get, words.shiftRight(x.get, shift)));
    const kept = words.atLeast(x.get, all(dropoutLimit(rate) | 0));
    const value = vec.and(vec.multiply(lanes.load(from.get), vec.of(1 / (1 - rate))), kept);
    return code(
      x.set(words.add(words.splat(first), vec.words(...steps))),
      mixed(16),
      x.set(words.multiply(x.get, all(0x7feb352d))),
      mixed(15),
      x.set(words.multiply(x.get, all(0x846ca68b | 0))),
      mixed(16),
      lanes.store(to.get, adds ? vec.add(lanes.load(to.get), value) : value),
    );
  });
}
