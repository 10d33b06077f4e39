/** The arena of a compiled step: values that live at the same time never share memory, and the others do. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { Network } from '../../src/core/network.ts';
import { placeLifetimes, planArena, Tensor } from '../../src/engine/webgpu/arena.ts';
import { Kernels } from '../../src/engine/webgpu/kernels.ts';
import { compileStep } from '../../src/engine/webgpu/program.ts';
import { cutIntoUnits } from '../../src/engine/webgpu/units.ts';
import { networks } from '../support/networks.ts';

const lifetime = fc
  .record({ size: fc.integer({ min: 1, max: 500 }), first: fc.nat(30), lasting: fc.nat(10) })
  .map(({ size, first, lasting }) => ({ size, first, last: first + lasting }));

describe('placing lifetimes', () => {
  it('keeps apart what lives at the same time, inside of the arena', () => {
    fc.assert(
      fc.property(fc.array(lifetime, { maxLength: 40 }), (lifetimes) => {
        const { offsets, size } = placeLifetimes(lifetimes);
        // Slow and obvious: who holds each value at each step.
        for (let step = 0; step <= 40; step++) {
          const holders = new Set<number>();
          let values = 0;
          lifetimes.forEach((own, i) => {
            if (step < own.first || step > own.last) return;
            const offset = offsets[i] ?? -1;
            values += own.size;
            for (let at = offset; at < offset + own.size; at++) holders.add(at);
            expect(offset).toBeGreaterThanOrEqual(0);
            expect(offset + own.size).toBeLessThanOrEqual(size);
          });
          expect(holders.size).toBe(values);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('takes no more room than the most that lives at once, when all are equally large', () => {
    const chain = Array.from({ length: 20 }, (_, i) => ({ size: 64, first: i, last: i + 1 }));
    expect(placeLifetimes(chain).size).toBe(2 * 64);
  });

  it('starts where wide loads can', () => {
    const { offsets } = placeLifetimes([1, 65, 3].map((size) => ({ size, first: 0, last: 0 })));
    expect(offsets.every((offset) => offset % 64 === 0)).toBe(true);
  });
});

describe('planning an arena', () => {
  it('gives a tensor the memory of one that nobody needs any more', () => {
    const [a, b, c] = [new Tensor('a', 100), new Tensor('b', 100), new Tensor('c', 100)] as const;
    const size = planArena([{ tensors: [a] }, { tensors: [a, b] }, { tensors: [b, c] }]);
    expect(c.offset).toBe(a.offset);
    expect(b.offset).not.toBe(a.offset);
    expect(size).toBe(2 * 128);
  });
});

describe('a compiled step', () => {
  const compile = (network: Network, rows: number, training: boolean) =>
    compileStep({
      units: cutIntoUnits(placeNetwork(network)),
      rows,
      data: { kind: 'floats', stride: 1 },
      rule: training ? { optimizer: 'adam', proximal: true, clipped: false } : undefined,
      kernels: new Kernels(() => 'register-4x8'),
    });

  it('has two dispatches at least, so that the step number can move on', () => {
    fc.assert(
      fc.property(networks(['lstm']), fc.boolean(), (network, training) => {
        const { dispatches, arena } = compile(network, 3, training);
        expect(dispatches.length).toBeGreaterThanOrEqual(2);
        expect(arena).toBeGreaterThan(0);
        for (const { code } of dispatches) expect(code).not.toContain('undefined');
      }),
    );
  });

  it('is five dispatches for a perceptron with one hidden layer, Adam and the proximal term with them', () => {
    const dense = { kind: 'dense', useBias: true } as const;
    const network: Network = {
      input: { kind: 'values', shape: [784] },
      layers: [
        { ...dense, units: 128, activation: 'relu' },
        { ...dense, units: 10, activation: 'linear' },
      ],
      loss: 'softmax-cross-entropy',
    };
    expect(compile(network, 32, true).dispatches.map(({ label }) => label)).toEqual([
      'dense 0',
      'dense 1 and loss',
      'dense 1 input',
      'dense 1 kernel',
      'dense 0 kernel',
    ]);
  });
});
