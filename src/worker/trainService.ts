/** What the training worker does: data, engine, update and masks in one place, so that nothing unmasked leaves it. */
import { turn } from '../engine/turn.ts';
import { chooseEngine } from '../engine/choose.ts';
import type { Chosen } from '../engine/choose.ts';
import { describeMachine } from '../engine/machine.ts';
import { openEngine } from '../engine/openEngine.ts';
import type { EngineChoice, EngineSession, TrainingProgress } from '../core/engine.ts';
import { countsSpecOf } from '../core/counts.ts';
import type { DataSource, Examples, TrainingData } from '../core/dataset.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, RoundNumber } from '../core/ids.ts';
import type {
  ApplyOrder,
  ApplyReport,
  EngineWish,
  HashedModel,
  MaskOrder,
  MaskReport,
  TrainerInfo,
  TrainerTask,
  TrainOrder,
  TrainReport,
} from '../core/localWork.ts';
import { lossOf, outputsOf } from '../core/modelSpec.ts';
import { networkExamples } from '../core/normalisation.ts';
import { networkParameters, planLayout, planNetwork, withNetwork } from '../core/planLayout.ts';
import type { Random } from '../core/ports.ts';
import { figuresOf } from '../core/predictions.ts';
import { NO_FIGURES } from '../core/figures.ts';
import { ringBits, sumSpecFor } from '../core/sumSpec.ts';
import type { Figures, PartFigures } from '../core/figures.ts';
import type { SumSpec } from '../core/sumSpec.ts';
import type { HeldOutExample } from '../core/tryOut.ts';
import type { ClippedUpdate, FieldVector, ModelParameters } from '../core/updateStages.ts';
import { PublicDataSource } from '../data/publicDataset.ts';
import type { PrivateDataService } from './privateDataService.ts';
import type { FetchFile } from '../data/gunzip.ts';
import { applySum } from '../update/aggregate.ts';
import { clip, differenceOf } from '../update/clip.ts';
import { localStatistics } from '../update/localStatistics.ts';
import type { ExactStatistics } from '../update/localStatistics.ts';
import { mask } from '../update/mask.ts';
import { modelHashOf } from '../update/modelHash.ts';
import { piecesRoot } from '../update/pieces.ts';
import { quantise, saturation } from '../update/quantise.ts';
import type { QuantiseInput } from '../update/quantise.ts';
import { rotationSeed } from '../update/rotation.ts';
import { writeStatistics } from '../update/statisticsSum.ts';
import { PreparedData } from './preparedData.ts';
import { maskedGlimpse, rawGlimpse } from './glimpse.ts';
import type { RawGlimpse } from './glimpse.ts';
import { TrainControl } from './trainControl.ts';

export interface TrainServiceOptions {
  readonly random: Random;
  readonly fetchFile: FetchFile;
  /** Where people's own files were read before the task is opened. */
  readonly ownData: Pick<PrivateDataService, 'load'>;
  readonly report: (progress: TrainingProgress) => void;
  /** What trains in place of the fastest, where it must be repeatable. */
  readonly engine?: Chosen;
}

/** What is kept between `train` and `mask`. */
interface Trained {
  readonly round: RoundNumber;
  readonly figures: Figures;
  readonly glimpse: RawGlimpse;
  /** Of a round of statistics alone. */
  readonly statistics?: ExactStatistics;
  /** Undefined after a round that trains nothing. */
  readonly update: ClippedUpdate | undefined;
  /** Of the model that was trained from. */
  readonly modelHash: Hash;
}

const NO_GLIMPSE: RawGlimpse = { start: 0, values: [] };

export class TrainService {
  readonly control: TrainControl;
  readonly #options: TrainServiceOptions;
  #task: TrainerTask | undefined;
  #data: PreparedData | undefined;
  #model: HashedModel | undefined;
  #engine: (Chosen & { readonly session: EngineSession }) | undefined;
  #trained: Trained | undefined;

  constructor(options: TrainServiceOptions) {
    this.#options = options;
    this.control = new TrainControl(turn, options.report);
  }

