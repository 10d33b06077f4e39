/** Some rows of examples, copied. */
import type { Examples } from '../core/dataset.ts';
import type { Values } from './growing.ts';

/** In this order, each as often as it is named; a copy, so that what it comes from can be let go. */
export function pickRows(examples: Examples, rows: ArrayLike<number>): Examples {
  const { width, labelWidth = 1 } = examples;
  return {
    ...examples,
    count: rows.length,
    inputs: gather(examples.inputs, width, rows),
    labels: gather(examples.labels, labelWidth, rows),
  };
}

function gather(values: Values, width: number, rows: ArrayLike<number>): Values {
  const gathered = emptyLike(values, rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0;
    gathered.set(values.subarray(row * width, (row + 1) * width), i * width);
  }
  return gathered;
}

function emptyLike(values: Values, length: number): Values {
  if (values instanceof Uint8Array) return new Uint8Array(length);
  return values instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
}
