/** Kernels of whole layers against their definitions in float64, and where shapes are wide against plain JavaScript. */
import * as fc from 'fast-check';
import { afterAll, describe, it } from 'vitest';
import { dropoutKey, dropoutSeed } from '../../src/core/dropout.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { Layer, Network, NetworkInput } from '../../src/core/network.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { CompiledWasm } from '../../src/engine/wasm/compiledWasm.ts';
import { slowRows, slowTraining } from '../reference/slowNetwork.ts';
import { conv, dense, depthwise, networks, pool, someExamples, someParameters } from '../support/networks.ts';
import { expectSameBlocks, gradientOf, SEED } from '../support/training.ts';

const engine = new CompiledWasm({ arithmetic: { fused: false }, threads: 1, spreadsFrom: 0 });
afterAll(() => engine.close());

/** The gradient of one batch by the definitions. */
function slowGradient(network: Network, rows: number, seed: number): number[] {
  const placed = placeNetwork(network);
  const start = someParameters(network, seed);
  const { inputs, labels, width, labelWidth = 1, inputScale } = someExamples(network, rows, seed);
  const [all, targets] = [slowRows(inputs, width, inputScale), slowRows(labels, labelWidth)];
  const order = [...new SeededRandom(SEED).permutation(rows)];
  const batch = { inputs: order.map((row) => all[row]!), targets: order.map((row) => targets[row]!) };
  const rule = { optimizer: { kind: 'sgd' }, learningRate: 1, fedProxMu: 0 } as const;
  const keyOf = (step: number, layer: number): number => dropoutKey(dropoutSeed(SEED), step, layer);
  const after = slowTraining(placed, [...start], [batch], rule, keyOf);
  return placed.layout.blocks.flatMap(({ role, offset, length }) =>
    after
      .slice(offset, offset + length)
      .map((value, i) => (role === 'statistic' ? value : (start[offset + i] ?? 0) - value)),
  );
}

async function compareGradient(network: Network, rows: number, seed: number): Promise<void> {
  const examples = someExamples(network, rows, seed);
  const got = await gradientOf(engine, network, examples, someParameters(network, seed));
  expectSameBlocks(network, got, slowGradient(network, rows, seed));
}

const values = (...shape: number[]): NetworkInput => ({ kind: 'values', shape });
const FLATTEN: Layer = { kind: 'flatten' };
const BATCH_NORM: Layer = { kind: 'batchNorm', momentum: 0.9, epsilon: 1e-3 };
const LAYER_NORM: Layer = { kind: 'layerNorm', epsilon: 1e-3 };

/** Wider than a block of columns, and not by a whole vector. */
const WIDE: Readonly<Record<string, Network>> = {
  'dense layers': {
    input: values(45),
    layers: [dense(67, 'tanh'), LAYER_NORM, dense(41, 'gelu'), BATCH_NORM, dense(35, 'sigmoid'), dense(11)],
    loss: 'softmax-cross-entropy',
  },
  convolutions: {
    input: values(7, 9, 5),
    layers: [
      conv(37, { kernelSize: [3, 2], strides: [2, 1], activation: 'tanh' }),
      BATCH_NORM,
      conv(19, { kernelSize: [1, 1], activation: 'sigmoid' }),
      FLATTEN,
      dense(3),
    ],
    loss: 'softmax-cross-entropy',
  },
  'depthwise convolutions and pools': {
    input: values(9, 7, 7),
    layers: [
      depthwise(5, { kernelSize: [3, 4], activation: 'tanh' }),
      pool('maxPool2d', [3, 2], [2, 2], 'same'),
      depthwise(1, { strides: [1, 2], activation: 'gelu' }),
      pool('averagePool2d', [2, 3], [1, 1], 'same'),
      FLATTEN,
      dense(3),
    ],
    loss: 'mean-squared-error',
  },
  attention: {
    input: { kind: 'tokens', length: 19, vocabulary: 13 },
    layers: [
      { kind: 'embedding', width: 15, positions: true },
      dense(45),
      { kind: 'attention', heads: 3 },
      { kind: 'dropout', rate: 0.2 },
      dense(13),
    ],
    loss: 'softmax-cross-entropy',
  },
};

describe('compiled layers', () => {
  it.each(Object.entries(WIDE))('find the gradient of wide %s', { timeout: 120_000 }, async (_, network) => {
    const cpu = await openEngine('cpu');
    for (const rows of [2, 3, 40]) {
      const examples = someExamples(network, rows, rows);
      const start = someParameters(network, rows);
      const expected = await gradientOf(cpu, network, examples, start);
      expectSameBlocks(network, await gradientOf(engine, network, examples, start), expected);
    }
    cpu.close();
  });

  it('find the gradient of random networks', { timeout: 120_000 }, async () => {
    const few = networks(['lstm']).filter((network) => placeNetwork(network).layout.length < 400);
    await fc.assert(
      fc.asyncProperty(few, fc.integer({ min: 1, max: 7 }), fc.nat(1000), compareGradient),
      // Always the same: now and then rounding takes another side of a maximum, which no tolerance covers.
      { numRuns: 30, seed: 7 },
    );
  });
});
