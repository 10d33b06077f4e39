/** The Trainer port without an engine: seeded updates, then clipping, quantising, masking and applying as they are. */
import { HushError } from '../../src/core/errors.ts';
import type { EngineChoice } from '../../src/core/engine.ts';
import type {
  ApplyOrder,
  ApplyReport,
  HashedModel,
  MaskOrder,
  MaskReport,
  Trainer,
  TrainerInfo,
  TrainerTask,
  TrainOrder,
  TrainReport,
} from '../../src/core/localWork.ts';
import type { Hash } from '../../src/core/ids.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { Unsubscribe } from '../../src/core/ports.ts';
import { ringBits } from '../../src/core/sumSpec.ts';
import type { ClippedUpdate, ModelParameters } from '../../src/core/updateStages.ts';
import { applySum } from '../../src/update/aggregate.ts';
import { mask } from '../../src/update/mask.ts';
import { piecesRoot } from '../../src/update/pieces.ts';
import type { ModelPool } from './models.ts';
import { figuresOf, samplesOf, trainedUpdate, vectorOf } from './vectors.ts';
import type { VectorSource } from './vectors.ts';

export interface TrainerHooks {
  readonly seed: number;
  readonly models: ModelPool;
  /** Awaited by each training, which takes so much virtual time. */
  training(person: number, round: number, kind: TrainOrder['kind']): Promise<void>;
  /** Told of each update that was masked, by the root over its pieces. */
  masked(root: Hash, source: VectorSource): void;
  /** Runs what is not cryptography, so that its cost can be told apart. */
  apart<T>(person: number, work: () => T): T;
}

export class SimulatedTrainer implements Trainer {
  readonly #hooks: TrainerHooks;
  readonly #person: number;
  #plan: Plan | undefined;
  #model: ModelParameters | undefined;
  #update: ClippedUpdate | undefined;

  constructor(hooks: TrainerHooks, person: number) {
    this.#hooks = hooks;
    this.#person = person;
  }

  async open({ plan }: TrainerTask): Promise<TrainerInfo> {
    this.#plan = plan;
    return { samples: { training: samplesOf(this.#person), validation: 10, test: 20 } };
  }

  async chooseEngine(): Promise<EngineChoice> {
    return { engine: 'cpu', adapter: 'none', samplesPerSecond: 1, reason: 'Nothing is trained.', candidates: [] };
  }

  async initialModel(plan: Plan): Promise<HashedModel> {
    return this.#hooks.models.initial(plan);
  }

  async load(parameters: ModelParameters): Promise<Hash> {
    const hash = this.#hooks.models.hashOf(parameters);
    this.#model = this.#hooks.models.shared(parameters, hash);
    return hash;
  }

  async train({ round, kind }: TrainOrder): Promise<TrainReport> {
    const plan = need(this.#plan);
    await this.#hooks.training(this.#person, round, kind);
    this.#update = this.#hooks.apart(this.#person, () =>
      kind === 'train' ? trainedUpdate(this.#source(round), plan) : undefined,
    );
    return { round, durationMs: 1, figures: figuresOf(this.#person, kind, plan), updateNorm: 1, saturated: 0 };
  }

  async mask({ round, sumSpec, groupSize, seeds }: MaskOrder): Promise<MaskReport> {
    const source = this.#source(round);
    const update = this.#update;
    const vector = this.#hooks.apart(this.#person, () => vectorOf(source, sumSpec, need(this.#plan), update));
    this.#update = undefined;
    const masked = mask(vector, ringBits(sumSpec, groupSize), seeds);
    const root = await piecesRoot(masked);
    this.#hooks.masked(root, source);
    return { masked, piecesRoot: root, glimpse: { stays: [], sent: [] } };
  }

  async apply(order: ApplyOrder): Promise<ApplyReport> {
    const report = this.#hooks.apart(this.#person, () => applySum(need(this.#model), order, need(this.#plan)));
    this.#model = this.#hooks.models.shared(report.parameters, report.modelHashAfter);
    return { ...report, parameters: this.#model };
  }

  #source(round: number): VectorSource {
    return { seed: this.#hooks.seed, person: this.#person, round };
  }

  pause(): void {}
  resume(): void {}
  share(): void {}
  stop(): void {}
  close(): void {}

  onProgress(): Unsubscribe {
    return () => undefined;
  }

  onFailure(): Unsubscribe {
    return () => undefined;
  }
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new HushError('worker/order', 'The simulated worker was not opened.');
  return value;
}
