/**
 * From gradients to the next parameters: the proximal term, clipping by global norm, and the optimizers' rules, over the
 * flat vectors. Followed statistics are left out. Each kernel is called by its name.
 */
import { code, f32, f32x4, f64 } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import type { ParameterLayout } from '../../core/layerShapes.ts';
import type { OptimizerSpec } from '../../core/plan.ts';
import { advance, double, held, int, times, vec, whileTrue } from './expressions.ts';
import { overFloats } from './lanes.ts';
import type { Lanes } from './lanes.ts';
import type { Machine } from './machine.ts';

/** Addresses of flat vectors, each as long as the layout. */
export interface Vectors {
  readonly weight: number;
  readonly gradient: number;
  /** Where the round began; first and second moment of the optimizer. */
  readonly anchor: number;
  readonly first: number;
  readonly second: number;
}

/** Words that the host writes before a step; floats. */
export interface Rates {
  readonly rate: number;
  /** One minus learning rate times weight decay. */
  readonly remains: number;
  readonly momentum: number;
  /** One over what the second moment lacks at the start (Kingma and Ba 2015, section 3). */
  readonly correction: number;
  readonly proximal: number;
  readonly maxNorm: number;
}

/** Kingma and Ba 2015, "Adam", algorithm 1, with the values that they recommend. */
export const ADAM_BETA1 = 0.9;
export const ADAM_BETA2 = 0.999;
const ADAM_EPSILON = 1e-8;

/** Floats whose squares are added up in single precision before they are in double. */
const NORM_FLOATS = 4096;
/** One thread's sum of squares. */
export const NORM_BYTES = 64;

/** Names of kernels that take one step, in order. */
export function updateKernels(optimizer: OptimizerSpec, hasAnchor: boolean, clips: boolean): string[] {
  return [...(hasAnchor ? ['pull'] : []), ...(clips ? ['norm', 'clip'] : []), optimizer.kind];
}

export function writeUpdates(
  machine: Machine,
  layout: ParameterLayout,
  vectors: Vectors,
  rates: Rates,
  norms: number,
): void {
  const { weight } = vectors;
  const ranges = learnedRanges(layout);
  const splat = (word: number): Code => vec.loadSplat(int.of(word));
  const kernel = (name: string, write: (f: FunctionBuilder, over: Over) => void): void =>
    machine.named(name, (f) => {
      write(f, (body) => {
        for (const { offset, length } of ranges) {
          const { from, to } = machine.share(f, int.of(length), 4);
          const at = held(f, 'i32', int.plus(int.times(from.get, 4), weight + 4 * offset));
          f.append(overFloats(f, int.subtract(to.get, from.get), [at], (lanes) => body(vectorsAt(vectors, at, lanes))));
        }
      });
    });
  const descended = ({ w, store }: AtVectors, direction: Code, rate: Local): Code =>
    store(weight, vec.subtract(w, vec.multiply(direction, rate.get)));

  kernel('pull', (f, over) => {
    const mu = held(f, 'v128', splat(rates.proximal));
    over(({ g, w, load, store }) => {
      const pull = vec.multiply(vec.subtract(w, load(vectors.anchor)), mu.get);
      return store(vectors.gradient, vec.add(g, pull));
    });
  });
  normKernel(machine, ranges, vectors.gradient, norms);
  kernel('clip', (f, over) => {
    const sum = held(f, 'f64', double.of(0));
    const [at, left] = [held(f, 'i32', int.of(norms)), f.local('i32')];
    const addOne = sum.set(double.add(sum.get, double.load(at.get)));
    f.append(times(left, machine.parts, addOne, advance(at, NORM_BYTES)));
    const most = code(int.of(rates.maxNorm), f32.load(0), f64.fromSingle);
    const scale = code(most, code(sum.get, f64.squareRoot), f64.divide, f32.fromDouble);
    const factor = held(f, 'v128', code(scale, f32.constant(1), f32.minimum, f32x4.splat));
    over(({ g, store }) => store(vectors.gradient, vec.multiply(g, factor.get)));
  });
  kernel('sgd', (f, over) => {
    const rate = held(f, 'v128', splat(rates.rate));
    over((at) => descended(at, at.g, rate));
  });
  kernel('momentum', (f, over) => {
    const rate = held(f, 'v128', splat(rates.rate));
    const momentum = held(f, 'v128', splat(rates.momentum));
    const velocity = f.local('v128');
    over((at) =>
      code(
        velocity.set(vec.add(vec.multiply(at.load(vectors.first), momentum.get), at.g)),
        at.store(vectors.first, velocity.get),
        descended(at, velocity.get, rate),
      ),
    );
  });
  for (const name of ['adam', 'adamw'] as const) {
    kernel(name, (f, over) => {
      const [rate, remains] = [held(f, 'v128', splat(rates.rate)), held(f, 'v128', splat(rates.remains))];
      const correction = held(f, 'v128', splat(rates.correction));
      const [g, first, second] = [f.local('v128'), f.local('v128'), f.local('v128')];
      over((at) => {
        const moved = (old: Code, beta: number, value: Code): Code =>
          vec.add(vec.multiply(old, vec.of(beta)), vec.multiply(value, vec.of(1 - beta)));
        const deviation = vec.squareRoot(vec.multiply(second.get, correction.get));
        const direction = vec.divide(first.get, vec.add(deviation, vec.of(ADAM_EPSILON)));
        const kept = name === 'adamw' ? vec.multiply(at.w, remains.get) : at.w;
        return code(
          g.set(at.g),
          first.set(moved(at.load(vectors.first), ADAM_BETA1, g.get)),
          second.set(moved(at.load(vectors.second), ADAM_BETA2, vec.multiply(g.get, g.get))),
          at.store(vectors.first, first.get),
          at.store(vectors.second, second.get),
          at.store(weight, vec.subtract(kept, vec.multiply(direction, rate.get))),
        );
      });
    });
  }
}