  async open(task: TrainerTask): Promise<TrainerInfo> {
    this.#forgetEngine();
    this.#model = undefined;
    this.#trained = undefined;
    this.#task = task;
    const data = await this.#source(task).load();
    this.#data = new PreparedData(task.plan, data);
    const { training, validation, test } = data;
    return { samples: { training: training.count, validation: validation.count, test: test.count } };
  }

  #source({ plan, shard, dataless = false }: TrainerTask): DataSource {
    if (dataless) return { load: () => Promise.resolve(NO_DATA) };
    if (shard) return new PublicDataSource(plan, shard, this.#options.fetchFile);
    return { load: async () => this.#options.ownData.load(plan) };
  }

  async chooseEngine(wish: EngineWish = {}): Promise<EngineChoice> {
    this.#forgetEngine();
    const { plan } = need(this.#task, 'a task');
    const chosen = this.#options.engine ?? (await this.#fastest(wish));
    const session = await chosen.engine.open(planNetwork(plan));
    this.#engine = { ...chosen, session };
    const { training: examples } = need(this.#data, 'data').of(this.#model?.parameters);
    if (examples.count > 0) await session.prepare?.(plan.training, examples);
    return chosen.choice;
  }

  async #fastest({ remembered, anew = false }: EngineWish): Promise<Chosen> {
    const { plan, forceEngine } = need(this.#task, 'a task');
    const stock = forceEngine === 'stock';
    return chooseEngine({
      network: planNetwork(plan),
      training: plan.training,
      open: stock ? (await import('../engine/stock/stockEngine.ts')).openStockEngine : openEngine,
      machine: await describeMachine(),
      remembered: anew || stock ? undefined : remembered,
      ...(forceEngine && !stock ? { force: forceEngine } : {}),
    });
  }

  load(parameters: ModelParameters): Hash {
    const hash = modelHashOf(parameters);
    this.#model = { parameters, hash };
    this.#trained = undefined;
    return hash;
  }

  train(order: TrainOrder): Promise<TrainReport> {
    this.#trained = undefined;
    return this.control.during(async () => {
      try {
        return await this.#train(order);
      } catch (thrown) {
        if (thrown instanceof HushError && LOST.includes(thrown.code)) this.#forgetEngine();
        throw thrown;
      }
    });
  }

  async #train({ round, kind, seed }: TrainOrder): Promise<TrainReport> {
    const { plan } = need(this.#task, 'a task');
    const { parameters: model, hash: modelHash } = need(this.#model, 'a model');
    await this.control.proceed();
    const startMs = performance.now();
    const report = { round, updateNorm: 0, saturated: 0 };
    if (kind === 'statistics') {
      const statistics = localStatistics(plan, need(this.#data, 'data').raw.training);
      const figures = { training: NO_FIGURES, validation: NO_FIGURES, test: NO_FIGURES };
      this.#trained = { round, figures, glimpse: NO_GLIMPSE, statistics, update: undefined, modelHash };
      return { ...report, durationMs: performance.now() - startMs, figures };
    }
    const data = need(this.#data, 'data').of(model);
    const session = await this.#session();
    const layout = planLayout(plan);
    session.setParameters(networkParameters(layout, model));
    // Of the model that the round begins with, so that every participant measures the same one.
    const validation = await this.#measure(session, data.validation);
    await this.control.proceed();
    const test = await this.#measure(session, data.test);
    await this.control.proceed();
    if (kind === 'evaluate') {
      const figures = { training: NO_FIGURES, validation, test };
      this.#trained = { round, figures, glimpse: NO_GLIMPSE, update: undefined, modelHash };
      return { ...report, durationMs: performance.now() - startMs, figures };
    }
    const training = await session.train(data.training, plan.training, seed, this.control);
    const after = withNetwork(layout, model, await session.parameters());
    const raw = differenceOf(after, model, layout.sent);
    const { clipped, norm } = clip(raw, plan.aggregation.clipNorm);
    const figures = { training, validation, test };
    const trained = { round, figures, glimpse: rawGlimpse(raw), update: clipped, modelHash };
    this.#trained = trained;
    const saturated = saturation(this.#toQuantise(trained, sumSpecFor(kind, plan)));
    return { ...report, durationMs: performance.now() - startMs, figures, updateNorm: norm, saturated };
  }

  /** Where the plan counts, one pass gives outputs, and they the figures. */
  async #measure(session: EngineSession, examples: Examples): Promise<PartFigures> {
    const { plan } = need(this.#task, 'a task');
    const counted = countsSpecOf(plan);
    if (!counted || examples.count === 0) return session.evaluate(examples, this.control);
    const outputs = await session.predict(examples, this.control);
    return figuresOf(lossOf(plan.model), outputs, outputsOf(plan.model).size, examples, counted.kind);
  }

  /** Hides what was trained, once: the same update under two sets of masks would show their difference. */
  async mask({ round, sumSpec, groupSize, seeds }: MaskOrder): Promise<MaskReport> {
    const trained = this.#trained;
    if (trained?.round !== round) {
      throw new HushError('worker/order', `Round ${round} is to be masked, expected ${trained?.round ?? 'none'}.`);
    }
    this.#trained = undefined;
    const vector = this.#vectorOf(trained, sumSpec);
    const bits = ringBits(sumSpec, groupSize);
    const masked = mask(vector, bits, seeds);
    return {
      masked,
      piecesRoot: await piecesRoot(masked),
      glimpse: { stays: trained.glimpse.values, sent: maskedGlimpse(masked, bits, trained.glimpse.start) },
    };
  }

  /** Of the current model, for examples as they were loaded. */
  async predict(examples: Examples): Promise<Float32Array> {
    const { plan } = need(this.#task, 'a task');
    const { parameters } = need(this.#model, 'a model');
    const session = await this.#session();
    session.setParameters(networkParameters(planLayout(plan), parameters));
    return session.predict(networkExamples(plan, parameters, examples));
  }

  /** @throws HushError `data/nothing` where no example was held out. */
  heldOut(index: number): HeldOutExample {
    const { test, validation } = need(this.#data, 'data').raw;
    const part = test.count > 0 ? test : validation;
    if (part.count === 0) throw new HushError('data/nothing', 'No example was held out in this tab.');
    return { example: exampleOf(part, index % part.count), of: part.count };
  }

  apply(order: ApplyOrder): ApplyReport {
    const { plan } = need(this.#task, 'a task');
    const report = applySum(need(this.#model, 'a model').parameters, order, plan);
    this.#model = { parameters: report.parameters, hash: report.modelHashAfter };
    return report;
  }

  #vectorOf(trained: Trained, sumSpec: SumSpec): FieldVector {
    if (sumSpec.kind !== 'statistics') return quantise(this.#toQuantise(trained, sumSpec), this.#options.random).vector;
    return writeStatistics(sumSpec, need(trained.statistics, 'statistics'));
  }

  #toQuantise({ round, modelHash, update, figures }: Trained, sumSpec: SumSpec): QuantiseInput {
    const { plan } = need(this.#task, 'a task');
    const weight = need(this.#data, 'data').raw.training.count;
    return { sumSpec, plan, update, rotationSeed: rotationSeed(modelHash, round), weight, figures };
  }

  /** After a lost device another engine is chosen, among those that are left. */
  async #session(): Promise<EngineSession> {
    if (!this.#engine) await this.chooseEngine();
    return need(this.#engine, 'an engine').session;
  }

  #forgetEngine(): void {
    this.#engine?.engine.close();
    this.#engine = undefined;
  }
}

const NONE: Examples = {
  count: 0,
  width: 0,
  inputs: new Float32Array(),
  inputScale: 1,
  labels: new Uint8Array(),
};
const NO_DATA: TrainingData = { training: NONE, validation: NONE, test: NONE };

/** A copy of one row. */
function exampleOf(examples: Examples, row: number): Examples {
  const { width, inputs, labels, labelWidth = 1 } = examples;
  return {
    ...examples,
    count: 1,
    inputs: inputs.slice(row * width, (row + 1) * width),
    labels: labels.slice(row * labelWidth, (row + 1) * labelWidth),
  };
}

const LOST: readonly string[] = ['engine/lost', 'engine/out-of-memory', 'engine/closed'];

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new HushError('worker/order', `The worker was given work before it had ${what}.`);
  return value;
}
