/** One model on one engine, in a thread of its own: what the bench asks there, and how it is measured. */
import type { Bytes } from '../../../src/core/bytes.ts';
import type { Examples } from '../../../src/core/dataset.ts';
import { ENGINE_NAMES } from '../../../src/core/engine.ts';
import type { EngineName, EngineSession, TrainingControl, TrainingEngine } from '../../../src/core/engine.ts';
import { errorRecord, HushError } from '../../../src/core/errors.ts';
import type { ErrorRecord } from '../../../src/core/errors.ts';
import type { LocalTraining } from '../../../src/core/plan.ts';
import { SeededRandom } from '../../../src/core/seededRandom.ts';
import type { ModelParameters } from '../../../src/core/updateStages.ts';
import { busyMs, GpuGauge, WasmGauge } from './gauges.ts';
import { BENCH_MODELS, noise, startingPoint } from './models.ts';
import type { BenchModel, ModelName } from './models.ts';

/** Ours by their names in the product, and stock tfjs on each of its backends. */
export const BENCH_ENGINES = [...ENGINE_NAMES, 'stock-webgpu', 'stock-wasm', 'stock-webgl', 'stock-cpu'] as const;
export type BenchEngine = (typeof BENCH_ENGINES)[number];

export type Question =
  | { readonly kind: 'open'; readonly engine: BenchEngine; readonly model: ModelName; readonly batch: number }
  /** Trains so many steps. */
  | { readonly kind: 'train'; readonly steps: number }
  | { readonly kind: 'dispatches'; readonly steps: number }
  | { readonly kind: 'javascript'; readonly steps: number }
  /** What a participant's round does with its engine. */
  | { readonly kind: 'round'; readonly steps: number }
  | { readonly kind: 'memory' };

export interface Opened {
  readonly adapter: string;
  /** Until the engine and the session are open and warm: what a participant does before its first round. */
  readonly tookMs: number;
}

export interface CellMemory {
  /** Buffers of the graphics device; 0 for engines without WebGPU. */
  readonly gpuBytes: number;
  readonly gpuPeakBytes: number;
  readonly wasmBytes: number;
  /** In Node, after a collection. */
  readonly heapBytes: number | undefined;
}

export interface Answers {
  readonly open: Opened;
  /** Milliseconds, read-back included. */
  readonly train: number;
  /** A step. */
  readonly dispatches: number;
  /** Milliseconds a step. */
  readonly javascript: number;
  readonly round: number;
  readonly memory: CellMemory;
}

export type Reply =
  | { readonly ok: true; readonly value: Answers[keyof Answers] }
  | { readonly ok: false; readonly error: ErrorRecord };

/** A data set is this many batches at most; more steps are more epochs. */
const MAX_BATCHES = 20;
const LEARNING_RATE = 0.01;
const SEED: Bytes = SeededRandom.of(3).bytes(32);
const CONTROL: TrainingControl = { proceed: () => undefined, onProgress: () => undefined };

export class Cell {
  readonly #gpu = new GpuGauge();
  readonly #wasm = new WasmGauge();
  #session: EngineSession | undefined;
  #batch = 1;
  #model: BenchModel = BENCH_MODELS.mlp;
  #start: ModelParameters | undefined;
  #examples: Examples | undefined;

  constructor() {
    this.#gpu.install();
    this.#wasm.install();
  }

