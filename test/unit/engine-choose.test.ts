import { describe, expect, it } from 'vitest';
import type { Examples } from '../../src/core/dataset.ts';
import { ENGINE_NAMES } from '../../src/core/engine.ts';
import type { EngineChoice, EngineName, EngineSession, TrainingEngine } from '../../src/core/engine.ts';
import { HushError } from '../../src/core/errors.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import type { LocalTraining } from '../../src/core/plan.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { chooseEngine } from '../../src/engine/choose.ts';
import { referenceRun } from '../../src/engine/parity.ts';

const network = networkOf({ architecture: 'mlp', inputs: 3, hidden: [2], outputs: 2, activation: 'relu' });
const training: LocalTraining = {
  optimizer: { kind: 'sgd' },
  learningRate: 0.1,
  batchSize: 4,
  epochs: 1,
  fedProxMu: 0,
};

/** How an engine behaves; "trains" by adding `step` to every parameter, busy for `msPerBatch`. */
interface Behaviour {
  readonly msPerBatch?: number;
  readonly step?: number;
  readonly fails?: string;
  readonly opens?: boolean;
}

function engines(behaviours: Readonly<Partial<Record<EngineName, Behaviour>>>) {
  const open: EngineName[] = [];
  const opened: EngineName[] = [];
  return {
    open,
    opened,
    openEngine: (name: EngineName): Promise<TrainingEngine> => {
      const behaviour = behaviours[name] ?? absent;
      if (behaviour.opens === false) {
        return Promise.reject(new HushError('engine/unavailable', `There is no ${name} here.`));
      }
      open.push(name);
      opened.push(name);
      return Promise.resolve({
        name,
        adapter: `${name} adapter`,
        open: () => Promise.resolve(session(behaviour)),
        close: () => void open.splice(open.indexOf(name), 1),
      });
    },
  };
}

function session({ msPerBatch = 1, step = 0.5, fails }: Behaviour): EngineSession {
  let parameters = new Float32Array() as ModelParameters;
  return {
    setParameters: (given) => void (parameters = given.slice() as ModelParameters),
    parameters: () => Promise.resolve(parameters.slice() as ModelParameters),
    train: ({ count }: Examples, { batchSize }) => {
      if (fails) return Promise.reject(new Error(fails));
      const untilMs = performance.now() + (msPerBatch * count) / batchSize;
      while (performance.now() < untilMs);
      parameters = parameters.map((value) => value + step) as ModelParameters;
      return Promise.resolve({ lossSum: 0, correct: 0, samples: count });
    },
    evaluate: () => Promise.resolve({ lossSum: 0, correct: 0, samples: 0 }),
    predict: () => Promise.resolve(new Float32Array()),
    liveTensors: () => 0,
    close: () => undefined,
  };
}

const slow = { msPerBatch: 8 };
const absent = { opens: false };

const DAY_MS = 24 * 3600 * 1000;

describe('choosing an engine', () => {
  it('takes the fastest, says by how much, and closes the others', async () => {
    const fake = engines({
      cpu: { msPerBatch: 16 },
      wasm: { msPerBatch: 1 },
      webgl: { msPerBatch: 8 },
      webgpu: absent,
    });
    const { choice, engine } = await chooseEngine({ network, training, open: fake.openEngine, machine: 'here' });
    expect(choice.engine).toBe('wasm');
    expect(engine.name).toBe('wasm');
    expect(fake.open).toEqual(['wasm']);
    expect(choice.reason).toMatch(/^wasm is the fastest here: \d+ samples\/s on this model, [\d.]+ times webgl\.$/);
    expect(choice.candidates.map(({ name }) => name)).toEqual([...ENGINE_NAMES]);
    expect(choice.candidates.find(({ name }) => name === 'webgpu')).toMatchObject({
      usable: false,
      reason: 'There is no webgpu here.',
    });
  });

  it('goes by measurement and never by name', async () => {
    const fake = engines({ cpu: { msPerBatch: 1 }, wasm: slow, webgl: slow, webgpu: slow });
    const { choice } = await chooseEngine({ network, training, open: fake.openEngine, machine: 'here' });
    expect(choice.engine).toBe('cpu');
    expect(choice.candidates.filter(({ usable }) => usable)).toHaveLength(4);
  });

  it('refuses the fastest when it does not compute what cpu computes', async () => {
    const fake = engines({ cpu: slow, wasm: slow, webgl: absent, webgpu: { msPerBatch: 0.1, step: 0.502 } });
    const { choice } = await chooseEngine({ network, training, open: fake.openEngine, machine: 'here' });
    expect(choice.engine).not.toBe('webgpu');
    const refused = choice.candidates.find(({ name }) => name === 'webgpu');
    expect(refused).toMatchObject({ usable: false, adapter: 'webgpu adapter' });
    expect(refused?.disagreement).toBeCloseTo(0.004, 4);
    expect(refused?.reason).toMatch(/does not compute what cpu computes: off by 4\.0e-3/);
    expect(fake.open).toHaveLength(1);
  });

  it('refuses one that gives no numbers', async () => {
    const fake = engines({ cpu: slow, wasm: { step: NaN }, webgl: absent, webgpu: absent });
    const { choice } = await chooseEngine({ network, training, open: fake.openEngine, machine: 'here' });
    expect(choice.engine).toBe('cpu');
    expect(choice.candidates.find(({ name }) => name === 'wasm')?.usable).toBe(false);
  });

  it('passes over one that fails, with its reason', async () => {
    const fake = engines({ cpu: slow, wasm: { fails: 'kernel missing' }, webgl: absent, webgpu: absent });
    const { choice } = await chooseEngine({ network, training, open: fake.openEngine, machine: 'here' });
    expect(choice.engine).toBe('cpu');
    expect(choice.reason).toMatch(/only engine that can be used here/);
    expect(choice.candidates.find(({ name }) => name === 'wasm')?.reason).toBe('kernel missing');
    expect(fake.open).toEqual(['cpu']);
  });

  it('uses the one that was asked for, after the parity check alone', async () => {
    const fake = engines({ cpu: slow, wasm: { msPerBatch: 1 }, webgl: slow, webgpu: slow });
    const { choice } = await chooseEngine({
      network,
      training,
      force: 'webgl',
      open: fake.openEngine,
      machine: 'here',
    });
    expect(choice.engine).toBe('webgl');
    expect(choice.reason).toMatch(/^webgl was asked for: \d+ samples\/s/);
    expect(fake.opened).toEqual(['cpu', 'webgl']);
    expect(fake.open).toEqual(['webgl']);
  });

  it('fails with the reason when the one that was asked for cannot be used', async () => {
    const fake = engines({ cpu: slow, wasm: slow, webgl: slow, webgpu: absent });
    const choosing = chooseEngine({ network, training, force: 'webgpu', open: fake.openEngine, machine: 'here' });
    await expect(choosing).rejects.toMatchObject({
      code: 'engine/unavailable',
      message: expect.stringContaining('There is no webgpu here.'),
    });
    expect(fake.open).toEqual([]);
  });
});

