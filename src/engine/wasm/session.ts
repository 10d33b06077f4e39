/** One model on our own WebAssembly kernels: the training loop, evaluation. */
import type { Bytes } from '../../core/bytes.ts';
import type { Examples } from '../../core/dataset.ts';
import { dropoutSeed } from '../../core/dropout.ts';
import type { EngineSession, TrainingControl } from '../../core/engine.ts';
import { HushError } from '../../core/errors.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { LocalTraining } from '../../core/plan.ts';
import { NO_FIGURES } from '../../core/figures.ts';
import type { PartFigures } from '../../core/figures.ts';
import type { ModelParameters } from '../../core/updateStages.ts';
import { checkExamples, checkInputs, rowsInTurn, TURN_EVERY_MS } from '../batches.ts';
import { Course } from '../course.ts';
import { checkFinite } from '../finite.ts';
import { ownParameters } from '../parameters.ts';
import type { Program } from './program.ts';
import type { KernelList } from './program.ts';
import { startProgram } from './target.ts';
import type { Target } from './target.ts';

/** Batches of up to so many examples need no second compilation. */
const USUAL_ROWS = 32;
const REPORT_EVERY_MS = 50;

export class WasmSession implements EngineSession {
  readonly #placed: PlacedNetwork;
  readonly #target: Target;
  /** Gone when there was no memory for a larger one. */
  #program: Program | undefined;
  /** What `setParameters` was given, until it is needed. */
  #given: ModelParameters | undefined;
  #hasParameters = false;
  #closed = false;

  private constructor(placed: PlacedNetwork, target: Target, program: Program) {
    this.#placed = placed;
    this.#target = target;
    this.#program = program;
  }

  /** @throws HushError `engine/unsupported`, `engine/out-of-memory`. */
  static async open(placed: PlacedNetwork, target: Target): Promise<WasmSession> {
    return new WasmSession(placed, target, await startProgram(placed, USUAL_ROWS, target));
  }

  get threads(): number {
    return this.#program?.compiled.threads ?? 1;
  }

  setParameters(parameters: ModelParameters): void {
    this.#given = ownParameters(parameters, this.#placed);
  }

  async parameters(): Promise<ModelParameters> {
    const program = await this.#ready(1);
    const parameters = program.parameters();
    checkFinite(parameters, 'a parameter');
    return parameters as ModelParameters;
  }

