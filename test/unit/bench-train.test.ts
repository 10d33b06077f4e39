/** `npm run bench -- train`: its options, the order in which it measures, and what it makes of the figures. */
import { describe, expect, it } from 'vitest';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import { HushError } from '../../src/core/errors.ts';
import { run as runRounds } from '../../tools/bench/rounds.ts';
import { wholeSteps } from '../../tools/bench/train/cell.ts';
import type { Answers, BenchEngine, Question } from '../../tools/bench/train/cell.ts';
import { measure } from '../../tools/bench/train/measure.ts';
import type { CellResult, Place } from '../../tools/bench/train/measure.ts';
import { BENCH_MODELS, MODEL_NAMES, noise, productOperations } from '../../tools/bench/train/models.ts';
import { readTrainOptions, TRAIN_OPTIONS_HELP } from '../../tools/bench/train/options.ts';
import { flatnessOf, rowsOf, tableText } from '../../tools/bench/train/report.ts';

describe('options', () => {
  it('have defaults', () => {
    const { orders, ...others } = readTrainOptions([]);
    expect(others).toEqual({
      help: false,
      json: false,
      bundle: undefined,
      gpu: false,
      peakTflops: undefined,
      dawn: undefined,
    });
    expect(orders.map(({ model }) => model)).toEqual(['mlp', 'lenet', 'cnn', 'gpt', 'lstm']);
    expect(orders[0]).toMatchObject({ batch: undefined, seconds: 3, rounds: 5 });
    expect(orders[0]!.engines).toContain('stock-wasm');
  });

  it('are all understood', () => {
    const line = '--models gpt,mlp,gpt --engines cpu,stock-cpu --batch 7 --seconds 0.5 --rounds 9 --json --gpu';
    const options = readTrainOptions(line.split(' '));
    const same = { engines: ['cpu', 'stock-cpu'], batch: 7, seconds: 0.5, rounds: 9 };
    expect(options).toMatchObject({
      json: true,
      gpu: true,
      orders: [
        { model: 'gpt', ...same },
        { model: 'mlp', ...same },
      ],
    });
  });

  it('add the matrix products, at their own batch size, where the peak is known', () => {
    const { orders, peakTflops } = readTrainOptions(['--models', 'mlp', '--batch', '8', '--peak', '67']);
    expect(peakTflops).toBe(67);
    expect(orders.map(({ model, batch }) => [model, batch])).toEqual([
      ['mlp', 8],
      ['product', undefined],
    ]);
  });

  it('are named by the help', () => {
    for (const option of ['models', 'engines', 'batch', 'seconds', 'rounds', 'peak', 'json', 'help']) {
      expect(TRAIN_OPTIONS_HELP).toContain(`--${option}`);
    }
    for (const name of MODEL_NAMES) expect(TRAIN_OPTIONS_HELP).toContain(name);
  });

  it.each([
    ['--models', 'mlp,vgg', '"--models" has "vgg", expected one of mlp, lenet, cnn, gpt, lstm, product.'],
    ['--batch', '0', '"--batch" is "0", expected a whole number from 1 to 65536.'],
    ['--batch', '1.5', '"--batch" is "1.5", expected a whole number from 1 to 65536.'],
    ['--seconds', '', '"--seconds" is "", expected a number from 0.01 to 600.'],
    ['--seconds', 'x', '"--seconds" is "x", expected a number from 0.01 to 600.'],
    ['--rounds', '0', '"--rounds" is "0", expected a whole number from 1 to 1000.'],
    ['--peak', '-1', '"--peak" is "-1", expected a number from 0.01 to 10000.'],
  ])('%s "%s" is refused', (option, value, message) => {
    expect(() => readTrainOptions([`${option}=${value}`])).toThrow(
      expect.objectContaining({ code: 'command/option', message }),
    );
  });

  it('of the rounds are refused in the same words', async () => {
    await expect(runRounds(['--rounds', '1'])).rejects.toMatchObject({
      message: '"--rounds" is "1", expected a whole number from 2 to 100000.',
    });
    await expect(runRounds(['--engine', 'fast'])).rejects.toMatchObject({ code: 'command/option' });
  });
});

interface Scripted {
  readonly stepMs: number;
  readonly throws?: HushError;
  /** The first question that throws. */
  readonly at?: Question['kind'];
}

