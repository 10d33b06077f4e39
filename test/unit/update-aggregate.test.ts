import { describe, expect, it } from 'vitest';
import { planLayout } from '../../src/core/planLayout.ts';
import { NO_FIGURES } from '../../src/core/figures.ts';
import { evaluationSumSpec, ringBits, trainingSumSpec } from '../../src/core/sumSpec.ts';
import type { AggregateSum, ClippedUpdate, ModelParameters } from '../../src/core/updateStages.ts';
import { hashOf } from '../../src/crypto/hash.ts';
import { merkleRoot } from '../../src/crypto/merkle.ts';
import { Accumulator } from '../../src/update/accumulator.ts';
import { applySum } from '../../src/update/aggregate.ts';
import { applyUpdate } from '../../src/update/applyUpdate.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { packWords } from '../../src/update/pack.ts';
import { PIECE_BYTES, piecesRoot } from '../../src/update/pieces.ts';
import { quantise } from '../../src/update/quantise.ts';
import { samplePlan, withParameters } from '../reference/samplePlan.ts';
import { seededPort } from '../reference/seededPort.ts';

const model = (...values: number[]): ModelParameters => Float32Array.from(values) as ModelParameters;
const figures = { training: { lossSum: 4, correct: 5, samples: 10 }, validation: NO_FIGURES, test: NO_FIGURES };

describe('applying an update', () => {
  const layout = planLayout(withParameters(samplePlan(), 2));

  it('rounds once, to float32, and leaves the model before as it was', () => {
    const before = model(1, 2);
    const next = applyUpdate(before, Float64Array.of(1e-9, 0.1), 0.5, layout);
    expect([...next]).toEqual([1, Math.fround(2.05)]);
    expect([...before]).toEqual([1, 2]);
  });

  it('lets no variance of a normalisation fall below 0', () => {
    const sizes = { height: 4, width: 4, channels: 1, outputs: 2, filters: 1, blocksPerStage: 1 };
    const whole = planLayout({ model: { architecture: 'resnet', ...sizes }, training: {} });
    const { blocks, length } = whole;
    const before = new Float32Array(length).fill(0.5) as ModelParameters;
    const next = applyUpdate(before, new Float64Array(length).fill(-0.75), 1, whole);
    const names = blocks.filter(({ offset }) => next[offset] === 0).map(({ name }) => name);
    expect(names).toEqual(blocks.map(({ name }) => name).filter((name) => name.endsWith('/moving_variance')));
    expect(names.length).toBe(9);
    expect([...new Set(next)]).toEqual([-0.25, 0]);
  });

  it('refuses what leaves float32, and another length', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1e39]) {
      expect(() => applyUpdate(model(1, 1), Float64Array.of(0, bad), 1, layout)).toThrow(
        expect.objectContaining({ code: 'sum/not-finite' }),
      );
    }
    expect(() => applyUpdate(model(1, 1), new Float64Array(1), 1, layout)).toThrow(
      expect.objectContaining({ code: 'sum/length' }),
    );
  });
});

