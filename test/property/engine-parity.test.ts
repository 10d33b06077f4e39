/** A batch in which few rows come again and again trains as those rows alone do. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainingEngine } from '../../src/core/engine.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { disagreementOf, parityRun } from '../../src/engine/parity.ts';
import { NETWORKS } from '../support/networks.ts';
import { training } from '../support/training.ts';

describe('repeated rows', () => {
  let engine: TrainingEngine;
  beforeAll(async () => {
    engine = await openEngine('cpu');
  });
  afterAll(() => engine.close());

  it.each(Object.entries(NETWORKS))('are nothing but the rows, for the network %s', async (_, network) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 1, max: 3 }), async (rows, times) => {
        const session = await engine.open(network);
        const shape = { rows, steps: 2 };
        const alone = await parityRun(session, network, training({ batchSize: rows }), shape);
        const repeated = await parityRun(session, network, training({ batchSize: rows * times }), shape);
        session.close();
        const reference = { ...alone, shape, adapter: '', samplesPerSecond: 1 };
        expect(disagreementOf(repeated.after, reference)).toBeLessThan(1e-4);
        expect(disagreementOf(alone.before, reference)).toBeCloseTo(1, 6);
      }),
      { numRuns: 4 },
    );
  });
});
