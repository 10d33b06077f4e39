/** The Trainer port without worker or engine: drifts by seeded noise, and does the rest with the real steps of update. */
import { HushError } from '../../src/core/errors.ts';
import type {
  ApplyOrder,
  ApplyReport,
  EngineWish,
  HashedModel,
  MaskOrder,
  MaskReport,
  MaskSeed,
  Trainer,
  TrainerInfo,
  TrainerTask,
  TrainOrder,
  TrainReport,
} from '../../src/core/localWork.ts';
import type { Examples } from '../../src/core/dataset.ts';
import type { EngineChoice } from '../../src/core/engine.ts';
import type { Hash } from '../../src/core/ids.ts';
import { planLayout } from '../../src/core/planLayout.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { FailureHandler, Random, Unsubscribe } from '../../src/core/ports.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { inputsOf, outputsOf } from '../../src/core/modelSpec.ts';
import { ringBits } from '../../src/core/sumSpec.ts';
import type { Figures, PartFigures } from '../../src/core/figures.ts';
import type { RoundKind } from '../../src/core/sumSpec.ts';
import type { FieldVector, ModelParameters } from '../../src/core/updateStages.ts';
import { applySum } from '../../src/update/aggregate.ts';
import { clip, differenceOf } from '../../src/update/clip.ts';
import { initialModel } from '../../src/update/initialise.ts';
import { localStatistics } from '../../src/update/localStatistics.ts';
import { mask } from '../../src/update/mask.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { piecesRoot } from '../../src/update/pieces.ts';
import { quantise } from '../../src/update/quantise.ts';
import { withCounts } from '../../tools/simulate/figures.ts';
import { rotationSeed } from '../../src/update/rotation.ts';
import { writeStatistics } from '../../src/update/statisticsSum.ts';

export class PlainTrainer implements Trainer {
  /** Every field vector that was masked, by round: what the unmasked sum must be the sum of. */
  readonly vectors = new Map<number, FieldVector>();
  /** The seeds of every mask that was put on, by round. */
  readonly seeds = new Map<number, readonly MaskSeed[]>();
  /** What statistics are taken of; nothing is trained on it. */
  examples: Examples | undefined;
  /** Awaited in every `train`: tests hold a participant there, or make it fail. */
  whileTraining: () => Promise<void> = () => Promise.resolve();
  /** Figures of the held-out data by the current model: tests of what a model is worth measure for real. */
  measure: (model: ModelParameters) => PartFigures = () => ({ lossSum: 30.5, correct: 7, samples: 20 });
  readonly #random: Random;
  readonly #samples: number;
  readonly #failures = new Set<FailureHandler>();
  #task: TrainerTask | undefined;
  #model: ModelParameters | undefined;
  #trained: ModelParameters | undefined;

  constructor(random: Random, samples: number) {
    this.#random = random;
    this.#samples = samples;
  }

  async open(task: TrainerTask): Promise<TrainerInfo> {
    this.#task = task;
    this.examples ??= someImages(task.plan, this.#samples);
    return { samples: { training: this.#samples, validation: 10, test: 20 } };
  }

  async chooseEngine(_wish?: EngineWish): Promise<EngineChoice> {
    return { engine: 'cpu', adapter: 'plain', samplesPerSecond: 1, reason: 'The only one.', candidates: [] };
  }

  async initialModel(plan: Plan): Promise<HashedModel> {
    const parameters = initialModel(plan);
    return { parameters, hash: modelHashOf(parameters) };
  }

  async load(parameters: ModelParameters): Promise<Hash> {
    this.#model = parameters;
    return modelHashOf(parameters);
  }

  async train({ round, kind, seed }: TrainOrder): Promise<TrainReport> {
    await this.whileTraining();
    const model = this.#need(this.#model);
    const random = new SeededRandom(seed);
    this.#trained =
      kind === 'train'
        ? (Float32Array.from(model, (value) => value + 0.05 * random.normal()) as ModelParameters)
        : undefined;
    return { round, durationMs: 5, figures: this.#figures(kind), updateNorm: 1, saturated: 0 };
  }

  #figures(kind: RoundKind): Figures {
    const { plan } = this.#need(this.#task);
    const none = { lossSum: 0, correct: 0, samples: 0 };
    if (kind === 'statistics') return { training: none, validation: none, test: none };
    return {
      training: kind === 'train' ? { lossSum: 1.5, correct: 1, samples: this.#samples } : none,
      validation: withCounts(plan, { lossSum: 2.25, correct: 5, samples: 10 }),
      test: withCounts(plan, this.measure(this.#need(this.#model))),
    };
  }

  async mask({ round, sumSpec, groupSize, seeds }: MaskOrder): Promise<MaskReport> {
    const { plan } = this.#need(this.#task);
    const model = this.#need(this.#model);
    const update =
      this.#trained &&
      clip(differenceOf(this.#trained, model, planLayout(plan).sent), plan.aggregation.clipNorm).clipped;
    const seed = rotationSeed(modelHashOf(model), round);
    const figures = this.#figures(sumSpec.kind);
    const vector =
      sumSpec.kind === 'statistics'
        ? writeStatistics(sumSpec, localStatistics(plan, this.#need(this.examples)))
        : quantise({ sumSpec, plan, update, rotationSeed: seed, weight: this.#samples, figures }, this.#random).vector;
    this.vectors.set(round, new Uint32Array(vector) as FieldVector);
    this.seeds.set(round, seeds);
    const masked = mask(vector, ringBits(sumSpec, groupSize), seeds);
    return { masked, piecesRoot: await piecesRoot(masked), glimpse: { stays: [], sent: [] } };
  }

  async apply(order: ApplyOrder): Promise<ApplyReport> {
    const report = applySum(this.#need(this.#model), order, this.#need(this.#task).plan);
    this.#model = report.parameters;
    return report;
  }

  /** As when the worker dies: what it held is gone. */
  fail(error: HushError): void {
    this.#model = undefined;
    this.#trained = undefined;
    for (const handler of this.#failures) handler(error);
  }

  pause(): void {}
  resume(): void {}
  share(): void {}
  stop(): void {}
  close(): void {}

  onProgress(): Unsubscribe {
    return () => undefined;
  }

  onFailure(handler: FailureHandler): Unsubscribe {
    this.#failures.add(handler);
    return () => this.#failures.delete(handler);
  }

  #need<T>(value: T | undefined): T {
    if (value === undefined) throw new HushError('worker/order', 'Not ready.');
    return value;
  }
}

/** Grey values and classes that differ from one number of samples to another. */
function someImages({ model }: Plan, count: number): Examples {
  const random = SeededRandom.of(count, 3);
  const width = inputsOf(model).size;
  const inputs = Uint8Array.from({ length: count * width }, () => random.below(256));
  const labels = Uint8Array.from({ length: count }, () => random.below(outputsOf(model).size));
  return { count, width, inputs, inputScale: 1 / 255, labels };
}