/** Engines that take a fixed time for a step, and what they were asked, in order. */
function scriptedPlace(engines: Partial<Record<BenchEngine, Scripted>>) {
  const asked: [BenchEngine, Question][] = [];
  const closed: BenchEngine[] = [];
  const answer = (question: Question, stepMs: number): Answers[keyof Answers] => {
    switch (question.kind) {
      case 'open':
        return { adapter: 'scripted', tookMs: 5 };
      case 'train':
      case 'round':
        return stepMs * question.steps;
      case 'dispatches':
        return 42;
      case 'javascript':
        return 0.25;
      case 'memory':
        return { gpuBytes: 1e6, gpuPeakBytes: 2e6, wasmBytes: 3e6, heapBytes: undefined };
      default:
        return question satisfies never;
    }
  };
  const place: Place = {
    open: (engine) => ({
      ask: async (question) => {
        asked.push([engine, question]);
        const { stepMs, throws, at = 'open' } = engines[engine] ?? { stepMs: 1 };
        if (throws && question.kind === at) throw throws;
        return (await Promise.resolve(answer(question, stepMs))) as never;
      },
      close: () => void closed.push(engine),
    }),
    heapBytes: () => Promise.resolve({ cpu: 7e6 }),
  };
  return { place, asked, closed };
}

const ORDER = { model: 'mlp', batch: undefined, seconds: 1, rounds: 3, heapLimitMs: 1 } as const;

describe('measuring', () => {
  it('takes turns, each as long as the others', async () => {
    const { place, asked, closed } = scriptedPlace({ cpu: { stepMs: 2 }, wasm: { stepMs: 0.5 } });
    const results = await measure(place, { ...ORDER, engines: ['cpu', 'wasm'] });
    // A third of a second, in whole epochs of 20 steps.
    expect(results.map(({ stepsPerTurn }) => stepsPerTurn)).toEqual([160, 660]);
    const turns = asked.filter(([, question]) => question.kind === 'train').slice(-6);
    expect(turns.map(([engine]) => engine)).toEqual(['cpu', 'wasm', 'cpu', 'wasm', 'cpu', 'wasm']);
    expect(results[0]!.samplesPerSecond).toEqual([16_000, 16_000, 16_000]);
    expect(results[1]!.samplesPerSecond).toEqual([64_000, 64_000, 64_000]);
    expect(results.map(({ heapBytes }) => heapBytes)).toEqual([7e6, undefined]);
    expect(closed).toEqual(['cpu', 'wasm']);
  });

  it('takes one step a turn of what is slow, and no more turns than there is time for', async () => {
    const { place } = scriptedPlace({ cpu: { stepMs: 25_000 } });
    const [result] = await measure(place, { ...ORDER, engines: ['cpu'], rounds: 5 });
    expect(result).toMatchObject({ stepsPerTurn: 1, reason: undefined });
    expect(result!.samplesPerSecond).toEqual([1.28, 1.28, 1.28]);
  });

  it('counts dispatches and the time of JavaScript where there is WebGPU', async () => {
    const { place, asked } = scriptedPlace({});
    const results = await measure(place, { ...ORDER, engines: ['stock-webgpu', 'stock-wasm'] });
    expect(results[0]).toMatchObject({ dispatchesPerStep: 42, javascriptMsPerStep: 0.25 });
    expect(results[1]).toMatchObject({ dispatchesPerStep: undefined, javascriptMsPerStep: undefined });
    expect(asked.filter(([, { kind }]) => kind === 'dispatches').map(([engine]) => engine)).toEqual(['stock-webgpu']);
  });

  it.each<[string, Question['kind'], HushError]>([
    [
      'throws: Conv2DBackpropFilter',
      'train',
      new HushError('bench/failed', "Error: Kernel 'Conv2DBackpropFilter' not registered for backend 'wasm'"),
    ],
    ['No such engine.', 'open', new HushError('engine/unavailable', 'No such engine.')],
  ])('says "%s" of an engine that does, and goes on with the others', async (reason, at, throws) => {
    const { place, closed } = scriptedPlace({ wasm: { stepMs: 1, throws, at }, cpu: { stepMs: 1 } });
    const results = await measure(place, { ...ORDER, engines: ['wasm', 'cpu'] });
    expect(results[0]).toMatchObject({ reason, samplesPerSecond: [] });
    expect(results[1]!.samplesPerSecond).toHaveLength(3);
    expect(closed).toContain('wasm');
  });
});

describe('steps', () => {
  it('are whole epochs of a data set', () => {
    expect([0, 0.4, 1, 3.9, 20, 21, 39, 40, 4000.5].map(wholeSteps)).toEqual([1, 1, 1, 3, 20, 20, 20, 40, 4000]);
  });
});

