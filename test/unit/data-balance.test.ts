/** What `training.balance` makes of a participant's training part. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Examples } from '../../src/core/dataset.ts';
import { balanced } from '../../src/data/balance.ts';
import { digitsPlan } from '../reference/digitsPlan.ts';

const TRAINING = { ...digitsPlan().training, balance: 'oversample' } as const;

/** Row i is [i, −i]. */
function examplesOf(labels: Uint8Array): Examples {
  const inputs = Float32Array.from({ length: 2 * labels.length }, (_, i) => (i % 2 === 0 ? i / 2 : -(i - 1) / 2));
  return { count: labels.length, width: 2, inputs, inputScale: 1, labels };
}

const labelLists = fc.uint8Array({ max: 4, maxLength: 200 });

it('keeps every row first and repeats rows of rarer classes, up to the geometric mean with the most frequent', () => {
  fc.assert(
    fc.property(labelLists, (labels) => {
      const { count, inputs, labels: after } = balanced(examplesOf(labels), TRAINING);
      expect(after.slice(0, labels.length)).toEqual(labels);
      const rows = Array.from({ length: count }, (_, i) => inputs[2 * i] ?? -1);
      expect(rows.slice(0, labels.length)).toEqual([...labels.keys()]);
      const before = (label: number): number => labels.filter((own) => own === label).length;
      const most = Math.max(0, ...Array.from(labels, before));
      for (const label of new Set(labels)) {
        const own = rows.filter((row) => labels[row] === label);
        expect(own).toHaveLength(Math.round(Math.sqrt(most * before(label))));
        // None is repeated twice more than another.
        const counts = [...new Set(own)].map((row) => own.filter((other) => other === row).length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }
      rows.forEach((row, i) => {
        expect(after[i]).toBe(labels[row]);
        expect(inputs[2 * i + 1]).toBe(row === 0 ? inputs[1] : -row);
      });
    }),
  );
});

it('leaves examples as they are without it, and where the classes are balanced or there is one', () => {
  const rare = examplesOf(Uint8Array.of(0, 0, 0, 0, 1));
  expect(balanced(rare, { ...TRAINING, balance: 'none' })).toBe(rare);
  expect(balanced(rare, digitsPlan().training)).toBe(rare);
  expect(balanced(rare, TRAINING).labels).toEqual(Uint8Array.of(0, 0, 0, 0, 1, 1));
  for (const labels of [[], [3, 3, 3], [0, 1, 1, 0]]) {
    const even = examplesOf(Uint8Array.from(labels));
    expect(balanced(even, TRAINING)).toBe(even);
  }
});
