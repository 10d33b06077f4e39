/** Models that tfjs layers trains, on the backends of tfjs: they learn what plain JavaScript does, or say that they cannot. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfjs from '@tensorflow/tfjs';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineName } from '../../src/core/engine.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import type { Network } from '../../src/core/network.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { chooseEngine } from '../../src/engine/choose.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { KERAS_MODELS, savedKeras } from '../support/kerasModels.ts';
import { someExamples, someParameters } from '../support/networks.ts';
import { expectSameBlocks, FREE, SEED, training } from '../support/training.ts';

/** What stock tfjs is made of. */
const stock = { ...tf, ...tfl } as unknown as typeof tfjs;

async function trained(name: EngineName, network: Network): Promise<ModelParameters> {
  const engine = await openEngine(name);
  try {
    const session = await engine.open(network);
    session.setParameters(someParameters(network, 3));
    const rule = training({
      optimizer: { kind: 'momentum', momentum: 0.5 },
      learningRate: 0.1,
      batchSize: 4,
      epochs: 2,
    });
    await session.train(someExamples(network, 8), rule, SEED, FREE);
    return await session.parameters();
  } finally {
    engine.close();
  }
}

/** tfjs 4.22 has not every kernel on WebAssembly, and not every one of them right. */
const WHY_NOT_ON_WASM: Readonly<Record<string, string>> = {
  'two branches': "Kernel 'Conv2DBackpropFilter' not registered",
  images: "Kernel 'Conv2DBackpropFilter' not registered",
  text: "Kernel 'UnsortedSegmentSum' not registered",
  'both ways': 'does not compute what cpu computes',
};

const ON_WEBGPU: readonly string[] = ['both ways', 'images'];

describe.each(Object.entries(KERAS_MODELS))('a model of %s', (name, build) => {
  let network: Network;
  let expected: ModelParameters;
  beforeAll(async () => {
    const engine = await openEngine('cpu');
    network = networkOf((await savedKeras(stock, build(stock))).model);
    engine.close();
    expected = await trained('cpu', network);
  });

  // In software each of them is compiled for as long as all else here takes: the two that have the most operations.
  it.runIf(ON_WEBGPU.includes(name))('learns the same on webgpu', async () => {
    expectSameBlocks(network, await trained('webgpu', network), expected, 1e-3);
  });

  it('learns the same on wasm, or is not trained there', async () => {
    const options = { network, training: training({ batchSize: 4 }), open: openEngine, machine: 'here' };
    const refused = await chooseEngine({ ...options, force: 'wasm' }).then(
      ({ engine }) => engine.close(),
      (thrown: unknown) => String(thrown),
    );
    const because = WHY_NOT_ON_WASM[name];
    expect(refused).toEqual(because === undefined ? undefined : expect.stringContaining(because));
    if (refused === undefined) expectSameBlocks(network, await trained('wasm', network), expected, 1e-3);
  });

  it.each<EngineName>(['compiled-webgpu', 'compiled-wasm'])('is refused by %s', async (engine) => {
    await expect(trained(engine, network)).rejects.toMatchObject({ code: 'engine/unsupported' });
  });
});
