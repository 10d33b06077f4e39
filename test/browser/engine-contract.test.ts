/** Every engine on tfjs keeps the contract of an engine in a browser. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineName, TrainingEngine } from '../../src/core/engine.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import type { ModelSpec } from '../../src/core/modelSpec.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { initialise } from '../../src/update/initialise.ts';
import { engineContract } from '../contract/engineContract.ts';
import type { EngineContractOptions } from '../contract/engineContract.ts';
import { someExamples } from '../support/networks.ts';
import { FREE, SEED, training } from '../support/training.ts';

/** Where the browser has WebGL 2 for it; everything else must be there. */
const WEBGL: readonly EngineName[] = new OffscreenCanvas(1, 1).getContext('webgl2', {
  failIfMajorPerformanceCaveat: true,
})
  ? ['webgl']
  : [];

/** Fewer random networks where each new shape is compiled in software. */
const FEW = { runs: 10 };

const OPTIONS: Partial<Record<EngineName, EngineContractOptions>> = {
  wasm: { lacks: ['conv2d', 'depthwiseConv2d'] },
  webgpu: FEW,
  webgl: FEW,
};

for (const name of ['cpu', 'wasm', 'webgpu', ...WEBGL] as const) {
  engineContract(name, () => openEngine(name), OPTIONS[name]);
}

describe('the cpu engine', () => {
  const spec: ModelSpec = { architecture: 'mlp', inputs: 6, hidden: [7, 4], outputs: 3, activation: 'tanh' };
  const network = networkOf(spec);
  let engine: TrainingEngine;
  beforeEach(async () => {
    engine = await openEngine('cpu');
  });
  afterEach(() => engine.close());

  it('repeats itself for the same seed, and not for another', async () => {
    const session = await engine.open(network);
    const run = async (seed: Uint8Array<ArrayBuffer>): Promise<ModelParameters> => {
      session.setParameters(initialise(spec, 1));
      await session.train(someExamples(network, 40), training(), seed, FREE);
      return await session.parameters();
    };
    expect(await run(SEED)).toEqual(await run(SEED));
    expect(await run(SEED)).not.toEqual(await run(SeededRandom.of(6).bytes(32)));
  });

  it('is held back by the proximal term', async () => {
    const start = initialise(spec, 1);
    const distance = async (fedProxMu: number): Promise<number> => {
      const session = await engine.open(network);
      session.setParameters(start);
      await session.train(someExamples(network, 20), training({ fedProxMu, epochs: 20 }), SEED, FREE);
      const parameters = await session.parameters();
      session.close();
      return Math.hypot(...parameters.map((value, i) => value - (start[i] ?? 0)));
    };
    expect(await distance(1)).toBeLessThan((await distance(0)) / 1.5);
  });
});
