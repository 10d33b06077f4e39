import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { float32ToBytes, utf8 } from '../../src/core/bytes.ts';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import type { ModelSpec } from '../../src/core/modelSpec.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { initialise } from '../../src/update/initialise.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { slowKeystream } from '../reference/slowSum.ts';

const spec: ModelSpec = { architecture: 'mlp', inputs: 20, hidden: [7], outputs: 3, activation: 'relu' };

describe('initial model', () => {
  it('is (2u − 1) · limit of the seed’s stream, biases zero', () => {
    const key = createHash('sha256')
      .update('hushgrad/1 initial model')
      .update(Uint8Array.of(0, 0, 1, 5))
      .digest();
    const parameters = initialise(spec, 261);
    const { blocks, length } = parameterLayout(spec);
    const stream = slowKeystream(key, length).map(Number);
    expect(parameters).toHaveLength(length);
    for (const { offset, length: size, initialiser } of blocks) {
      for (let i = offset; i < offset + size; i++) {
        const limit = initialiser.kind === 'uniform' ? initialiser.limit : 0;
        expect(parameters[i]).toBe(limit === 0 ? 0 : Math.fround(((2 * stream[i]!) / 2 ** 32 - 1) * limit));
      }
    }
  });

  it('is the same for the same seed, another for another, and spread over the whole range', () => {
    const wide: ModelSpec = { ...spec, inputs: 784, hidden: [128] };
    const parameters = initialise(wide, 1);
    expect(modelHashOf(initialise(wide, 1))).toBe(modelHashOf(parameters));
    expect(modelHashOf(initialise(wide, 2))).not.toBe(modelHashOf(parameters));
    const [kernel] = parameterLayout(wide).blocks;
    const limit = Math.sqrt(6 / (784 + 128));
    const values = parameters.subarray(0, kernel!.length);
    expect(Math.max(...values)).toBeLessThanOrEqual(limit);
    expect(Math.max(...values)).toBeGreaterThan(0.999 * limit);
    expect(Math.min(...values)).toBeLessThan(-0.999 * limit);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    // Standard error of the mean of n uniforms in ±limit: limit / sqrt(3n); five of them.
    expect(Math.abs(mean)).toBeLessThan((5 * limit) / Math.sqrt(3 * values.length));
  });
});

describe('model hash', () => {
  it('is SHA-256 of little-endian float32, wherever in memory the model lies', () => {
    const values = Float32Array.of(1, -2.5, 1e-40, 3e38, 0, -0);
    const expected = createHash('sha256').update(float32ToBytes(values)).digest('hex');
    const within = new Float32Array(10);
    within.set(values, 3);
    expect(modelHashOf(values as ModelParameters)).toBe(expected);
    expect(modelHashOf(within.subarray(3, 9) as ModelParameters)).toBe(expected);
    expect(modelHashOf(utf8('') as unknown as ModelParameters)).toBe(createHash('sha256').digest('hex'));
  });
});