  async train(
    examples: Examples,
    training: LocalTraining,
    seed: Bytes,
    control: TrainingControl,
  ): Promise<PartFigures> {
    const course = new Course(examples, this.#placed, training, control);
    const program = await this.#ready(course.rows);
    const kernels = [
      ...program.stagingKernels(examples),
      ...program.phase('forward'),
      ...program.phase('backward'),
      ...program.updateKernels(training),
    ];
    const dropped = dropoutSeed(seed);
    const runner = new StepRunner(program, kernels, course);
    let step = 0;
    let reportAtMs = 0;
    program.setInputScale(examples.inputScale);
    program.beginTraining(training);
    program.forgetFigures();
    for await (const { rows, counts } of course.batches(seed)) {
      if (this.#closed) throw new HushError('engine/closed', 'The session was closed.');
      program.count(counts);
      program.stage(examples, rows);
      program.stageTargets(examples, rows);
      program.beginStep(step++, training, dropped);
      const slow = runner.run();
      if (slow) await slow;
      if (performance.now() < reportAtMs) continue;
      checkFinite(program.lastParameters(), 'a parameter');
      course.report();
      reportAtMs = performance.now() + REPORT_EVERY_MS;
    }
    checkFinite(program.parameters(), 'a parameter');
    const figures = program.figures(course.perEpoch * course.rows);
    checkFinite([figures.lossSum], 'the loss');
    course.report();
    return figures;
  }

  async evaluate(examples: Examples, control?: TrainingControl): Promise<PartFigures> {
    checkExamples(examples, this.#placed);
    if (examples.count === 0) return NO_FIGURES;
    const program = await this.#ready(1);
    const kernels = program.phase('figures');
    program.forgetFigures();
    program.count(true);
    for await (const rows of this.#outputs(program, examples, control)) {
      program.stageTargets(examples, rows);
      program.run(kernels);
    }
    const figures = program.figures(examples.count);
    checkFinite([figures.lossSum], 'the loss');
    return figures;
  }

  async predict(examples: Examples, control?: TrainingControl): Promise<Float32Array> {
    checkInputs(examples, this.#placed);
    const program = await this.#ready(1);
    const size = sizeOf(this.#placed.output);
    const outputs = new Float32Array(examples.count * size);
    for await (const rows of this.#outputs(program, examples, control)) {
      outputs.set(program.outputs(rows.length), (rows[0] ?? 0) * size);
    }
    checkFinite(outputs, 'an output');
    return outputs;
  }

  /** Gives rows whose outputs are there until it goes on. */
  async *#outputs(
    program: Program,
    examples: Examples,
    control: TrainingControl | undefined,
  ): AsyncGenerator<Uint32Array, void, undefined> {
    const kernels = [...program.stagingKernels(examples), ...program.phase('evaluation')];
    program.setInputScale(examples.inputScale);
    for await (const rows of rowsInTurn(examples.count, program.compiled.capacity, control)) {
      if (this.#closed) throw new HushError('engine/closed', 'The session was closed.');
      program.stage(examples, rows);
      program.run(kernels);
      yield rows;
    }
  }

  /** What the parameters would be as tensors: everything else is there from the start to the end. */
  liveTensors(): number {
    return this.#hasParameters ? this.#placed.layout.blocks.length : 0;
  }

  close(): void {
    this.#closed = true;
    this.#program?.close();
    this.#program = undefined;
    this.#given = undefined;
    this.#hasParameters = false;
  }

  /** Room for batches of `rows`, and the parameters in place. */
  async #ready(rows: number): Promise<Program> {
    if (this.#closed) throw new HushError('engine/closed', 'The session was closed.');
    if (!this.#given && !this.#hasParameters) {
      throw new HushError('engine/shape', 'The session was given no parameters.');
    }
    let program = this.#program;
    if (!program || rows > program.compiled.capacity) {
      if (program) this.#given ??= program.parameters() as ModelParameters;
      // First gone, then made anew, so that there are never two memories.
      program?.close();
      this.#program = undefined;
      program = await startProgram(this.#placed, Math.max(rows, USUAL_ROWS), this.#target);
      this.#program = program;
    }
    if (this.#given) program.setParameters(this.#given);
    this.#given = undefined;
    this.#hasParameters = true;
    return program;
  }
}

/** Runs a step's kernels: all at once while that is quick, otherwise with turns between them, for a pause to take effect. */
class StepRunner {
  readonly #program: Program;
  readonly #kernels: KernelList;
  readonly #course: Course;
  /** Until it is known how long a step takes. */
  #isSlow = true;

  constructor(program: Program, kernels: KernelList, course: Course) {
    this.#program = program;
    this.#kernels = kernels;
    this.#course = course;
  }

  /** A promise when the step takes turns. */
  run(): Promise<void> | undefined {
    if (this.#isSlow) return this.#withTurns();
    const startMs = performance.now();
    this.#program.run(this.#kernels);
    this.#isSlow = performance.now() - startMs > TURN_EVERY_MS;
    return undefined;
  }

  async #withTurns(): Promise<void> {
    let turnAtMs = performance.now() + TURN_EVERY_MS;
    const tookMs = await this.#program.runSlowly(this.#kernels, () => {
      if (performance.now() < turnAtMs) return undefined;
      const wait = this.#course.proceed();
      turnAtMs = performance.now() + TURN_EVERY_MS;
      return wait;
    });
    this.#isSlow = tookMs > TURN_EVERY_MS;
  }
}