  /** As it goes back to whoever asked, errors included. */
  async reply(question: Question): Promise<Reply> {
    try {
      return { ok: true, value: await this.#answer(question) };
    } catch (thrown) {
      return { ok: false, error: errorRecord(thrown, 'bench/failed') };
    }
  }

  async #answer(question: Question): Promise<Answers[keyof Answers]> {
    switch (question.kind) {
      case 'open':
        return await this.#open(question);
      case 'train':
        return await this.#train(question.steps);
      case 'dispatches':
        return await this.#dispatches(question.steps);
      case 'javascript':
        return await this.#javascript(question.steps);
      case 'round':
        return await this.#round(question.steps);
      case 'memory': {
        const { bytes, peakBytes } = this.#gpu;
        return { gpuBytes: bytes, gpuPeakBytes: peakBytes, wasmBytes: this.#wasm.bytes, heapBytes: heapInNode() };
      }
      default:
        return question satisfies never;
    }
  }

  async #open({ engine: name, model, batch }: Extract<Question, { kind: 'open' }>): Promise<Opened> {
    this.#model = BENCH_MODELS[model];
    this.#batch = batch;
    this.#start = startingPoint(this.#model);
    this.#examples = noise(this.#model, MAX_BATCHES * batch);
    const startMs = performance.now();
    const engine = await openByName(name);
    const session = await engine.open(this.#model.network);
    await session.prepare?.(this.#training(1), this.#examples);
    this.#session = session;
    return { adapter: engine.adapter, tookMs: performance.now() - startMs };
  }

  async #train(steps: number): Promise<number> {
    const session = this.#session;
    const start = this.#start;
    if (!session || !start) throw new HushError('bench/order', 'The engine is not open.');
    const batches = Math.min(steps, MAX_BATCHES);
    if (steps % batches !== 0) {
      throw new HushError('bench/steps', `${steps} steps were asked for, expected a multiple of ${MAX_BATCHES}.`);
    }
    session.setParameters(start);
    const training = this.#training(steps / batches);
    const examples = this.#rows(batches * this.#batch);
    const startMs = performance.now();
    await session.train(examples, training, SEED, CONTROL);
    return performance.now() - startMs;
  }

  #training(epochs: number): LocalTraining {
    const optimizer = { kind: 'sgd' } as const;
    return { optimizer, learningRate: LEARNING_RATE, batchSize: this.#batch, epochs, fedProxMu: 0 };
  }

  /** The difference of two trainings: what begins and ends one is not of a step. */
  async #dispatches(steps: number): Promise<number> {
    this.#gpu.emptyDispatches = true;
    try {
      const before = this.#gpu.dispatches;
      await this.#train(steps);
      const few = this.#gpu.dispatches - before;
      await this.#train(2 * steps);
      return (this.#gpu.dispatches - before - 2 * few) / steps;
    } finally {
      this.#gpu.emptyDispatches = false;
    }
  }

  /** The slope between a short and a long training, for the same reason; without the device's work. */
  async #javascript(steps: number): Promise<number> {
    const few = wholeSteps(Math.ceil(steps / 5));
    const many = wholeSteps(2 * few + steps);
    this.#gpu.emptyDispatches = true;
    try {
      const slopes: number[] = [];
      for (let i = 0; i < 3; i++) {
        const fewMs = await busyMs(() => this.#train(few));
        const manyMs = await busyMs(() => this.#train(many));
        slopes.push((manyMs - fewMs) / (many - few));
      }
      return Math.max(0, slopes.toSorted((a, b) => a - b)[1] ?? 0);
    } finally {
      this.#gpu.emptyDispatches = false;
    }
  }

  async #round(steps: number): Promise<number> {
    const startMs = performance.now();
    await this.#train(steps);
    await this.#session?.evaluate(this.#rows(2 * this.#batch));
    await this.#session?.parameters();
    return performance.now() - startMs;
  }

  #rows(count: number): Examples {
    const all = this.#examples;
    if (!all) throw new HushError('bench/order', 'The engine is not open.');
    if (count === all.count) return all;
    const { width, labelWidth = 1, inputs, labels } = all;
    return { ...all, count, inputs: inputs.subarray(0, count * width), labels: labels.subarray(0, count * labelWidth) };
  }
}

function heapInNode(): number | undefined {
  if (typeof process === 'undefined') return undefined;
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The nearest number of steps that is whole epochs, from 1. */
export function wholeSteps(steps: number): number {
  if (steps <= MAX_BATCHES) return Math.max(1, Math.floor(steps));
  return MAX_BATCHES * Math.floor(steps / MAX_BATCHES);
}

async function openByName(name: BenchEngine): Promise<TrainingEngine> {
  const stock = /^stock-(.+)$/.exec(name)?.[1];
  if (stock === undefined) {
    const { openEngine } = await import('../../../src/engine/openEngine.ts');
    return await openEngine(name as EngineName);
  }
  const { openStockEngine } = await import('../../../src/engine/stock/stockEngine.ts');
  return await openStockEngine(stock as EngineName);
}
