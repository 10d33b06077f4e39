/** The real training and summing workers: from digits to the next model, through masks. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TrainingProgress } from '../../src/core/engine.ts';
import type { HushError } from '../../src/core/errors.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { AskedEngine, MaskSeed, Trainer, TrainerTask, TrainOrder } from '../../src/core/localWork.ts';
import { networkOf } from '../../src/core/modelSpec.ts';
import type { Plan } from '../../src/core/plan.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { evaluationSumSpec, ringBits, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import type { MaskedUpdate, ModelParameters } from '../../src/core/updateStages.ts';
import { createSummerHost } from '../../src/platform/summerHost.ts';
import { createTrainerHost } from '../../src/platform/trainerHost.ts';
import { initialise } from '../../src/update/initialise.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { piecesRoot } from '../../src/update/pieces.ts';
import { digitsPlan } from '../reference/digitsPlan.ts';
import { slowOutputs, slowRows } from '../reference/slowNetwork.ts';

const SHARDS = 20;
const PLAN = digitsPlan({ hidden: [8] });
const LONG_PLAN = digitsPlan({ hidden: [8], epochs: 1000 });

function task(forceEngine: AskedEngine, index = 0, plan = PLAN): TrainerTask {
  return { plan, shard: { index, count: SHARDS, split: { kind: 'iid' }, seed: 1 }, forceEngine };
}

function order(round: number, kind: TrainOrder['kind'] = 'train'): TrainOrder {
  return { round, kind, seed: SeededRandom.of(round).bytes(32) };
}

const start = (): ModelParameters => initialise(PLAN.model, PLAN.seed);

async function ready(trainer: Trainer, given: TrainerTask): Promise<void> {
  await trainer.open(given);
  await trainer.chooseEngine();
  await trainer.load(start());
}

describe('the training worker', () => {
  let trainer: ReturnType<typeof createTrainerHost>;
  beforeEach(() => {
    trainer = createTrainerHost();
  });
  afterEach(() => trainer.close());

  it('trains with WebGPU as it trains with plain JavaScript', async () => {
    const sums: Uint8Array[] = [];
    for (const name of ['cpu', 'webgpu'] as const) {
      await trainer.open(task(name));
      const choice = await trainer.chooseEngine();
      expect(choice.engine).toBe(name);
      if (name === 'webgpu') {
        expect(choice.adapter).toMatch(/swiftshader/i);
        expect(choice.candidates[0]?.disagreement).toBeGreaterThan(0);
        expect(choice.candidates[0]?.disagreement).toBeLessThan(1e-3);
      }
      await trainer.load(start());
      const report = await trainer.train(order(1));
      // 400 examples a shard, 40 of them set aside; 11 whole batches of 32.
      expect(report.figures.training.samples).toBe(352);
      expect(report.updateNorm).toBeGreaterThan(0.1);
      const { masked } = await trainer.mask({
        round: 1,
        sumSpec: trainingSumSpec(PLAN, start().length),
        groupSize: 3,
        seeds: [],
      });
      sums.push(masked);
    }
    // Without masks the words are the update in 16 bits of 2^-15 each, rounded at random: equal but for a few units.
    const bits = ringBits(trainingSumSpec(PLAN, start().length), 3);
    const [cpu, webgpu] = sums.map((packed) => updateWords(packed, bits, start().length));
    const differences = cpu!.map((word, i) => Math.abs(word - webgpu![i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(3);
    expect(new Set(cpu).size).toBeGreaterThan(20);
  });

  it('trains with stock tfjs where that is asked for, on the fastest of its backends', async () => {
    await trainer.open(task('stock'));
    const choice = await trainer.chooseEngine();
    expect(choice.adapter).toMatch(/stock tfjs$/);
    const usable = choice.candidates.filter((candidate) => candidate.usable);
    expect(usable.map(({ name }) => name)).toContain('wasm');
    expect(choice.samplesPerSecond).toBe(Math.max(...usable.map(({ samplesPerSecond }) => samplesPerSecond)));
    for (const { name, reason } of choice.candidates) {
      if (name.startsWith('compiled')) expect(reason).toContain('it is no backend of tfjs');
    }
    await trainer.load(start());
    const report = await trainer.train(order(1));
    expect(report.updateNorm).toBeGreaterThan(0.1);
    expect(report.figures.validation.samples).toBe(40);
  });

  it('takes a round from orders to the next model, beside a summing worker', async () => {
    const summer = createSummerHost();
    await summer.open({ plan: PLAN });
    expect(await summer.initialModel()).toEqual(start());
    const hash = await summer.load(start());
    expect(hash).toBe(modelHashOf(start()));

    const sumSpec = trainingSumSpec(PLAN, start().length);
    const seeds = Array.from({ length: 3 }, (_, i) => SeededRandom.of(100 + i).bytes(32));
    // A ring of three pairwise masks: each participant adds one and takes the next away, so that they cancel.
    const masksOf = (i: number): MaskSeed[] => [
      { seed: seeds[i]!, sign: 1 },
      { seed: seeds[(i + 1) % 3]!, sign: -1 },
      { seed: SeededRandom.of(200 + i).bytes(32), sign: 1 },
    ];
    await summer.begin({ round: 1, sumSpec, groupSizes: [3] });
    let trainingSamples = 0;
    for (let i = 0; i < 3; i++) {
      await ready(trainer, task('wasm', i));
      const { figures } = await trainer.train(order(1));
      trainingSamples += figures.training.samples;
      const report = await trainer.mask({ round: 1, sumSpec, groupSize: 3, seeds: masksOf(i) });
      expect(report.masked).toHaveLength(Math.ceil((wordCount(sumSpec) * ringBits(sumSpec, 3)) / 8));
      expect(report.piecesRoot).toBe(await piecesRoot(report.masked));
      expect(report.glimpse.stays).toHaveLength(9);
      expect(report.glimpse.sent).toHaveLength(12);
      for (const word of report.glimpse.sent) expect(word).toMatch(/^[0-9a-f]{5}$/);
      expect(await summer.add(1, 0, report.masked)).toBe(report.piecesRoot);
      // What was masked once is forgotten.
      await expect(trainer.mask({ round: 1, sumSpec, groupSize: 3, seeds: [] })).rejects.toMatchObject({
        code: 'worker/order',
      });
    }
    const selfMasks = [0, 1, 2].map((i): MaskSeed => ({ seed: SeededRandom.of(200 + i).bytes(32), sign: -1 }));
    await summer.unmask(1, 0, 3, selfMasks);
    const { packedSum, ...applied } = await summer.finish(1, 3, 3);
    expect(applied.totalWeight).toBe(3 * 360);
    expect(applied.figures.training.samples).toBe(trainingSamples);
    expect(applied.parameters).not.toEqual(start());
    expect(await trainer.apply({ round: 1, sumSpec, members: 3, survivors: 3, packedSum })).toEqual(applied);

    // The model that stands now is the better one.
    const { figures } = await trainer.train(order(2, 'evaluate'));
    expect(figures.training.samples).toBe(0);
    expect(figures.test.samples).toBe(100);
    expect(figures.test.correct).toBeGreaterThan(30);
    const { counts } = figures.test;
    const cells = counts?.kind === 'classes' ? counts.cells : [];
    expect(cells.reduce((sum, cell) => sum + cell, 0)).toBe(100);
    expect(cells.reduce((sum, cell, i) => (i % 11 === 0 ? sum + cell : sum), 0)).toBe(figures.test.correct);
    const evaluation = await trainer.mask({
      round: 2,
      sumSpec: evaluationSumSpec(PLAN),
      groupSize: 3,
      seeds: masksOf(0),
    });
    expect(evaluation.glimpse.stays).toEqual([]);

    await expect(summer.add(1, 0, packedSum as MaskedUpdate)).rejects.toMatchObject({ code: 'worker/order' });
    await summer.begin({ round: 3, sumSpec, groupSizes: [3] });
    await expect(summer.add(3, 0, new Uint8Array(5) as MaskedUpdate)).rejects.toMatchObject({ code: 'sum/length' });
    // Nothing was added, so the sum's own checks fail.
    await expect(summer.unmask(3, 0, 3, [])).rejects.toMatchObject({ code: expect.stringMatching(/^sum\//) });
    summer.close();
  });

  it('says what the current model makes of an example that was held out', async () => {
    await ready(trainer, task('cpu'));
    const { example, of } = await trainer.heldOut(2003);
    // A shard's part of 2,000.
    expect(of).toBe(2000 / SHARDS);
    expect(example).toMatchObject({ count: 1, width: 784 });
    expect((await trainer.heldOut(3)).example).toEqual(example);
    const outputs = await trainer.predict(example);
    const placed = placeNetwork(networkOf(PLAN.model));
    const [expected = []] = slowOutputs(placed, [...start()], slowRows(example.inputs, 784, example.inputScale), {});
    expect(outputs).toHaveLength(10);
    expected.forEach((value, i) => expect(outputs[i]).toBeCloseTo(value, 4));
  });

  it('pauses, goes on, and stops, with the page free meanwhile', async () => {
    const progress: TrainingProgress[] = [];
    trainer.onProgress((step) => progress.push(step));
    await ready(trainer, task('wasm', 0, LONG_PLAN));
    const { example } = await trainer.heldOut(3);
    const running = trainer.train(order(1));
    await expect.poll(() => progress.length, { timeout: 20_000 }).toBeGreaterThan(2);
    // What a person tries must not hold up a round, nor wait for its end.
    await expect(trainer.predict(example)).rejects.toMatchObject({ code: 'worker/training' });
    trainer.pause();
    // Two quiet looks in a row: what was under way has arrived.
    let before = -1;
    await expect
      .poll(
        () => {
          const quiet = progress.length === before;
          before = progress.length;
          return quiet;
        },
        // Longer than progress is apart.
        { interval: 1200, timeout: 20_000 },
      )
      .toBe(true);
    expect(progress.at(-1)?.fraction).toBeLessThan(1);
    trainer.resume();
    await expect.poll(() => progress.length, { timeout: 20_000 }).toBeGreaterThan(before);
    expect(progress.at(-1)).toMatchObject({ epochs: 1000, samplesPerSecond: expect.any(Number) });
    trainer.stop();
    await expect(running).rejects.toMatchObject({ code: 'engine/stopped' });
    expect(await trainer.predict(example)).toHaveLength(10);
    // Ready for the next order at once.
    const evaluated = await trainer.train(order(2, 'evaluate'));
    expect(evaluated.round).toBe(2);
  });

  it('refuses work out of order', async () => {
    await expect(trainer.load(start())).rejects.toMatchObject({ code: 'worker/order' });
    await trainer.open(task('cpu'));
    await expect(trainer.train(order(1))).rejects.toMatchObject({
      code: 'worker/order',
      message: expect.stringContaining('a model'),
    });
    const sumSpec = evaluationSumSpec(PLAN);
    await expect(trainer.mask({ round: 1, sumSpec, groupSize: 3, seeds: [] })).rejects.toMatchObject({
      code: 'worker/order',
      message: 'Round 1 is to be masked, expected none.',
    });
  });

  it('says what is wrong with a plan that this server cannot serve', async () => {
    const plan = digitsPlan({ sha256: 'f'.repeat(64) });
    await expect(trainer.open({ ...task('cpu'), plan })).rejects.toMatchObject({
      code: 'data/digest',
      advice: expect.stringContaining('disagree'),
    });
  });

  it('survives a training that diverges', async () => {
    const diverging: Plan = { ...PLAN, training: { ...PLAN.training, learningRate: NaN } };
    await trainer.open(task('wasm'));
    await trainer.chooseEngine();
    await trainer.open(task('wasm', 0, diverging));
    await trainer.load(start());
    const before = await trainer.train(order(1, 'evaluate'));
    await expect(trainer.train(order(2))).rejects.toMatchObject({ code: 'engine/not-finite' });
    // With the weights that it had.
    expect((await trainer.train(order(3, 'evaluate'))).figures).toEqual(before.figures);
    await trainer.open(task('wasm'));
    await trainer.chooseEngine();
    await trainer.load(start());
    expect((await trainer.train(order(4))).figures.training.samples).toBe(352);
  });

  it('works for the share of the time that it is given', async () => {
    await ready(trainer, task('compiled-wasm', 0, digitsPlan({ hidden: [8], epochs: 600 })));
    const durationOf = async (round: number): Promise<number> => (await trainer.train(order(round))).durationMs;
    await durationOf(1);
    const beforeMs = await durationOf(2);
    trainer.share(20);
    const restingMs = await durationOf(3);
    trainer.share(100);
    const afterMs = await durationOf(4);
    // Five times as long, on a machine that does other things too.
    expect(restingMs / Math.min(beforeMs, afterMs)).toBeGreaterThan(2.5);
    expect(afterMs).toBeLessThan(restingMs);
  });

  it('checks the engine that is remembered, and measures no other', async () => {
    await trainer.open({ plan: PLAN, shard: task('cpu').shard });
    const first = await trainer.chooseEngine();
    expect(first.measured?.machine).toContain('cores');
    expect(await trainer.chooseEngine({ remembered: first })).toEqual(first);
    const again = await trainer.chooseEngine();
    expect(again.measured?.atMs).toBeGreaterThan(first.measured?.atMs ?? Number.POSITIVE_INFINITY);
  });
});

describe('a training worker that dies', () => {
  it('fails the running round, and the next open starts another', async () => {
    const workers: Worker[] = [];
    const Original = globalThis.Worker;
    globalThis.Worker = class extends Original {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        workers.push(this);
      }
    };
    const trainer = createTrainerHost();
    const failures: HushError[] = [];
    trainer.onFailure((error) => failures.push(error));
    try {
      await ready(trainer, task('cpu', 0, LONG_PLAN));
      const running = trainer.train(order(1));
      // comlink reads the type of every argument; of null it cannot, and nobody catches that.
      workers[0]?.postMessage({ id: 'x', type: 'APPLY', path: ['open'], argumentList: [null] });
      await expect(running).rejects.toMatchObject({ code: 'worker/crashed' });
      expect(failures).toHaveLength(1);
      await expect(trainer.load(start())).rejects.toMatchObject({ code: 'worker/crashed' });

      await ready(trainer, task('cpu'));
      expect((await trainer.train(order(2))).round).toBe(2);
      expect(workers).toHaveLength(2);
    } finally {
      trainer.close();
      globalThis.Worker = Original;
    }
  });
});

/** The first words of an unmasked vector: the update's. */
function updateWords(packed: Uint8Array, bits: number, count: number): number[] {
  const words: number[] = [];
  let held = 0n;
  let heldBits = 0;
  for (const byte of packed) {
    held |= BigInt(byte) << BigInt(heldBits);
    heldBits += 8;
    while (heldBits >= bits && words.length < count) {
      words.push(Number(held & ((1n << BigInt(bits)) - 1n)));
      held >>= BigInt(bits);
      heldBits -= bits;
    }
  }
  return words;
}
