/** All kernels for products compute the same: which one is used must be a question of speed alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainingEngine } from '../../src/core/engine.ts';
import type { Network } from '../../src/core/network.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { openCompiledWebgpu } from '../../src/engine/webgpu/engine.ts';
import type { KernelChoice } from '../../src/engine/webgpu/programs.ts';
import { dense, someExamples, someParameters } from '../support/networks.ts';
import { expectSameBlocks, gradientOf } from '../support/training.ts';

type Case = readonly [what: string, network: Network, rows: number];

/** Sizes that are no multiple of any tile, and more than one tile long. */
const DENSE: Network = {
  input: { kind: 'values', shape: [131] },
  layers: [dense(75, 'tanh'), dense(68, 'relu'), dense(41)],
  loss: 'softmax-cross-entropy',
};

const IMAGES: Network = {
  input: { kind: 'values', shape: [9, 11, 3] },
  layers: [
    {
      kind: 'conv2d',
      filters: 36,
      kernelSize: [3, 3],
      strides: [2, 1],
      padding: 'same',
      activation: 'relu',
      useBias: true,
    },
    {
      kind: 'conv2d',
      filters: 10,
      kernelSize: [2, 3],
      strides: [1, 2],
      padding: 'valid',
      activation: 'tanh',
      useBias: true,
    },
    { kind: 'flatten' },
    dense(5),
  ],
  loss: 'softmax-cross-entropy',
};

/** One row is less than any tile, 37 are more than one of them. */
const ONE: Case = ['dense layers, one row', DENSE, 1];
const MANY: Case = ['dense layers', DENSE, 37];
const WINDOWS: Case = ['convolutions', IMAGES, 37];

describe.each<readonly [KernelChoice, readonly Case[]]>([
  ['register-8x8', [ONE, MANY, WINDOWS]],
  // Of dense layers alone.
  ['sliced', [ONE, MANY]],
  // One kernel in two sizes: what the one has shown, the other need not again.
  ['workgroup-32', [ONE, MANY]],
  ['workgroup-64', [MANY, WINDOWS]],
  // One row is too little to be timed.
  ['timed', [MANY, WINDOWS]],
])('products by the kernel %s', (choice, cases) => {
  let engine: TrainingEngine;
  let cpu: TrainingEngine;
  beforeAll(async () => {
    cpu = await openEngine('cpu');
    engine = await openCompiledWebgpu('patient', choice);
  });
  afterAll(() => {
    engine.close();
    cpu.close();
  });

  it.each(cases)('give the gradients of %s', async (_, network, rows) => {
    const [examples, start] = [someExamples(network, rows), someParameters(network)];
    const expected = await gradientOf(cpu, network, examples, start);
    expect(expected.some((value) => value !== 0)).toBe(true);
    expectSameBlocks(network, await gradientOf(engine, network, examples, start), expected);
  });
});