interface AtVectors {
  /** The gradient, the parameter. */
  readonly g: Code;
  readonly w: Code;
  readonly load: (vector: number) => Code;
  readonly store: (vector: number, value: Code) => Code;
}

type Over = (body: (at: AtVectors) => Code) => void;

/** `at` points into the parameters; the other vectors lie at constant distances. */
function vectorsAt(vectors: Vectors, at: Local, lanes: Lanes): AtVectors {
  const place = (vector: number): Code => int.plus(at.get, vector - vectors.weight);
  const load = (vector: number): Code => lanes.load(place(vector));
  const store = (vector: number, value: Code): Code => lanes.store(place(vector), value);
  return { g: load(vectors.gradient), w: load(vectors.weight), load, store };
}

interface Range {
  readonly offset: number;
  readonly length: number;
}

/** What is learned, in as few pieces as can be. */
function learnedRanges({ blocks }: ParameterLayout): Range[] {
  const ranges: Range[] = [];
  for (const { offset, length, role } of blocks) {
    if (role !== 'learned') continue;
    const last = ranges.at(-1);
    if (last && last.offset + last.length === offset) ranges.pop();
    ranges.push(
      last && last.offset + last.length === offset
        ? { offset: last.offset, length: last.length + length }
        : { offset, length },
    );
  }
  return ranges;
}

/** This thread's part of the gradient's squared norm, into its place at `norms`. */
function normKernel(machine: Machine, ranges: readonly Range[], gradient: number, norms: number): void {
  machine.named('norm', (f) => {
    const total = held(f, 'f64', double.of(0));
    const [at, end, count] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const [sum, g] = [f.local('v128'), f.local('v128')];
    const lane = (i: number): Code => code(sum.get, f32x4.lane(i), f64.fromSingle);
    for (const { offset, length } of ranges) {
      const { from, to } = machine.share(f, int.of(length), 4);
      const remaining = int.subtract(end.get, at.get);
      f.append(
        at.set(int.plus(int.times(from.get, 4), gradient + 4 * offset)),
        end.set(int.plus(int.times(to.get, 4), gradient + 4 * offset)),
        whileTrue(
          int.below(at.get, end.get),
          count.set(int.divide(int.smaller(remaining, int.of(4 * NORM_FLOATS)), int.of(4))),
          sum.set(vec.of(0)),
          overFloats(f, count.get, [at], (lanes) =>
            code(g.set(lanes.load(at.get)), sum.set(vec.add(sum.get, vec.multiply(g.get, g.get)))),
          ),
          ...[0, 1, 2, 3].map((i) => total.set(double.add(total.get, lane(i)))),
        ),
      );
    }
    f.append(double.store(int.plus(int.times(machine.part, NORM_BYTES), norms), total.get));
  });
}
