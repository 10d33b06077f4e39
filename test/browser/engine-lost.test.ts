/** A graphics device that goes away in the middle of a training is an error that the next round survives. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TrainingControl } from '../../src/core/engine.ts';
import type { TrainerTask } from '../../src/core/localWork.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { browserImages } from '../../src/data/browserImages.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { initialise } from '../../src/update/initialise.ts';
import { PrivateDataService } from '../../src/worker/privateDataService.ts';
import { TrainService } from '../../src/worker/trainService.ts';
import { webRandom } from '../../src/worker/webRandom.ts';
import { digitsPlan } from '../reference/digitsPlan.ts';

const PLAN = digitsPlan({ hidden: [4], epochs: 1000 });
const SEED = SeededRandom.of(1).bytes(32);

describe('a lost WebGPU device', () => {
  const devices: GPUDevice[] = [];
  const original = Reflect.get(GPUAdapter.prototype, 'requestDevice');

  beforeEach(() => {
    devices.length = 0;
    GPUAdapter.prototype.requestDevice = async function requestDevice(descriptor) {
      const device = await original.call(this, descriptor);
      devices.push(device);
      return device;
    };
  });
  afterEach(() => {
    GPUAdapter.prototype.requestDevice = original;
  });

  it('ends the training with engine/lost', async () => {
    const engine = await openEngine('webgpu');
    const session = await engine.open(networkOf(PLAN.model));
    session.setParameters(initialise(PLAN.model, 1));
    const losing: TrainingControl = {
      proceed: () => undefined,
      onProgress: () => devices[0]?.destroy(),
    };
    const examples = {
      count: 320,
      width: 784,
      inputs: new Float32Array(320 * 784),
      inputScale: 1,
      labels: new Uint8Array(320),
    };
    const running = session.train(examples, PLAN.training, SEED, losing);
    await expect(running).rejects.toMatchObject({
      code: 'engine/lost',
      message: expect.stringContaining('device was lost'),
    });
    await expect(session.parameters()).rejects.toMatchObject({ code: 'engine/lost' });
    engine.close();
  });

  it('is followed by a new engine in the next round', async () => {
    const service = new TrainService({
      random: webRandom,
      fetchFile: (path) => fetch(path),
      ownData: new PrivateDataService(browserImages, () => undefined),
      report: () => devices[0]?.destroy(),
    });
    const task: TrainerTask = {
      plan: PLAN,
      shard: { index: 0, count: 100, split: { kind: 'iid' }, seed: 1 },
      forceEngine: 'webgpu',
    };
    await service.open(task);
    expect((await service.chooseEngine()).engine).toBe('webgpu');
    service.load(initialise(PLAN.model, 1));
    await expect(service.train({ round: 1, kind: 'train', seed: SEED })).rejects.toMatchObject({ code: 'engine/lost' });
    const report = await service.train({ round: 2, kind: 'evaluate', seed: SEED });
    expect(report.figures.test.samples).toBe(20);
    expect(devices).toHaveLength(2);
  });
});

describe('memory that the browser refuses', () => {
  const Original = WebAssembly.Memory;
  afterEach(() => {
    WebAssembly.Memory = Original;
  });

  it('ends the training, and the next one goes on from the same weights', async () => {
    const service = new TrainService({
      random: webRandom,
      fetchFile: (path) => fetch(path),
      ownData: new PrivateDataService(browserImages, () => undefined),
      report: () => undefined,
    });
    // More rows than are made room for at first.
    const plan = { ...PLAN, training: { ...PLAN.training, batchSize: 64, epochs: 1 } };
    await service.open({
      plan,
      shard: { index: 0, count: 40, split: { kind: 'iid' }, seed: 1 },
      forceEngine: 'compiled-wasm',
    });
    await service.chooseEngine();
    service.load(initialise(plan.model, 1));
    const before = await service.train({ round: 1, kind: 'evaluate', seed: SEED });
    WebAssembly.Memory = class extends Original {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        super(descriptor);
        throw new RangeError('could not allocate memory');
      }
    };
    await expect(service.train({ round: 2, kind: 'train', seed: SEED })).rejects.toMatchObject({
      code: 'engine/out-of-memory',
    });
    WebAssembly.Memory = Original;
    const after = await service.train({ round: 3, kind: 'evaluate', seed: SEED });
    expect(after.figures).toEqual(before.figures);
    const trained = await service.train({ round: 4, kind: 'train', seed: SEED });
    expect(trained.figures.training.samples).toBe(128);
  });
});
