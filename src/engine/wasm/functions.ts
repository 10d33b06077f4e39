/** The functions that float32 SIMD lacks, with a relative error below 1e-6, and the activations made of them. */
import { code } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';
import type { Activation } from '../../core/network.ts';
import { vec, words } from './expressions.ts';

/** Beyond these e^x is no normal float32. */
const EXPONENT_LIMITS = [-87, 88] as const;
/** ln 2 in two parts, the first so short that a product with it is exact (Cody and Waite 1980). */
const LN2_HIGH = 0.693359375;
const LN2_LOW = Math.LN2 - LN2_HIGH;
/** Below this tanh(x) by e^2x loses digits; its series has them. */
const SERIES_BELOW = 0.35;
/** Taylor coefficients of tanh(x) / x in x². */
const TANH_SERIES = [1, -1 / 3, 2 / 15, -17 / 315, 62 / 2835, -1382 / 155_925];

/** Hendrycks and Gimpel 2016, section 2: the approximation by tanh. */
const GELU_SLOPE = Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;

/** Each takes a vector's code and leaves its result; the value is computed once. */
export class Functions {
  readonly #f: FunctionBuilder;

  constructor(f: FunctionBuilder) {
    this.#f = f;
  }

  /** e^x: x = n ln 2 + r, a series for e^r, and n put into the exponent. Zero is e^-87 at the least. */
  exponential(x: Code): Code {
    const [rest, whole, sum] = [this.#f.local('v128'), this.#f.local('v128'), this.#f.local('v128')];
    const [low, high] = EXPONENT_LIMITS;
    const parts = [
      rest.set(vec.minimum(vec.maximum(x, vec.of(low)), vec.of(high))),
      whole.set(vec.nearest(vec.multiply(rest.get, vec.of(Math.LOG2E)))),
      rest.set(vec.subtract(rest.get, vec.multiply(whole.get, vec.of(LN2_HIGH)))),
      rest.set(vec.subtract(rest.get, vec.multiply(whole.get, vec.of(LN2_LOW)))),
      sum.set(vec.of(1 / 5040)),
      ...[720, 120, 24, 6, 2, 1, 1].map((divisor) =>
        sum.set(vec.add(vec.multiply(sum.get, rest.get), vec.of(1 / divisor))),
      ),
    ];
    const exponent = words.add(words.fromFloats(whole.get), vec.words(127, 127, 127, 127));
    return code(...parts, vec.multiply(sum.get, words.shiftLeft(exponent, 23)));
  }

  tanh(x: Code): Code {
    const [at, square, sum, far] = [0, 1, 2, 3].map(() => this.#f.local('v128')) as [Local, Local, Local, Local];
    const series = [...TANH_SERIES].reverse();
    const mask = vec.greater(vec.of(SERIES_BELOW ** 2), square.get);
    return code(
      at.set(x),
      square.set(vec.multiply(at.get, at.get)),
      sum.set(vec.of(series[0] ?? 0)),
      ...series.slice(1).map((term) => sum.set(vec.add(vec.multiply(sum.get, square.get), vec.of(term)))),
      sum.set(vec.multiply(sum.get, at.get)),
      // 1 − 2 / (e^2x + 1)
      far.set(vec.add(this.exponential(vec.add(at.get, at.get)), vec.of(1))),
      far.set(vec.subtract(vec.of(1), vec.divide(vec.of(2), far.get))),
      vec.or(vec.and(sum.get, mask), vec.andNot(far.get, mask)),
    );
  }

  sigmoid(x: Code): Code {
    const negative = vec.subtract(vec.of(0), x);
    return vec.divide(vec.of(1), vec.add(vec.of(1), this.exponential(negative)));
  }

  /** Of the sum that the layer computed. */
  activation(kind: Activation, x: Code): Code {
    switch (kind) {
      case 'linear':
        return x;
      case 'relu':
        return vec.maximum(x, vec.of(0));
      case 'tanh':
        return this.tanh(x);
      case 'sigmoid':
        return this.sigmoid(x);
      case 'gelu': {
        const at = this.#f.local('v128');
        const half = vec.multiply(at.get, vec.of(0.5));
        return code(at.set(x), vec.multiply(half, vec.add(vec.of(1), this.#geluTanh(at.get))));
      }
      default:
        return kind satisfies never;
    }
  }

  /** `gradient` through the activation. `before` and `after` are code that loads the layer's sum and what became of it. */
  derivative(kind: Activation, gradient: Code, before: Code, after: Code): Code {
    const at = this.#f.local('v128');
    switch (kind) {
      case 'linear':
        return gradient;
      case 'relu':
        return vec.and(gradient, vec.greater(after, vec.of(0)));
      case 'tanh':
        return code(at.set(after), vec.multiply(gradient, vec.subtract(vec.of(1), vec.multiply(at.get, at.get))));
      case 'sigmoid':
        return code(at.set(after), vec.multiply(gradient, vec.multiply(at.get, vec.subtract(vec.of(1), at.get))));
      case 'gelu': {
        const slope = this.#f.local('v128');
        const square = vec.multiply(at.get, at.get);
        const inner = vec.add(vec.multiply(square, vec.of(3 * GELU_CUBIC * GELU_SLOPE)), vec.of(GELU_SLOPE));
        const falling = vec.subtract(vec.of(1), vec.multiply(slope.get, slope.get));
        return code(
          at.set(before),
          slope.set(this.#geluTanh(at.get)),
          slope.set(vec.add(vec.add(vec.of(1), slope.get), vec.multiply(at.get, vec.multiply(falling, inner)))),
          vec.multiply(gradient, vec.multiply(vec.of(0.5), slope.get)),
        );
      }
      default:
        return kind satisfies never;
    }
  }

  #geluTanh(x: Code): Code {
    const square = vec.multiply(x, x);
    const cubic = vec.add(vec.multiply(square, vec.of(GELU_CUBIC * GELU_SLOPE)), vec.of(GELU_SLOPE));
    return this.tanh(vec.multiply(x, cubic));
  }
}