describe('an engine that is remembered', () => {
  const cpuAndWasm = { cpu: slow, wasm: { msPerBatch: 1 } };

  async function remembered(changes: Partial<EngineChoice> = {}): Promise<EngineChoice> {
    const { choice } = await chooseEngine({ network, training, open: engines(cpuAndWasm).openEngine, machine: 'here' });
    return { ...choice, ...changes };
  }

  it('is checked and not measured, and no other is opened', async () => {
    const before = await remembered();
    const fake = engines(cpuAndWasm);
    const chosen = await chooseEngine({
      network,
      training,
      open: fake.openEngine,
      machine: 'here',
      remembered: before,
    });
    expect(chosen.choice).toBe(before);
    expect(chosen.engine.name).toBe('wasm');
    expect(fake.opened).toEqual(['cpu', 'wasm']);
    expect(fake.open).toEqual(['wasm']);
  });

  it.each([
    ['on another machine', { measured: { atMs: Date.now(), machine: 'elsewhere', referenceMs: 9 } }],
    ['after 31 days', { measured: { atMs: Date.now() - 31 * DAY_MS, machine: 'here', referenceMs: 9 } }],
    ['from a clock that went wrong', { measured: { atMs: Date.now() + DAY_MS, machine: 'here', referenceMs: 9 } }],
    ['that is gone', { engine: 'webgl' }],
  ] as const)('%s is found anew', async (_, changes) => {
    const before = await remembered(changes);
    const fake = engines(cpuAndWasm);
    const { choice } = await chooseEngine({
      network,
      training,
      open: fake.openEngine,
      machine: 'here',
      remembered: before,
    });
    expect(choice.engine).toBe('wasm');
    expect(choice.measured?.machine).toBe('here');
    expect(choice.candidates.filter(({ usable }) => usable)).toHaveLength(2);
    expect(fake.open).toEqual(['wasm']);
  });

  it('and now computes something else is closed and passed over', async () => {
    const before = await remembered();
    const fake = engines({ cpu: slow, wasm: { msPerBatch: 1, step: 0.502 } });
    const { choice } = await chooseEngine({
      network,
      training,
      open: fake.openEngine,
      machine: 'here',
      remembered: before,
    });
    expect(choice.engine).toBe('cpu');
    expect(fake.opened.filter((name) => name === 'wasm')).toHaveLength(2);
    expect(fake.open).toEqual(['cpu']);
  });

  it.each([
    [0.502, 'wasm', ['wasm']],
    [NaN, 'cpu', ['wasm', 'cpu', 'wasm', 'cpu']],
    [0, 'cpu', ['wasm', 'cpu', 'wasm', 'cpu']],
  ] as const)(
    'has only to learn something where the reference is slow: with a step of %d %s',
    async (step, wins, opened) => {
      const { measured } = await remembered();
      const before = await remembered({ measured: { ...measured!, referenceMs: 3000 } });
      const fake = engines({ cpu: slow, wasm: { msPerBatch: 1, step } });
      const { choice } = await chooseEngine({
        network,
        training,
        open: fake.openEngine,
        machine: 'here',
        remembered: before,
      });
      expect(choice.engine).toBe(wins);
      expect(fake.opened).toEqual(opened);
    },
  );

  it('gives way to one that is asked for by name', async () => {
    const before = await remembered();
    const fake = engines({ ...cpuAndWasm, webgl: slow });
    const { choice } = await chooseEngine({
      network,
      training,
      open: fake.openEngine,
      machine: 'here',
      remembered: before,
      force: 'webgl',
    });
    expect(choice.engine).toBe('webgl');
  });
});

describe('the reference', () => {
  it.each([
    ['many rows and steps where plain JavaScript is quick', 1, 4, { rows: 4, steps: 2 }],
    ['at most eight rows', 1, 32, { rows: 8, steps: 2 }],
    ['as many rows as a batch has equally often', 1, 20, { rows: 5, steps: 2 }],
    ['one row of a batch that cannot be divided', 1, 31, { rows: 1, steps: 1 }],
    ['one row where plain JavaScript is slow', 150, 32, { rows: 1, steps: 1 }],
  ] as const)('takes %s', async (_, msPerBatch, batchSize, shape) => {
    const fake = engines({ cpu: { msPerBatch } });
    const reference = await referenceRun({ network, training: { ...training, batchSize }, open: fake.openEngine });
    expect(reference.shape).toEqual(shape);
    expect(fake.open).toEqual([]);
  });
});
