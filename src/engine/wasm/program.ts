/** A compiled network in a memory of its own, ready to run. */
import type { Examples } from '../../core/dataset.ts';
import { dropoutKey } from '../../core/dropout.ts';
import { HushError } from '../../core/errors.ts';
import type { LocalTraining } from '../../core/plan.ts';
import type { PartFigures } from '../../core/sumSpec.ts';
import { CORRECT_AT, TALLY_BYTES } from './losses.ts';
import { ROWS_AT, SCRATCH_AT, SCRATCH_SIZE_AT } from './machine.ts';
import type { Phase } from './machine.ts';
import type { CompiledNetwork } from './network.ts';
import { STAGING_KERNELS } from './staging.ts';
import { ADAM_BETA1, ADAM_BETA2, updateKernels } from './updates.ts';

const PAGE_BYTES = 64 * 1024;
const MOST_PAGES = 65_536;

export type Kernel = () => void;

export class Program {
  readonly compiled: CompiledNetwork;
  readonly #exports: WebAssembly.Exports;
  readonly #floats: Float32Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  private constructor(compiled: CompiledNetwork, memory: WebAssembly.Memory, instance: WebAssembly.Instance) {
    this.compiled = compiled;
    this.#exports = instance.exports;
    this.#floats = new Float32Array(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    const { scratch, presets, threads } = compiled;
    this.#words[SCRATCH_AT / 4] = scratch.at;
    this.#words[SCRATCH_SIZE_AT / 4] = scratch.size;
    for (const { at, values } of presets) this.#floats.set(values, at / 4);
    (instance.exports['parts'] as WebAssembly.Global).value = threads;
  }

  /** @throws HushError `engine/out-of-memory`. */
  static async start(compiled: CompiledNetwork): Promise<Program> {
    const memory = allocate(compiled.bytes);
    const { instance } = await WebAssembly.instantiate(compiled.module, { host: { memory, log: Math.log } });
    return new Program(compiled, memory, instance);
  }

  setParameters(parameters: ArrayLike<number>): void {
    this.#floats.set(parameters, this.compiled.vectors.weight / 4);
  }

  parameters(): Float32Array<ArrayBuffer> {
    return this.#vector(this.compiled.vectors.weight).slice();
  }

  /** A look at a few of them, to notice early that training diverges. */
  lastParameters(): Float32Array {
    return this.#vector(this.compiled.vectors.weight).subarray(-64);
  }

  /** Kernels that turn staged inputs into what the first layer reads. */
  stagingKernels({ inputs }: Examples): Kernel[] {
    if (this.compiled.placed.network.input.kind === 'tokens') return [];
    const { bytes, integers, floats } = STAGING_KERNELS;
    if (inputs instanceof Uint8Array) return [this.#kernel(bytes)];
    return [this.#kernel(inputs instanceof Int32Array ? integers : floats)];
  }

  phase(phase: Phase): Kernel[] {
    return this.compiled.kernels[phase].map((name) => this.#kernel(name));
  }

  updateKernels({ optimizer, fedProxMu, maxGradientNorm }: LocalTraining): Kernel[] {
    return updateKernels(optimizer, fedProxMu > 0, maxGradientNorm !== undefined).map((name) => this.#kernel(name));
  }

  /** Copies rows of `examples` in, as they are. */
  stage(examples: Examples, rows: ArrayLike<number>): void {
    const { width, inputs, labels, labelWidth = 1 } = examples;
    const { placed, staging, loss } = this.compiled;
    this.#words[ROWS_AT / 4] = rows.length;
    const isTokens = placed.network.input.kind === 'tokens';
    const targets = placed.network.loss === 'softmax-cross-entropy' ? this.#words : this.#floats;
    const [to, at] = isTokens || inputs instanceof Int32Array ? [this.#words, staging / 4] : this.#staging(inputs);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0;
      to.set(inputs.subarray(row * width, (row + 1) * width), at + i * width);
      const target = loss.targets / 4 + i * labelWidth;
      if (labelWidth === 1) targets[target] = labels[row] ?? 0;
      else targets.set(labels.subarray(row * labelWidth, (row + 1) * labelWidth), target);
    }
  }

  #staging(inputs: Examples['inputs']): [Uint8Array | Float32Array, number] {
    const { staging } = this.compiled;
    return inputs instanceof Uint8Array ? [this.#bytes, staging] : [this.#floats, staging / 4];
  }

  /** What stays the same over a local training, and a fresh optimizer. */
  beginTraining({ optimizer, learningRate, fedProxMu, maxGradientNorm }: LocalTraining): void {
    const { vectors, rates } = this.compiled;
    const decay = optimizer.kind === 'adamw' ? optimizer.weightDecay : 0;
    this.#setFloat(rates.rate, learningRate);
    this.#setFloat(rates.remains, 1 - learningRate * decay);
    this.#setFloat(rates.momentum, optimizer.kind === 'momentum' ? optimizer.momentum : 0);
    this.#setFloat(rates.proximal, fedProxMu);
    this.#setFloat(rates.maxNorm, maxGradientNorm ?? 0);
    if (fedProxMu > 0) this.#vector(vectors.anchor).set(this.#vector(vectors.weight));
    if (optimizer.kind !== 'sgd') this.#vector(vectors.first).fill(0);
    if (optimizer.kind === 'adam' || optimizer.kind === 'adamw') this.#vector(vectors.second).fill(0);
  }

  /** What changes with every step, counted from 0. */
  beginStep(step: number, { optimizer, learningRate }: LocalTraining, dropoutSeed: number): void {
    const { rates, dropoutKeys } = this.compiled;
    for (const [layer, at] of dropoutKeys) this.#words[at / 4] = dropoutKey(dropoutSeed, step, layer);
    if (optimizer.kind !== 'adam' && optimizer.kind !== 'adamw') return;
    this.#setFloat(rates.rate, learningRate / (1 - ADAM_BETA1 ** (step + 1)));
    this.#setFloat(rates.correction, 1 / (1 - ADAM_BETA2 ** (step + 1)));
  }

  setInputScale(scale: number): void {
    this.#setFloat(this.compiled.inputScale, scale);
  }

  /** Whether batches from now on go into the figures. */
  count(counts: boolean): void {
    this.#words[this.compiled.loss.counts / 4] = counts ? 1 : 0;
  }

  forgetFigures(): void {
    const { loss, threads } = this.compiled;
    this.#bytes.fill(0, loss.tallies, loss.tallies + threads * TALLY_BYTES);
  }

  figures(rows: number): PartFigures {
    const { loss, threads, placed } = this.compiled;
    const view = new DataView(this.#bytes.buffer);
    let [lossSum, correct] = [0, 0];
    for (let i = 0; i < threads; i++) {
      const at = loss.tallies + i * TALLY_BYTES;
      lossSum += view.getFloat64(at, true);
      correct += view.getInt32(at + CORRECT_AT, true);
    }
    const hasHits = placed.network.loss !== 'mean-squared-error';
    return { lossSum, correct: hasHits ? correct : 0, samples: rows * placed.predictions };
  }

  #kernel(name: string): Kernel {
    return this.#exports[name] as Kernel;
  }

  #vector(at: number): Float32Array<ArrayBuffer> {
    const { length } = this.compiled.placed.layout;
    return this.#floats.subarray(at / 4, at / 4 + length) as Float32Array<ArrayBuffer>;
  }

  #setFloat(at: number, value: number): void {
    this.#floats[at / 4] = value;
  }
}

function allocate(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const megabytes = Math.round(bytes / 2 ** 20);
  const advice = 'Use a smaller batch or a smaller model.';
  if (pages > MOST_PAGES) {
    throw new HushError('engine/out-of-memory', `Training needs ${megabytes} MiB, expected at most 4096 MiB.`, {
      advice,
    });
  }
  try {
    return new WebAssembly.Memory({ initial: pages });
  } catch (cause) {
    throw new HushError('engine/out-of-memory', `The browser refused ${megabytes} MiB of memory for training.`, {
      advice,
      cause,
    });
  }
}
