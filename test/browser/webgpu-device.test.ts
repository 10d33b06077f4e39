/** The compiled WebGPU engine when its device goes away, has no room, or computes nonsense; and what it holds on to. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Examples } from '../../src/core/dataset.ts';
import type { TrainingControl } from '../../src/core/engine.ts';
import type { Network } from '../../src/core/network.ts';
import { openCompiledWebgpu } from '../../src/engine/webgpu/engine.ts';
import type { CompiledWebgpu } from '../../src/engine/webgpu/engine.ts';
import { dense, someExamples, someParameters } from '../support/networks.ts';
import { FREE, SEED, training } from '../support/training.ts';

const NETWORK: Network = {
  input: { kind: 'values', shape: [6] },
  layers: [dense(8, 'relu'), dense(3)],
  loss: 'softmax-cross-entropy',
};

describe('the device of the compiled WebGPU engine', () => {
  const devices: GPUDevice[] = [];
  const original = Reflect.get(GPUAdapter.prototype, 'requestDevice');
  let engine: CompiledWebgpu;

  beforeEach(async () => {
    devices.length = 0;
    GPUAdapter.prototype.requestDevice = async function requestDevice(descriptor) {
      const device = await original.call(this, descriptor);
      devices.push(device);
      return device;
    };
    engine = await openCompiledWebgpu('patient', 'register-4x8');
  });
  afterEach(() => {
    GPUAdapter.prototype.requestDevice = original;
    engine.close();
  });

  it('ends a training with engine/lost when it is lost', async () => {
    const session = await engine.open(NETWORK);
    session.setParameters(someParameters(NETWORK));
    let calls = 0;
    const losing: TrainingControl = {
      proceed: () => {
        if (++calls === 4) devices[0]?.destroy();
      },
      onProgress: () => undefined,
    };
    const running = session.train(someExamples(NETWORK, 80), training({ epochs: 1000 }), SEED, losing);
    await expect(running).rejects.toMatchObject({
      code: 'engine/lost',
      message: expect.stringContaining('device was lost'),
    });
    await expect(session.parameters()).rejects.toMatchObject({ code: 'engine/lost' });
    const next = await openCompiledWebgpu('patient', 'register-4x8');
    const again = await next.open(NETWORK);
    again.setParameters(someParameters(NETWORK));
    expect(await again.train(someExamples(NETWORK, 8), training(), SEED, FREE)).toMatchObject({ samples: 8 });
    next.close();
  });

  it('says engine/out-of-memory when a batch has no room, and trains on a smaller one', async () => {
    const wide: Network = {
      ...NETWORK,
      input: { kind: 'values', shape: [1] },
      layers: [dense(65_536, 'relu'), dense(3)],
    };
    const session = await engine.open(wide);
    session.setParameters(someParameters(wide));
    const rows = 65_536;
    const many: Examples = {
      count: rows,
      width: 1,
      inputs: new Float32Array(rows),
      inputScale: 1,
      labels: new Uint8Array(rows),
    };
    const tooMany = session.train(many, training({ batchSize: rows }), SEED, FREE);
    await expect(tooMany).rejects.toMatchObject({ code: 'engine/out-of-memory' });
    const few = session.train(someExamples(wide, 4), training({ batchSize: 2 }), SEED, FREE);
    expect(await few).toMatchObject({ samples: 4 });
  });

  it('stops soon when the loss is no number any more', async () => {
    const session = await engine.open(NETWORK);
    session.setParameters(someParameters(NETWORK));
    const endless = training({ epochs: 1000, learningRate: 1e30 });
    let fraction = 0;
    const running = session.train(someExamples(NETWORK, 8000), endless, SEED, {
      proceed: () => undefined,
      onProgress: (progress) => (fraction = progress.fraction),
    });
    await expect(running).rejects.toMatchObject({ code: 'engine/not-finite' });
    expect(fraction).toBeLessThan(0.5);
  });

  it('holds no more after 200 rounds than after two', async () => {
    const session = await engine.open(NETWORK);
    await session.prepare(training(), someExamples(NETWORK, 40));
    const parts = [40, 12, 20].map((count) => someExamples(NETWORK, count));
    const held: number[] = [];
    for (let round = 0; round < 200; round++) {
      session.setParameters(someParameters(NETWORK));
      const [own, ...others] = parts as [Examples, ...Examples[]];
      await session.train(own, training(), SEED, FREE);
      for (const part of others) await session.evaluate(part);
      held.push(session.describe()?.deviceBytes ?? NaN);
    }
    expect(new Set(held.slice(1)).size).toBe(1);
    expect(session.describe()?.dispatches.length).toBeLessThanOrEqual(8);
  });
});
