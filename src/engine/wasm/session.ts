/** One model on our own WebAssembly kernels: the training loop, evaluation. */
import type { Bytes } from '../../core/bytes.ts';
import type { Examples } from '../../core/dataset.ts';
import { dropoutSeed } from '../../core/dropout.ts';
import type { EngineSession, TrainingControl } from '../../core/engine.ts';
import { HushError } from '../../core/errors.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { LocalTraining } from '../../core/plan.ts';
import { SeededRandom } from '../../core/seededRandom.ts';
import { NO_FIGURES } from '../../core/sumSpec.ts';
import type { PartFigures } from '../../core/sumSpec.ts';
import type { ModelParameters } from '../../core/updateStages.ts';
import { batchesPerEpoch, checkExamples } from '../batches.ts';
import { Stopwatch } from '../stopwatch.ts';
import { turn } from '../turn.ts';
import { compileNetwork } from './network.ts';
import type { Arithmetic } from './product.ts';
import { Program } from './program.ts';
import type { Kernel } from './program.ts';

/** Batches of up to so many examples need no second compilation. */
const USUAL_ROWS = 32;
const REPORT_EVERY_MS = 50;
/** A step that takes longer is interrupted between its kernels, so that a pause takes effect. */
const TURN_EVERY_MS = 50;

export class WasmSession implements EngineSession {
  readonly #placed: PlacedNetwork;
  readonly #arithmetic: Arithmetic;
  #program: Program;
  /** What `setParameters` was given, until it is needed. */
  #given: ModelParameters | undefined;
  #hasParameters = false;
  #closed = false;

  private constructor(placed: PlacedNetwork, arithmetic: Arithmetic, program: Program) {
    this.#placed = placed;
    this.#arithmetic = arithmetic;
    this.#program = program;
  }

  /** @throws HushError `engine/unsupported`, `engine/out-of-memory`. */
  static async open(placed: PlacedNetwork, arithmetic: Arithmetic): Promise<WasmSession> {
    const program = await Program.start(compileNetwork(placed, USUAL_ROWS, arithmetic, 1));
    return new WasmSession(placed, arithmetic, program);
  }

  setParameters(parameters: ModelParameters): void {
    const { length } = this.#placed.layout;
    if (parameters.length !== length) {
      throw new HushError('engine/shape', `The model came with ${parameters.length} parameters, expected ${length}.`);
    }
    this.#given = parameters.slice() as ModelParameters;
  }

  async parameters(): Promise<ModelParameters> {
    await this.#ready(1);
    const parameters = this.#program.parameters();
    checkFinite(parameters, 'a parameter');
    return parameters as ModelParameters;
  }

  async train(
    examples: Examples,
    training: LocalTraining,
    seed: Bytes,
    control: TrainingControl,
  ): Promise<PartFigures> {
    checkExamples(examples, this.#placed);
    if (examples.count === 0) throw new HushError('engine/no-data', 'There are no examples to train on.');
    const { epochs, batchSize } = training;
    const perEpoch = batchesPerEpoch(examples.count, batchSize);
    const rows = Math.min(batchSize, examples.count);
    await this.#ready(rows);
    const program = this.#program;
    const kernels = [
      ...program.stagingKernels(examples),
      ...program.phase('forward'),
      ...program.phase('backward'),
      ...program.updateKernels(training),
    ];
    const random = new SeededRandom(seed);
    const dropped = dropoutSeed(seed);
    const watch = new Stopwatch();
    const runner = new StepRunner(kernels, control, watch);
    let steps = 0;
    let reportAtMs = 0;
    const report = (epoch: number): void => {
      const samplesPerSecond = (steps * rows) / watch.seconds();
      control.onProgress({ fraction: steps / (epochs * perEpoch), epoch, epochs, samplesPerSecond });
      reportAtMs = performance.now() + REPORT_EVERY_MS;
    };
    program.setInputScale(examples.inputScale);
    program.beginTraining(training);
    program.forgetFigures();
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const order = random.permutation(examples.count);
      program.count(epoch === epochs);
      for (let i = 0; i < perEpoch; i++) {
        const wait = control.proceed();
        if (wait) await watch.excluding(wait);
        program.stage(examples, order.subarray(i * rows, (i + 1) * rows));
        program.beginStep(steps, training, dropped);
        const slow = runner.run();
        if (slow) await slow;
        steps++;
        if (performance.now() < reportAtMs) continue;
        checkFinite(program.lastParameters(), 'a parameter');
        report(epoch);
      }
    }
    checkFinite(program.parameters(), 'a parameter');
    const figures = program.figures(perEpoch * rows);
    checkFinite([figures.lossSum], 'the loss');
    report(epochs);
    return figures;
  }

