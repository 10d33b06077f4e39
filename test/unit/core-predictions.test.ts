import { describe, expect, it } from 'vitest';
import { figuresOf } from '../../src/core/predictions.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { Loss } from '../../src/core/network.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { slowFigures } from '../reference/slowNetwork.ts';

const ROWS = 200;
const WIDTH = 4;

/** A network that puts out what comes in. */
const through = (loss: Loss) =>
  placeNetwork({
    input: { kind: 'values', shape: [WIDTH] },
    layers: [{ kind: 'activation', activation: 'linear' }],
    loss,
  });

describe('figures of outputs', () => {
  const random = SeededRandom.of(3);
  const outputs = Float32Array.from({ length: ROWS * WIDTH }, () => 3 * random.normal());
  const rows = Array.from({ length: ROWS }, (_, i) => [...outputs.subarray(i * WIDTH, (i + 1) * WIDTH)]);

  it.each(['softmax-cross-entropy', 'binary-cross-entropy', 'mean-squared-error'] as const)(
    'have loss and hits of %s as it is defined',
    (loss) => {
      const each = loss === 'softmax-cross-entropy' ? 1 : WIDTH;
      const labels = Int32Array.from({ length: ROWS * each }, () => random.below(each === 1 ? WIDTH : 2));
      const targets = Array.from({ length: ROWS }, (_, i) => [...labels.subarray(i * each, (i + 1) * each)]);
      const slow = slowFigures(through(loss), [], { inputs: rows, targets }, { dropoutKeyOf: () => 0 });
      const figures = figuresOf(loss, outputs, WIDTH, { labels });
      expect(figures.samples).toBe(ROWS);
      expect(figures.correct).toBe(slow.correct);
      expect(figures.lossSum).toBeCloseTo(
        slow.losses.reduce((sum, one) => sum + one, 0),
        9,
      );
      expect(figures.counts).toBeUndefined();
    },
  );

  it('count each sample once, in the row of its class and the column of the first largest logit', () => {
    const ties = Float32Array.of(1, 1, 0, 0, 0, 2);
    const { counts, correct } = figuresOf('softmax-cross-entropy', ties, 3, { labels: Uint8Array.of(1, 2) }, 'classes');
    expect(counts).toEqual({ kind: 'classes', cells: [0, 0, 0, 1, 0, 0, 0, 0, 1] });
    expect(correct).toBe(1);
  });

  it('count by the sign of the one logit that tells two classes apart', () => {
    const { counts, correct } = figuresOf(
      'binary-cross-entropy',
      Float32Array.of(-1, 2, 3, 0),
      1,
      { labels: Uint8Array.of(0, 0, 1, 1) },
      'classes',
    );
    expect(counts).toEqual({ kind: 'classes', cells: [1, 1, 1, 1] });
    expect(correct).toBe(2);
  });

  it('bound an error and a target, so that one bad value leaves room for the others', () => {
    const { counts } = figuresOf(
      'mean-squared-error',
      Float32Array.of(1e30, 2),
      1,
      { labels: Float32Array.of(-1e30, 1) },
      'values',
    );
    expect(counts).toEqual({
      kind: 'values',
      absoluteErrorSum: 2 ** 20 + 1,
      squaredErrorSum: 2 ** 40 + 1,
      targetAboveSum: 1,
      targetBelowSum: 2 ** 20,
      squaredTargetSum: 2 ** 40 + 1,
    });
  });

  it('are not finite where an output is not', () => {
    const { lossSum } = figuresOf('softmax-cross-entropy', Float32Array.of(Number.NaN, 1), 2, { labels: [0] as never });
    expect(lossSum).toBeNaN();
  });
});
