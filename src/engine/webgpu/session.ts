/** One network on one device: its parameters, and the programs that train and measure them. */
import type { Bytes } from '../../core/bytes.ts';
import type { Examples } from '../../core/dataset.ts';
import type { EngineSession, TrainingControl } from '../../core/engine.ts';
import { HushError } from '../../core/errors.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { LocalTraining } from '../../core/plan.ts';
import { SeededRandom } from '../../core/seededRandom.ts';
import { NO_FIGURES } from '../../core/figures.ts';
import type { PartFigures } from '../../core/figures.ts';
import type { ModelParameters } from '../../core/updateStages.ts';
import { checkExamples, checkInputs } from '../batches.ts';
import { Course, FREE } from '../course.ts';
import { checkFinite } from '../finite.ts';
import { ownParameters } from '../parameters.ts';
import { Datasets, dataKind } from './datasets.ts';
import type { Device } from './device.ts';
import { BatchOrder } from './order.ts';
import { Programs } from './programs.ts';
import type { KernelChoice, Prepared } from './programs.ts';
import { runSteps } from './run.ts';
import type { RunCost } from './run.ts';
import { evaluationWords, readFigures, trainingWords } from './settings.ts';
import { Storage } from './storage.ts';
import type { Own } from './storage.ts';
import { cutIntoUnits } from './units.ts';
import { stateVectors, updateRule } from './update.ts';
import type { UpdateRule } from './update.ts';

/** What a session did last, for measurements. */
export interface Account extends RunCost {
  readonly steps: number;
  readonly dispatches: readonly string[];
  readonly arenaBytes: number;
  /** All buffers of the engine, data sets included. */
  readonly deviceBytes: number;
}

/** Outputs that are read back at once, but for those of a single batch: 4 MiB. */
const OUTPUT_VALUES = 2 ** 20;

export class CompiledSession implements EngineSession {
  readonly #placed: PlacedNetwork;
  readonly #device: Device;
  readonly #storage: Storage;
  readonly #datasets: Datasets;
  readonly #programs: Programs;
  /** The parameters as they are, when they are known here. */
  #known: ModelParameters | undefined;
  /** Whether the device has them too. */
  #onDevice = false;
  #closed = false;
  #account: Account | undefined;

  /** @throws HushError `engine/unsupported`, naming the layer. */
  constructor(placed: PlacedNetwork, device: Device, choice: KernelChoice = 'timed') {
    this.#placed = placed;
    this.#device = device;
    this.#storage = new Storage(device);
    this.#datasets = new Datasets(device, placed);
    this.#programs = new Programs(device, cutIntoUnits(placed), choice);
  }

  /** Of the last `train`. */
  describe(): Account | undefined {
    return this.#account;
  }

