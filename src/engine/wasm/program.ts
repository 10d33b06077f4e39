/** A compiled network in a memory of its own, ready to run. */
import type { Examples } from '../../core/dataset.ts';
import { dropoutKey } from '../../core/dropout.ts';
import { HushError } from '../../core/errors.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { LocalTraining } from '../../core/plan.ts';
import type { PartFigures } from '../../core/figures.ts';
import { Balance } from './balance.ts';
import { CORRECT_AT, TALLY_BYTES } from './losses.ts';
import { ROWS_AT, SCRATCH_AT, SCRATCH_SIZE_AT } from './machine.ts';
import type { Phase } from './machine.ts';
import { MOST_PAGES } from './network.ts';
import type { CompiledNetwork } from './network.ts';
import { STAGING_KERNELS } from './staging.ts';
import { Team } from './team.ts';
import { ADAM_BETA1, ADAM_BETA2, updateKernels } from './updates.ts';

const PAGE_BYTES = 64 * 1024;

/** Kernels that are run one after the other, by their places among all of the program's. */
export type KernelList = readonly number[];

export class Program {
  readonly compiled: CompiledNetwork;
  readonly #floats: Float32Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #names: readonly string[];
  readonly #kernels: readonly (() => void)[];
  readonly #team: Team | undefined;
  readonly #balance = new Balance();
  readonly #parts: WebAssembly.Global;

  private constructor(compiled: CompiledNetwork, memory: WebAssembly.Memory, { exports, names, team }: Running) {
    this.compiled = compiled;
    this.#names = names;
    this.#kernels = names.map((name) => exports[name] as () => void);
    this.#team = team;
    this.#floats = new Float32Array(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    const { scratch, presets } = compiled;
    this.#words[SCRATCH_AT / 4] = scratch.at;
    this.#words[SCRATCH_SIZE_AT / 4] = scratch.size;
    for (const { at, values } of presets) this.#floats.set(values, at / 4);
    this.#parts = exports['parts'] as WebAssembly.Global;
  }

  /** @throws HushError `engine/out-of-memory`; `engine/unavailable` when a helper thread does not start. */
  static async start(compiled: CompiledNetwork): Promise<Program> {
    const { threads, bytes, list, abort, names } = compiled;
    const memory = allocate(bytes, threads > 1);
    const module = await WebAssembly.compile(compiled.module);
    const { exports } = await WebAssembly.instantiate(module, { host: { memory, log: Math.log } });
    if (threads === 1) return new Program(compiled, memory, { exports, names, team: undefined });
    const team = await Team.start({ module, memory, parts: threads, kernels: names, list, abort }, exports);
    return new Program(compiled, memory, { exports, names, team });
  }

  close(): void {
    this.#team?.close();
  }

  /** @throws HushError `engine/lost` when a helper thread is. */
  run(list: KernelList): void {
    const team = this.#chooseTeam();
    const startMs = this.#team ? performance.now() : 0;
    team?.begin(list);
    for (const kernel of list) {
      this.#kernels[kernel]?.();
      team?.meet();
    }
    if (!this.#team) return;
    const nowMs = performance.now();
    this.#balance.took(nowMs - startMs, nowMs);
  }

  /**
   * The same with a wait after each kernel; a list that `between` breaks off is not gone on with. Gives the milliseconds
   * that the kernels took.
   */
  async runSlowly(list: KernelList, between: () => Promise<void> | undefined): Promise<number> {
    const team = this.#chooseTeam();
    let left = list.length;
    let [tookMs, sinceMs] = [0, performance.now()];
    team?.begin(list);
    try {
      for (const kernel of list) {
        this.#kernels[kernel]?.();
        team?.meet();
        left--;
        const wait = left > 0 ? between() : undefined;
        if (!wait) continue;
        tookMs += performance.now() - sinceMs;
        await wait;
        sinceMs = performance.now();
      }
    } finally {
      if (left > 0) team?.abandon();
    }
    const nowMs = performance.now();
    tookMs += nowMs - sinceMs;
    this.#balance.took(tookMs, nowMs);
    return tookMs;
  }

  /** The helpers, if they take part now; without them the trainer's share is everything. */
  #chooseTeam(): Team | undefined {
    const team = this.#balance.together ? this.#team : undefined;
    this.#parts.value = team ? this.compiled.threads : 1;
    return team;
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
  stagingKernels({ inputs }: Examples): KernelList {
    if (this.compiled.placed.network.input.kind === 'tokens') return [];
    const { bytes, integers, floats } = STAGING_KERNELS;
    if (inputs instanceof Uint8Array) return this.#places([bytes]);
    return this.#places([inputs instanceof Int32Array ? integers : floats]);
  }

  phase(phase: Phase): KernelList {
    return this.#places(this.compiled.kernels[phase]);
  }

  updateKernels({ optimizer, fedProxMu, maxGradientNorm }: LocalTraining): KernelList {
    return this.#places(updateKernels(optimizer, fedProxMu > 0, maxGradientNorm !== undefined));
  }

  /** Copies the inputs of some rows in, as they are. */
  stage({ width, inputs }: Examples, rows: ArrayLike<number>): void {
    const { placed, staging } = this.compiled;
    this.#words[ROWS_AT / 4] = rows.length;
    const isTokens = placed.network.input.kind === 'tokens';
    const [to, at] = isTokens || inputs instanceof Int32Array ? [this.#words, staging / 4] : this.#staging(inputs);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0;
      to.set(inputs.subarray(row * width, (row + 1) * width), at + i * width);
    }
  }

  /** The same of the targets, which only the loss reads. */
  stageTargets({ labels, labelWidth = 1 }: Examples, rows: ArrayLike<number>): void {
    const { placed, loss } = this.compiled;
    const targets = placed.network.loss === 'softmax-cross-entropy' ? this.#words : this.#floats;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0;
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

  /** What the last layer gave for a batch of `rows`; until the next one runs. */
  outputs(rows: number): Float32Array {
    const { output, placed } = this.compiled;
    return this.#floats.subarray(output / 4, output / 4 + rows * sizeOf(placed.output));
  }

  #places(names: readonly string[]): number[] {
    return names.map((name) => this.#names.indexOf(name));
  }

  #vector(at: number): Float32Array<ArrayBuffer> {
    const { length } = this.compiled.placed.layout;
    return this.#floats.subarray(at / 4, at / 4 + length) as Float32Array<ArrayBuffer>;
  }

  #setFloat(at: number, value: number): void {
    this.#floats[at / 4] = value;
  }
}

/** What runs a program besides its memory. */
interface Running {
  readonly exports: WebAssembly.Exports;
  readonly names: readonly string[];
  readonly team: Team | undefined;
}

function allocate(bytes: number, shared: boolean): WebAssembly.Memory {
  const initial = Math.ceil(bytes / PAGE_BYTES);
  const megabytes = Math.round(bytes / 2 ** 20);
  const advice = 'Use a smaller batch or a smaller model.';
  if (initial > MOST_PAGES) {
    throw new HushError('engine/out-of-memory', `Training needs ${megabytes} MiB, expected at most 4096 MiB.`, {
      advice,
    });
  }
  try {
    return new WebAssembly.Memory(shared ? { initial, maximum: initial, shared } : { initial });
  } catch (cause) {
    throw new HushError('engine/out-of-memory', `The browser refused ${megabytes} MiB of memory for training.`, {
      advice,
      cause,
    });
  }
}
