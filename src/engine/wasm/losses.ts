/** The losses: the gradient by the network's output, and sums over predictions as core/figures.ts has them. */
import { call, code, f32, f32x4, f64, i32, when } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import { MAX_SAMPLE_LOSS } from '../../core/figures.ts';
import { acrossLanes, advance, double, int, times, vec, whileTrue } from './expressions.ts';
import { Functions } from './functions.ts';
import { overFloats } from './lanes.ts';
import type { Machine, Tensor } from './machine.ts';

/** One thread's sums: the loss in double, then the number of right predictions. */
export const TALLY_BYTES = 64;
export const CORRECT_AT = 8;

export interface LossPlaces {
  /** Targets of the batch: integers for classes, otherwise floats. */
  readonly targets: number;
  /** TALLY_BYTES for each thread. */
  readonly tallies: number;
  /** Word that is not zero when the batch is to be counted. */
  readonly counts: number;
}

/** What loops over one prediction have in common. */
interface Scope {
  readonly machine: Machine;
  readonly f: FunctionBuilder;
  /** Values of one prediction. */
  readonly width: number;
  readonly z: Local;
  readonly target: Local;
  readonly places: LossPlaces;
}

/** Adds the loss's kernels for training and for evaluation. */
export function lossKernels(machine: Machine, placed: PlacedNetwork, output: Tensor, places: LossPlaces): void {
  const width = sizeOf(placed.output) / placed.predictions;
  const { loss } = placed.network;
  const isSoftmax = loss === 'softmax-cross-entropy';
  for (const phase of ['forward', 'figures'] as const) {
    const trains = phase === 'forward' && output.learns;
    machine.kernel([phase], (f) => {
      const predictions = int.times(machine.rows, placed.predictions);
      const { from, to } = machine.share(f, predictions);
      const [z, target, left] = [f.local('i32'), f.local('i32'), f.local('i32')];
      const weight = f.local('v128');
      const scope: Scope = { machine, f, width, z, target, places };
      // One over all targets of the batch.
      const share = code(f32.constant(isSoftmax ? 1 : 1 / width), code(predictions, f32.fromInteger), f32.divide);
      const toGradient = output.gradient - output.value;
      const counted = (body: Code): Code => when(int.load(int.of(places.counts)), body);
      const each = isSoftmax
        ? softmax(scope, trains, weight.get, toGradient, counted)
        : perValue(scope, loss === 'binary-cross-entropy', trains, weight.get, toGradient, counted);
      f.append(
        weight.set(code(share, f32x4.splat)),
        z.set(int.plus(int.times(from.get, 4 * width), output.value)),
        target.set(int.plus(int.times(from.get, isSoftmax ? 4 : 4 * width), places.targets)),
        times(
          left,
          int.subtract(to.get, from.get),
          each,
          code(advance(z, 4 * width), advance(target, isSoftmax ? 4 : 4 * width)),
        ),
      );
    });
  }
  if (output.learns) output.hasGradient = true;
}

/** Softmax cross-entropy: the gradient of a row is (softmax − one-hot) · weight. */
function softmax(
  { machine, f, width, z, target, places }: Scope,
  trains: boolean,
  weight: Code,
  toGradient: number,
  counted: (body: Code) => Code,
): Code {
  const [most, sum, x, scratch] = [0, 1, 2, 3].map(() => f.local('v128')) as [Local, Local, Local, Local];
  const [at, label] = [f.local('i32'), f.local('i32')];
  const functions = new Functions(f);
  const gradient = int.plus(at.get, toGradient);
  const labelAt = label.set(int.add(z.get, int.times(int.load(target.get), 4)));
  const difference = code(code(most.get, f32x4.lane(0)), code(label.get, f32.load(0)), f32.subtract, f64.fromSingle);
  const logarithm = code(code(sum.get, f32x4.lane(0), f64.fromSingle), call(machine.logarithm));
  // The first of the largest values is the prediction.
  const isBelowMost = code(code(at.get, f32.load(0)), code(most.get, f32x4.lane(0)), f32.less);
  const findFirst = code(at.set(z.get), whileTrue(isBelowMost, advance(at, 4)));
  const isRight = code(at.get, label.get, i32.equal);
  return code(
    code(most.set(vec.loadSplat(z.get)), at.set(z.get)),
    overFloats(f, width, [at], (lanes) =>
      most.set(vec.maximum(most.get, lanes.count === 4 ? lanes.load(at.get) : vec.loadSplat(at.get))),
    ),
    most.set(acrossLanes(scratch, most.get, vec.maximum)),
    code(sum.set(vec.of(0)), at.set(z.get)),
    overFloats(f, width, [at], (lanes) =>
      code(
        x.set(lanes.only(functions.exponential(vec.subtract(lanes.load(at.get), most.get)))),
        sum.set(vec.add(sum.get, x.get)),
        trains ? lanes.store(gradient, x.get) : [],
      ),
    ),
    sum.set(acrossLanes(scratch, sum.get, vec.add)),
    labelAt,
    counted(code(findFirst, tally(machine, places, double.add(logarithm, difference), isRight))),
    trains
      ? code(
          code(x.set(vec.divide(weight, sum.get)), at.set(z.get)),
          overFloats(f, width, [at], (lanes) => lanes.store(gradient, vec.multiply(lanes.load(gradient), x.get))),
          code(
            int.plus(label.get, toGradient),
            code(int.plus(label.get, toGradient), f32.load(0)),
            code(weight, f32x4.lane(0), f32.subtract, f32.store(0)),
          ),
        )
      : [],
  );
}