  async evaluate(examples: Examples): Promise<PartFigures> {
    checkExamples(examples, this.#placed);
    if (examples.count === 0) return NO_FIGURES;
    await this.#ready(1);
    const program = this.#program;
    const { capacity } = program.compiled;
    const kernels = [...program.stagingKernels(examples), ...program.phase('evaluation')];
    program.setInputScale(examples.inputScale);
    program.forgetFigures();
    program.count(true);
    let turnAtMs = performance.now() + TURN_EVERY_MS;
    for (let from = 0; from < examples.count; from += capacity) {
      const length = Math.min(capacity, examples.count - from);
      program.stage(
        examples,
        Uint32Array.from({ length }, (_, i) => from + i),
      );
      for (const kernel of kernels) kernel();
      if (performance.now() < turnAtMs) continue;
      await turn();
      turnAtMs = performance.now() + TURN_EVERY_MS;
    }
    const figures = program.figures(examples.count);
    checkFinite([figures.lossSum], 'the loss');
    return figures;
  }

  /** What the parameters would be as tensors: everything else is there from the start to the end. */
  liveTensors(): number {
    return this.#hasParameters ? this.#placed.layout.blocks.length : 0;
  }

  close(): void {
    this.#closed = true;
    this.#given = undefined;
    this.#hasParameters = false;
  }

  /** Room for batches of `rows`, and the parameters in place. */
  async #ready(rows: number): Promise<void> {
    if (this.#closed) throw new HushError('engine/closed', 'The session was closed.');
    if (!this.#given && !this.#hasParameters) {
      throw new HushError('engine/shape', 'The session was given no parameters.');
    }
    if (rows > this.#program.compiled.capacity) {
      this.#given ??= this.#program.parameters() as ModelParameters;
      const compiled = compileNetwork(this.#placed, rows, this.#arithmetic, 1);
      this.#program = await Program.start(compiled);
    }
    if (!this.#given) return;
    this.#program.setParameters(this.#given);
    this.#given = undefined;
    this.#hasParameters = true;
  }
}

/** Runs a step's kernels: all at once while that is quick, otherwise with turns in between. */
class StepRunner {
  readonly #kernels: readonly Kernel[];
  readonly #control: TrainingControl;
  readonly #watch: Stopwatch;
  #isSlow = false;

  constructor(kernels: readonly Kernel[], control: TrainingControl, watch: Stopwatch) {
    this.#kernels = kernels;
    this.#control = control;
    this.#watch = watch;
  }

  /** A promise when the step takes turns. */
  run(): Promise<void> | undefined {
    if (this.#isSlow) return this.#withTurns();
    const startMs = performance.now();
    for (const kernel of this.#kernels) kernel();
    this.#isSlow = performance.now() - startMs > TURN_EVERY_MS;
    return undefined;
  }

  async #withTurns(): Promise<void> {
    let turnAtMs = performance.now() + TURN_EVERY_MS;
    for (const kernel of this.#kernels) {
      kernel();
      if (performance.now() < turnAtMs) continue;
      const wait = this.#control.proceed();
      if (wait) await this.#watch.excluding(wait);
      turnAtMs = performance.now() + TURN_EVERY_MS;
    }
  }
}

function checkFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new HushError('engine/not-finite', `Training diverged: ${what} became ${values[i]}, expected a number.`, {
      advice: 'Lower the learning rate in the plan.',
    });
  }
}