describe('applying a sum', () => {
  const plan = withParameters(samplePlan({ serverLearningRate: 0.5 }), 2);
  const groupSize = 5;

  function orderOf(kind: 'train' | 'evaluate', updates: readonly (readonly number[])[]) {
    const sumSpec = kind === 'train' ? trainingSumSpec(plan, 2) : evaluationSumSpec(plan);
    const bits = ringBits(sumSpec, groupSize);
    const vectors = updates.map((values, i) => {
      const update = kind === 'train' ? (Float32Array.from(values) as ClippedUpdate) : undefined;
      return quantise({ sumSpec, plan, update, weight: 250 * (i + 1), figures }, seededPort(i)).vector;
    });
    const accumulator = new Accumulator(vectors[0]!.length, bits);
    for (const vector of vectors) accumulator.add(packWords(vector, bits));
    expect(accumulator.added).toBe(updates.length);
    const packedSum = packWords(accumulator.sum(), bits);
    return { round: 1, sumSpec, members: groupSize, survivors: updates.length, packedSum };
  }

  const updates = [
    [0.1, -0.2],
    [0.3, 0.2],
    [-0.1, 0.4],
  ];

  it('moves the model by the weighted mean times the server’s learning rate', () => {
    const before = model(1, -1);
    const order = orderOf('train', updates);
    const report = applySum(before, order, plan);
    expect(report.totalWeight).toBe(1500);
    expect(report.figures.training).toEqual({ lossSum: 12, correct: 15, samples: 30 });
    const expected = [0, 1].map(
      (k) => updates.reduce((sum, of, i) => sum + (of[k]! * (i + 1)) / 6, before[k]! * 2) / 2,
    );
    expect(report.parameters[0]).toBeCloseTo(expected[0]!, 4);
    expect(report.parameters[1]).toBeCloseTo(expected[1]!, 4);
    expect(report.modelHashAfter).toBe(modelHashOf(report.parameters));
    expect(report.sumHash).toBe(hashOf(order.packedSum));
    expect([...before]).toEqual([1, -1]);
    expect(applySum(before, order, plan)).toEqual(report);
  });

  it('leaves the model alone in a round that only measures', () => {
    const before = model(1, -1);
    const report = applySum(before, orderOf('evaluate', updates), plan);
    expect(report.parameters).toEqual(before);
    expect(report.modelHashAfter).toBe(modelHashOf(before));
    expect(report.figures.training.samples).toBe(30);
    expect(report.totalWeight).toBe(0);
  });

  it('refuses a packed sum that is cut, padded, or of another model', () => {
    const order = orderOf('train', updates);
    const cut = { ...order, packedSum: order.packedSum.slice(1) };
    expect(() => applySum(model(1, 1), cut, plan)).toThrow(expect.objectContaining({ code: 'sum/length' }));
    const padded = { ...order, packedSum: order.packedSum.slice() };
    padded.packedSum[padded.packedSum.length - 1]! |= 0x80;
    expect(() => applySum(model(1, 1), padded, plan)).toThrow(expect.objectContaining({ code: 'sum/padding' }));
    expect(() => applySum(model(1, 1, 1), order, plan)).toThrow(expect.objectContaining({ code: 'sum/length' }));
  });

  it('refuses what a mask left on gives', () => {
    const { sumSpec, packedSum, ...order } = orderOf('train', updates);
    const accumulator = new Accumulator(
      sumSpec.segments.reduce((n, { length }) => n + length, 0),
      19,
    );
    accumulator.add(packedSum);
    accumulator.addMasks([{ seed: seededPort(9).bytes(32), sign: -1 }]);
    const masked = packWords(accumulator.sum(), 19);
    expect(() => applySum(model(1, 1), { ...order, sumSpec, packedSum: masked }, plan)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^sum\//) }),
    );
  });
});

describe('accumulator', () => {
  it('refuses a packed update of another length and keeps its sum', () => {
    const accumulator = new Accumulator(3, 20);
    accumulator.add(packWords(Uint32Array.of(1, 2, 3), 20));
    expect(() => accumulator.add(new Uint8Array(7))).toThrow(expect.objectContaining({ code: 'sum/length' }));
    expect(accumulator.added).toBe(1);
    expect(accumulator.sum()).toEqual(Uint32Array.of(1, 2, 3) as AggregateSum);
  });

  it('reduces modulo 2^R', () => {
    const accumulator = new Accumulator(1, 5);
    for (let i = 0; i < 3; i++) accumulator.add(packWords(Uint32Array.of(31), 5));
    expect([...accumulator.sum()]).toEqual([93 % 32]);
  });
});

describe('pieces', () => {
  it('are leaves of 64 KiB, the last one shorter', async () => {
    const packed = seededPort(1).bytes(2 * PIECE_BYTES + 5);
    expect(PIECE_BYTES).toBe(65_536);
    expect(await piecesRoot(packed)).toBe(
      merkleRoot([packed.subarray(0, 65_536), packed.subarray(65_536, 131_072), packed.subarray(131_072)]),
    );
    expect(await piecesRoot(packed.subarray(0, 131_072))).toBe(
      merkleRoot([packed.subarray(0, 65_536), packed.subarray(65_536, 131_072)]),
    );
  });
});
