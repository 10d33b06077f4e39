/** One model on one backend: its parameters as tensors, our own training loop, evaluation. */
import { clone, dispose, memory, tensor, tidy } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Bytes } from '../../core/bytes.ts';
import type { Examples } from '../../core/dataset.ts';
import type { EngineSession, TrainingControl } from '../../core/engine.ts';
import { HushError } from '../../core/errors.ts';
import { sizeOf } from '../../core/layerShapes.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { LocalTraining } from '../../core/plan.ts';
import { NO_FIGURES } from '../../core/figures.ts';
import type { PartFigures } from '../../core/figures.ts';
import type { ModelParameters } from '../../core/updateStages.ts';
import { activate } from './backend.ts';
import type { Backend } from './backend.ts';
import { checkExamples, checkInputs, gatherInputs, gatherRows, rowsInTurn } from '../batches.ts';
import { Course } from '../course.ts';
import { checkFinite } from '../finite.ts';
import { Pace } from '../pace.ts';
import { ownParameters } from '../parameters.ts';
import { emptyTally, LocalRun } from './localRun.ts';
import { lossRule, tallied } from './losses.ts';
import type { LossRule, Tally } from './losses.ts';
import { upload, uploadInputs } from './model.ts';
import type { TensorModel } from './model.ts';

const EVALUATION_ROWS = 256;

/** One session works at a time: tfjs has one active backend for the whole worker. */
export class TfjsSession implements EngineSession {
  readonly #placed: PlacedNetwork;
  readonly #rule: LossRule;
  readonly #backend: Backend;
  readonly #model: TensorModel;
  /** What `setParameters` was given, until it is uploaded. */
  #given: ModelParameters | undefined;
  /** One for each block of the layout. */
  #tensors: Tensor[] = [];
  #closed = false;

  /** Closes `model` with itself. */
  constructor(placed: PlacedNetwork, backend: Backend, model: TensorModel) {
    this.#placed = placed;
    this.#rule = lossRule(placed.network.loss);
    this.#backend = backend;
    this.#model = model;
  }

  setParameters(parameters: ModelParameters): void {
    this.#given = ownParameters(parameters, this.#placed);
  }

  async parameters(): Promise<ModelParameters> {
    await this.#ready();
    const blocks = await this.#backend.failure.guard(Promise.all(this.#tensors.map((tensor) => tensor.data())));
    const { layout } = this.#placed;
    const flat = new Float32Array(layout.length);
    layout.blocks.forEach(({ offset }, i) => flat.set(blocks[i] ?? [], offset));
    checkFinite(flat, 'a parameter');
    return flat as ModelParameters;
  }

  async train(
    examples: Examples,
    training: LocalTraining,
    seed: Bytes,
    control: TrainingControl,
  ): Promise<PartFigures> {
    const course = new Course(examples, this.#placed, training, control);
    await this.#ready();
    const pace = new Pace(() => this.#readBack());
    const [model, placed, parameters] = [this.#model, this.#placed, this.#tensors];
    const run = new LocalRun({ model, placed, training, seed, parameters });
    try {
      for await (const { rows, counts } of course.batches(seed, () => this.#readBack())) {
        this.#backend.failure.check();
        this.#tensors = run.step(this.#tensors, gatherRows(examples, placed, rows), counts);
        const windowEnd = pace.stepped();
        if (!windowEnd) continue;
        await windowEnd;
        course.report();
      }
      await pace.settle();
      // The device may compute with NaN as it likes (tfjs issue 7162), so the values themselves are looked at.
      await this.parameters();
      const figures = await this.#figures(run.tally, course.perEpoch * course.rows);
      course.report();
      return figures;
    } finally {
      // A stop leaves a read-back under way, and its tensor with it.
      await pace.settle().catch(() => undefined);
      run.dispose();
    }
  }

  async evaluate(examples: Examples, control?: TrainingControl): Promise<PartFigures> {
    checkExamples(examples, this.#placed);
    if (examples.count === 0) return NO_FIGURES;
    await this.#ready();
    const pace = new Pace(() => this.#readBack());
    let tally = emptyTally();
    try {
      for await (const rows of rowsInTurn(examples.count, EVALUATION_ROWS, control, () => this.#readBack())) {
        const next = tidy(() => {
          const batch = upload(gatherRows(examples, this.#placed, rows), this.#placed);
          const predicted = this.#rule.predict(this.#model.output(this.#tensors, batch.inputs));
          return { ...tallied(this.#rule, predicted, batch, tally) };
        });
        dispose([tally.loss, tally.correct]);
        tally = next;
        await pace.stepped();
      }
      await pace.settle();
      return await this.#figures(tally, examples.count);
    } finally {
      await pace.settle().catch(() => undefined);
      dispose([tally.loss, tally.correct]);
    }
  }

  async predict(examples: Examples, control?: TrainingControl): Promise<Float32Array> {
    checkInputs(examples, this.#placed);
    await this.#ready();
    const size = sizeOf(this.#placed.output);
    const outputs = new Float32Array(examples.count * size);
    for await (const rows of rowsInTurn(examples.count, EVALUATION_ROWS, control)) {
      const output = tidy(() => {
        const inputs = gatherInputs(examples, this.#placed, rows);
        return this.#model.output(this.#tensors, uploadInputs(rows.length, inputs, this.#placed));
      });
      try {
        outputs.set(await this.#backend.failure.guard(output.data()), (rows[0] ?? 0) * size);
      } finally {
        output.dispose();
      }
    }
    checkFinite(outputs, 'an output');
    return outputs;
  }

  liveTensors(): number {
    return memory().numTensors;
  }

  close(): void {
    if (!this.#closed) this.#model.dispose?.();
    this.#closed = true;
    this.#given = undefined;
    dispose(this.#tensors);
    this.#tensors = [];
  }

  async #ready(): Promise<void> {
    if (this.#closed) throw new HushError('engine/closed', 'The session was closed.');
    this.#backend.failure.check();
    await activate(this.#backend.name);
    const given = this.#given;
    if (given) {
      this.#given = undefined;
      dispose(this.#tensors);
      this.#tensors = this.#placed.layout.blocks.map(({ shape, offset, length }) =>
        tensor(given.slice(offset, offset + length), [...shape], 'float32'),
      );
    }
    if (this.#tensors.length === 0) throw new HushError('engine/shape', 'The session was given no parameters.');
  }

  /** Resolves when the device has done all that was begun before; notices early when training diverges. */
  async #readBack(): Promise<void> {
    const last = this.#tensors.at(-1);
    if (!last) return;
    // A copy of the handle, so that the next step may dispose the tensor meanwhile.
    const held = clone(last);
    try {
      checkFinite(await this.#backend.failure.guard(held.data()), 'a parameter');
    } finally {
      held.dispose();
    }
  }

  async #figures(tally: Tally, rows: number): Promise<PartFigures> {
    const [loss, correct] = await this.#backend.failure.guard(Promise.all([tally.loss.data(), tally.correct.data()]));
    checkFinite(loss, 'the loss');
    const samples = rows * this.#placed.predictions;
    return { lossSum: loss[0] ?? 0, correct: Math.round(correct[0] ?? 0), samples };
  }
}
