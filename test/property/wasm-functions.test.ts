/** The functions that float32 SIMD lacks, against those of the host in double precision. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FunctionBuilder, ModuleBuilder } from '../../src/core/wasmModule.ts';
import type { Code } from '../../src/core/wasmAssembler.ts';
import type { Activation } from '../../src/core/network.ts';
import { int, vec } from '../../src/engine/wasm/expressions.ts';
import { Functions } from '../../src/engine/wasm/functions.ts';

const INPUT = int.of(16);
const OUTPUT = int.of(64);

/** Of four values at once. */
function compiled(write: (functions: Functions, x: Code) => Code): (x: number) => number {
  const f = new FunctionBuilder();
  f.append(vec.store(OUTPUT, write(new Functions(f), vec.load(INPUT))));
  const module = new ModuleBuilder();
  module.define(f, 'run');
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes({ pages: 1 }, 'own')));
  const floats = new Float32Array((exports['memory'] as WebAssembly.Memory).buffer);
  return (x) => {
    floats.set([0, x, -x, 1], 4);
    (exports['run'] as () => void)();
    return floats[17] ?? NaN;
  };
}

const single = (min: number, max: number): fc.Arbitrary<number> =>
  fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true, noDefaultInfinity: true });

const relative = (got: number, right: number): number => Math.abs(got - right) / Math.max(Math.abs(right), 1e-37);

const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

describe('functions in WebAssembly', () => {
  it.each([
    ['e^x', (f: Functions, x: Code) => f.exponential(x), Math.exp, -86, 88],
    ['tanh', (f: Functions, x: Code) => f.tanh(x), Math.tanh, -100, 100],
    ['tanh, near zero', (f: Functions, x: Code) => f.tanh(x), Math.tanh, -0.5, 0.5],
    ['sigmoid', (f: Functions, x: Code) => f.sigmoid(x), (x: number) => 1 / (1 + Math.exp(-x)), -85, 100],
  ] as const)('give %s with a relative error of at most 1e-6', (_, write, right, min, max) => {
    const run = compiled(write);
    const around = Array.from({ length: 4001 }, (_, i) => Math.fround(min + ((max - min) * i) / 4000));
    for (const x of around) expect(relative(run(x), right(x))).toBeLessThan(1e-6);
    fc.assert(
      fc.property(single(min, max), (x) => relative(run(x), right(x)) < 1e-6),
      { numRuns: 2000 },
    );
  });

  it('give what cannot be a number as such', () => {
    for (const kind of ['tanh', 'sigmoid', 'gelu'] as const) {
      expect(compiled((f, x) => f.activation(kind, x))(NaN)).toBeNaN();
    }
    expect(compiled((f, x) => f.exponential(x))(NaN)).toBeNaN();
  });

  const DEFINITIONS: Readonly<Record<Activation, (x: number) => number>> = {
    linear: (x) => x,
    relu: (x) => Math.max(0, x),
    tanh: Math.tanh,
    sigmoid: (x) => 1 / (1 + Math.exp(-x)),
    gelu,
  };

  it.each(Object.keys(DEFINITIONS) as Activation[])('give %s and its slope', (kind) => {
    const value = compiled((f, x) => f.activation(kind, x));
    const slope = compiled((f, x) => f.derivative(kind, vec.of(1), x, f.activation(kind, x)));
    fc.assert(
      fc.property(single(-8, 8), (x) => {
        const define = DEFINITIONS[kind];
        expect(Math.abs(value(x) - define(x))).toBeLessThan(1e-6 * Math.max(1, Math.abs(x)));
        if (kind === 'relu' && Math.abs(x) < 1e-3) return;
        const step = 1e-4;
        const right = (define(x + step) - define(x - step)) / (2 * step);
        expect(Math.abs(slope(x) - right)).toBeLessThan(3e-6);
      }),
      { numRuns: 500 },
    );
  });
});