describe('models', () => {
  it.each(MODEL_NAMES.filter((name) => name !== 'product'))('%s have data that fits them', (name) => {
    const model = BENCH_MODELS[name];
    const { output, targets } = placeNetwork(model.network);
    const { count, width, inputs, labels, labelWidth = 1 } = noise(model, 3);
    expect([count, labelWidth]).toEqual([3, targets]);
    expect([inputs.length, labels.length]).toEqual([3 * width, 3 * targets]);
    expect(Math.max(...labels)).toBeLessThan(output.at(-1)!);
  });

  it('have data over again where there is much of it', () => {
    const { inputs } = noise(BENCH_MODELS.mlp, 4000);
    const drawn = 1_000_003;
    for (const i of [0, 1, 784, 131_070]) {
      expect([inputs[i + drawn], inputs[i + 2 * drawn]]).toEqual([inputs[i], inputs[i]]);
    }
    expect(new Set(inputs.slice(-5000)).size).toBe(256);
  });

  it('are of the sizes that are written down', () => {
    const size = (name: keyof typeof BENCH_MODELS): number => placeNetwork(BENCH_MODELS[name].network).layout.length;
    expect(size('mlp')).toBe(784 * 128 + 128 + 128 * 10 + 10);
    // McMahan et al. 2017, section 3: "1,663,370 total parameters".
    expect(size('cnn')).toBe(1_663_370);
  });

  it('take as many operations as their products one by one', () => {
    const { network } = BENCH_MODELS.mlp;
    // Forward and by the weights in both layers, by the inputs in the second alone.
    const slow = 2 * 3 * (2 * 784 * 128 + 3 * 128 * 10);
    expect(productOperations({ about: '', network, batch: 3 })).toBe(slow);
  });
});

const RESULT: CellResult = {
  model: 'mlp',
  engine: 'cpu',
  batch: 32,
  reason: undefined,
  opened: { adapter: 'scripted', tookMs: 1 },
  firstStepMs: 10,
  secondStepMs: 9,
  stepsPerTurn: 20,
  samplesPerSecond: [],
  dispatchesPerStep: undefined,
  javascriptMsPerStep: undefined,
  memory: { gpuBytes: 1e6, gpuPeakBytes: 2e6, wasmBytes: 3e6, heapBytes: undefined },
  heapBytes: 4e6,
};

describe('the report', () => {
  it('compares with stock tfjs on the same technology, of the same model', () => {
    const rows = rowsOf([
      { ...RESULT, engine: 'compiled-wasm', samplesPerSecond: [300, 100, 200, 500, 400] },
      { ...RESULT, engine: 'stock-wasm', samplesPerSecond: [50, 200, 100] },
      { ...RESULT, engine: 'stock-webgpu', samplesPerSecond: [1] },
      { ...RESULT, engine: 'compiled-wasm', model: 'gpt', samplesPerSecond: [3] },
    ]);
    expect(rows[0]).toMatchObject({
      samplesPerSecond: { median: 300, min: 100, max: 500 },
      medianStepMs: 106.7,
      ratioToStock: 3,
      stock: 'stock-wasm',
      memoryMB: { gpuPeak: 2, wasm: 3, heap: 4 },
      shareOfPeak: null,
    });
    expect(rows.slice(1).map(({ ratioToStock }) => ratioToStock)).toEqual([null, null, null]);
  });

  it('takes the middle of an even number', () => {
    expect(rowsOf([{ ...RESULT, samplesPerSecond: [1, 9, 2, 4] }])[0]!.samplesPerSecond).toEqual({
      median: 3,
      min: 1,
      max: 9,
    });
  });

  it('tells the share of the peak of matrix products alone', () => {
    const operations = productOperations(BENCH_MODELS.product);
    const batch = BENCH_MODELS.product.batch;
    // Ten steps a second.
    const results: CellResult[] = [{ ...RESULT, model: 'product', batch, samplesPerSecond: [10 * batch] }, RESULT];
    const [product, other] = rowsOf(results, 40 * (operations / 1e12));
    expect(product!.shareOfPeak).toBe(0.25);
    expect(other!.shareOfPeak).toBeNull();
    expect(rowsOf(results)[0]!.shareOfPeak).toBeNull();
  });

  it('has a line for each row, with the reason of what was not measured', () => {
    const text = tableText(
      rowsOf([
        { ...RESULT, reason: 'throws: Einsum' },
        { ...RESULT, samplesPerSecond: [5] },
      ]),
    );
    const lines = text.split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^mlp +cpu +– .*throws: Einsum$/);
    expect(lines[2]).toContain('5 (5–5)');
  });
});

describe('memory', () => {
  it('is flat when the highest is within 2 % of the lowest', () => {
    expect(flatnessOf(50, [100, 102, 101])).toEqual({ first: 50, lowest: 100, highest: 102, spread: 0.02, flat: true });
    expect(flatnessOf(50, [100, 103])).toMatchObject({ flat: false });
    expect(flatnessOf(0, [0, 0])).toMatchObject({ spread: 0, flat: true });
    expect(flatnessOf(0, [0, 1])).toMatchObject({ flat: false });
    expect(flatnessOf(1, [Number.NaN])).toMatchObject({ flat: false });
  });
});