/** Losses of single values: binary cross-entropy, squared error. */
function perValue(
  { machine, f, width, z, target, places }: Scope,
  isBinary: boolean,
  trains: boolean,
  weight: Code,
  toGradient: number,
  counted: (body: Code) => Code,
): Code {
  const [at, goal, right, left] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local];
  const sum = f.local('f64');
  const x = f.local('v128');
  const functions = new Functions(f);
  const begin = code(at.set(z.get), goal.set(target.get));
  const one = code(at.get, f32.load(0));
  const wanted = code(goal.get, f32.load(0));
  const inDouble = (value: Code): Code => code(value, f64.fromSingle);
  const distance = inDouble(code(one, wanted, f32.subtract));
  // max(z, 0) − z t + ln(1 + e^−|z|): the form that does not overflow.
  const positive = code(one, f32.constant(0), f32.maximum, f64.fromSingle);
  const binaryLoss = code(
    x.set(vec.subtract(vec.of(0), vec.maximum(vec.loadSplat(at.get), vec.subtract(vec.of(0), vec.loadSplat(at.get))))),
    positive,
    code(inDouble(one), inDouble(wanted), f64.multiply, f64.subtract),
    code(double.of(1), inDouble(code(functions.exponential(x.get), f32x4.lane(0))), f64.add, call(machine.logarithm)),
    f64.add,
  );
  const loss = isBinary ? binaryLoss : code(distance, distance, f64.multiply);
  const agrees = code(code(one, f32.constant(0), f32.greater), code(wanted, f32.constant(0.5), f32.greater), i32.equal);
  const count = code(
    code(begin, sum.set(double.of(0)), right.set(int.of(isBinary ? 1 : 0))),
    times(
      left,
      int.of(width),
      sum.set(double.add(sum.get, loss)),
      isBinary ? right.set(int.and(right.get, agrees)) : [],
      code(advance(at, 4), advance(goal, 4)),
    ),
    tally(machine, places, double.multiply(sum.get, double.of(1 / width)), right.get),
  );
  const gradient = overFloats(f, width, [at, goal], (lanes) => {
    const value = lanes.load(at.get);
    const predicted = isBinary ? functions.sigmoid(value) : value;
    const difference = vec.subtract(predicted, lanes.load(goal.get));
    const scaled = vec.multiply(difference, isBinary ? weight : vec.add(weight, weight));
    return lanes.store(int.plus(at.get, toGradient), scaled);
  });
  return code(counted(count), trains ? code(begin, gradient) : []);
}

/** Adds one prediction to this thread's sums. */
function tally(machine: Machine, { tallies }: LossPlaces, loss: Code, isRight: Code): Code {
  const at = int.plus(int.times(machine.part, TALLY_BYTES), tallies);
  const bounded = double.minimum(loss, double.of(MAX_SAMPLE_LOSS));
  return code(
    double.store(at, double.add(double.load(at), bounded)),
    code(at, int.add(int.load(at, CORRECT_AT), isRight), i32.store(CORRECT_AT)),
  );
}