  /** Takes a step that learns nothing: data, buffers, and what a driver does when shaders run for the first time. */
  async prepare(training: LocalTraining, examples: Examples): Promise<void> {
    await this.#programs.forEvaluation(dataKind(examples));
    // What only the device knows is not put at risk.
    if (this.#onDevice && !this.#known) return;
    const known = this.#known;
    const course = new Course(examples, this.#placed, training, FREE);
    try {
      await this.#steps(examples, { ...training, learningRate: 0 }, new Uint8Array(32), course, 1);
    } finally {
      this.#known = known;
      this.#onDevice = false;
    }
  }

  setParameters(parameters: ModelParameters): void {
    this.#known = ownParameters(parameters, this.#placed);
    this.#onDevice = false;
  }

  async parameters(): Promise<ModelParameters> {
    this.#check();
    if (!this.#known) await this.#readBack(0);
    return this.#known?.slice() as ModelParameters;
  }

  async train(
    examples: Examples,
    training: LocalTraining,
    seed: Bytes,
    control: TrainingControl,
  ): Promise<PartFigures> {
    const course = new Course(examples, this.#placed, training, control);
    this.#check();
    const controlWords = await this.#steps(examples, training, seed, course, course.steps);
    const figures = readFigures(await this.#readBack(controlWords));
    course.report(course.steps);
    return { ...finite(figures), samples: course.perEpoch * course.rows * this.#placed.predictions };
  }

  /** The first `steps` of a course; gives how many control words there are. */
  async #steps(
    examples: Examples,
    training: LocalTraining,
    seed: Bytes,
    course: Course,
    steps: number,
  ): Promise<number> {
    const rule = updateRule(training);
    const { rows, perEpoch } = course;
    const prepared = await this.#programs.of({ rows, rule, kind: dataKind(examples) });
    const data = await this.#datasets.of(examples);
    const { count } = examples;
    const order = new BatchOrder(new SeededRandom(seed), { count, rows, perEpoch, epochs: training.epochs });
    await this.#reserve(prepared, rule, order.capacity);
    this.#begin(rule);
    const { program, ready } = prepared;
    const { queue } = this.#device.gpu;
    const words = trainingWords(program.control, examples, training, seed, course.steps - perEpoch);
    queue.writeBuffer(this.#storage.of('control'), 0, words);
    this.#known = undefined;
    const cost = await runSteps({
      device: this.#device,
      ready,
      bindGroup: this.#storage.bindGroup(data),
      control: this.#storage.of('control'),
      steps,
      proceed: (settle) => course.proceed(settle),
      prepare: (step) => order.upTo(step, queue, this.#storage),
      report: (done) => course.report(done),
    });
    this.#account = {
      ...cost,
      steps,
      dispatches: program.dispatches.map(({ label }) => label),
      arenaBytes: 4 * program.arena,
      deviceBytes: this.#device.liveBytes,
    };
    return program.control;
  }

  async evaluate(examples: Examples, control?: TrainingControl): Promise<PartFigures> {
    checkExamples(examples, this.#placed);
    this.#check();
    if (examples.count === 0) return NO_FIGURES;
    const prepared = await this.#programs.forEvaluation(dataKind(examples));
    const { control: words, rows } = prepared.program;
    await this.#forward(prepared, examples, 0, Math.ceil(examples.count / rows), control);
    const figures = readFigures(await this.#readBack(words));
    return { ...finite(figures), samples: examples.count * this.#placed.predictions };
  }

  async predict(examples: Examples, control?: TrainingControl): Promise<Float32Array> {
    checkInputs(examples, this.#placed);
    this.#check();
    const size = sizeOf(this.#placed.output);
    const outputs = new Float32Array(examples.count * size);
    if (examples.count === 0) return outputs;
    const prepared = await this.#programs.forEvaluation(dataKind(examples), true);
    const values = prepared.program.rows * size;
    const batches = Math.ceil(outputs.length / values);
    const together = Math.max(1, Math.floor(OUTPUT_VALUES / values));
    for (let batch = 0; batch < batches; batch += together) {
      const steps = Math.min(together, batches - batch);
      await this.#storage.reserve({ state: 4 * steps * values });
      await this.#forward(prepared, examples, batch, steps, control);
      const told = new Float32Array(await this.#copy(['state', 4 * steps * values]));
      outputs.set(told.subarray(0, outputs.length - batch * values), batch * values);
    }
    checkFinite(outputs, 'an output');
    return outputs;
  }

  /** Runs a program that learns nothing on so many batches from `batch` on. */
  async #forward(
    { program, ready }: Prepared,
    examples: Examples,
    batch: number,
    steps: number,
    control: TrainingControl | undefined,
  ): Promise<void> {
    const data = await this.#datasets.of(examples);
    await this.#reserve({ program, ready }, undefined, 0);
    this.#upload();
    const words = evaluationWords(program.control, examples, batch);
    this.#device.gpu.queue.writeBuffer(this.#storage.of('control'), 0, words);
    await runSteps({
      device: this.#device,
      ready,
      bindGroup: this.#storage.bindGroup(data),
      control: this.#storage.of('control'),
      steps,
      proceed: (settle) => control?.proceed(settle),
      prepare: (step) => steps - step,
      report: () => undefined,
    });
  }

  /** Buffers on the device, but for the data sets that are kept for the next round: never more than a few. */
  liveTensors(): number {
    return this.#device.liveBuffers - this.#datasets.buffers;
  }

  close(): void {
    this.#closed = true;
    this.#known = undefined;
    this.#datasets.clear();
    this.#storage.clear();
  }

  #check(): void {
    if (this.#closed) throw new HushError('engine/closed', 'The session was closed.');
    this.#device.failure.check();
    if (!this.#known && !this.#onDevice) {
      throw new HushError('engine/shape', 'The session was given no parameters.');
    }
  }

  async #reserve({ program }: Prepared, rule: UpdateRule | undefined, orderWords: number): Promise<void> {
    const bytes = 4 * this.#placed.layout.length;
    const { moments, anchor } = rule ? stateVectors(rule) : { moments: 0, anchor: false };
    await this.#storage.reserve({
      params: bytes,
      grads: rule?.clipped ? bytes : 0,
      state: (moments + (anchor ? 1 : 0)) * bytes,
      arena: 4 * program.arena,
      order: 4 * orderWords,
      control: 4 * program.control,
      readBack: bytes + 4 * program.control,
    });
  }

  #upload(): void {
    if (this.#onDevice || !this.#known) return;
    this.#device.gpu.queue.writeBuffer(this.#storage.of('params'), 0, this.#known as Float32Array<ArrayBuffer>);
    this.#onDevice = true;
  }

  /** An optimizer forgets everything before a local training; the model that it begins with is what it is held to. */
  #begin(rule: UpdateRule): void {
    this.#upload();
    const { moments, anchor } = stateVectors(rule);
    const bytes = 4 * this.#placed.layout.length;
    const encoder = this.#device.gpu.createCommandEncoder();
    if (moments > 0) encoder.clearBuffer(this.#storage.of('state'), 0, moments * bytes);
    if (anchor) {
      encoder.copyBufferToBuffer(this.#storage.of('params'), 0, this.#storage.of('state'), moments * bytes, bytes);
    }
    this.#device.gpu.queue.submit([encoder.finish()]);
  }

  /** Reads the parameters, unless they are known, and the control words, all at once. */
  async #readBack(controlWords: number): Promise<Uint32Array<ArrayBuffer>> {
    const bytes = this.#known ? 0 : 4 * this.#placed.layout.length;
    const copy = await this.#copy(['params', bytes], ['control', 4 * controlWords]);
    const parameters = this.#known ?? (new Float32Array(copy, 0, bytes / 4) as unknown as ModelParameters);
    checkFinite(parameters, 'a parameter');
    this.#known = parameters;
    return new Uint32Array(copy, bytes);
  }

  /** The first bytes of buffers, one after the other, in one round trip. */
  async #copy(...parts: readonly (readonly [Own, number])[]): Promise<ArrayBuffer> {
    const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
    await this.#storage.reserve({ readBack: total });
    const buffer = this.#storage.of('readBack');
    const encoder = this.#device.gpu.createCommandEncoder();
    let at = 0;
    for (const [name, bytes] of parts) {
      if (bytes > 0) encoder.copyBufferToBuffer(this.#storage.of(name), 0, buffer, at, bytes);
      at += bytes;
    }
    this.#device.gpu.queue.submit([encoder.finish()]);
    await this.#device.failure.guard(buffer.mapAsync(GPUMapMode.READ, 0, total));
    const copy = buffer.getMappedRange(0, total).slice(0);
    buffer.unmap();
    return copy;
  }
}

function finite<F extends { readonly lossSum: number }>(figures: F): F {
  checkFinite([figures.lossSum], 'the loss');
  return figures;
}
