/** Products in WebAssembly against three plain loops. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { ModuleBuilder } from '../../src/core/wasmModule.ts';
import { panelCount, productFunction } from '../../src/engine/wasm/product.ts';
import type { ProductShape } from '../../src/engine/wasm/product.ts';

type Product = (...numbers: number[]) => void;

const LEFT = 1024;
const RIGHT = 200 * 1024;
const OUTPUT = 400 * 1024;
const BIAS = 600 * 1024;
const SCRATCH = 640 * 1024;

function compiled(shape: ProductShape): { run: Product; floats: Float32Array } {
  const module = new ModuleBuilder();
  module.define(productFunction(shape, { fused: false }), 'run');
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes({ pages: 16 }, 'own')));
  const memory = exports['memory'] as WebAssembly.Memory;
  return { run: exports['run'] as Product, floats: new Float32Array(memory.buffer) };
}

interface Sizes {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
}

const sizes: fc.Arbitrary<Sizes> = fc.record({
  rows: fc.integer({ min: 1, max: 20 }),
  depth: fc.integer({ min: 1, max: 30 }),
  columns: fc.integer({ min: 1, max: 21 }),
});

/** Any order of either factor; numbers known or given; added to, with a bias, rectified. */
const cases = fc.record({
  sizes,
  leftOrder: fc.constantFrom<'rows' | 'columns'>('rows', 'columns'),
  rightOrder: fc.constantFrom<'rows' | 'columns'>('rows', 'columns'),
  given: fc.constantFrom<'rows' | 'depth' | 'nothing'>('rows', 'depth', 'nothing'),
  accumulates: fc.boolean(),
  biased: fc.boolean(),
  rectified: fc.boolean(),
  seed: fc.nat(),
});

describe('a product', () => {
  it('is the same as by three loops, for every shape and layout', () => {
    fc.assert(
      fc.property(cases, ({ sizes, leftOrder, rightOrder, given, accumulates, biased, rectified, seed }) => {
        const { rows, depth, columns } = sizes;
        const leftSteps = leftOrder === 'rows' ? [depth, 1] : [1, rows];
        const rightSteps = rightOrder === 'rows' ? [columns, 1] : [1, depth];
        const { run, floats } = compiled({
          left: { row: 4 * leftSteps[0]!, depth: 4 * leftSteps[1]!, part: 0 },
          depth: given === 'depth' ? 'given' : depth,
          parts: 1,
          right: {
            order: rightOrder,
            step: 4 * (rightOrder === 'rows' ? columns : depth),
            parts: { count: 1, step: 0, first: 0 },
          },
          columns,
          rows: given === 'rows' ? 'given' : rows,
          outputRow: 4 * columns,
          outer: [],
          accumulates,
          rectified,
          ...(biased ? { bias: BIAS } : {}),
        });
        const random = SeededRandom.of(seed);
        for (let i = 0; i < floats.length; i++) floats[i] = random.uniform() - 0.5;
        const before = floats.slice();
        const expected = floats.slice();
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) {
            let sum = (biased ? before[BIAS / 4 + j]! : 0) + (accumulates ? before[OUTPUT / 4 + i * columns + j]! : 0);
            for (let k = 0; k < depth; k++) {
              const left = before[LEFT / 4 + i * leftSteps[0]! + k * leftSteps[1]!]!;
              sum += left * before[RIGHT / 4 + k * rightSteps[0]! + j * rightSteps[1]!]!;
            }
            expected[OUTPUT / 4 + i * columns + j] = rectified ? Math.max(0, sum) : sum;
          }
        }
        // In two parts, one of which may be empty, as threads share it.
        const [count, cut] = [given === 'depth' ? depth : rows, seed % (panelCount(columns) + 1)];
        run(LEFT, RIGHT, OUTPUT, count, 0, cut, SCRATCH);
        run(LEFT, RIGHT, OUTPUT, count, cut, panelCount(columns), SCRATCH);
        // Nothing but the output and the scratch is written.
        for (let i = 0; i < SCRATCH / 4; i++) {
          if (Math.abs(floats[i]! - expected[i]!) > 1e-5) throw new Error(`${i}: ${floats[i]}, not ${expected[i]}`);
        }
        expect(floats.subarray(0, 8)).toEqual(before.subarray(0, 8));
      }),
      { numRuns: 150 },
    );
  });
});
