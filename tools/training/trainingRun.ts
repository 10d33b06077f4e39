/**
 * A federation in one thread, training for real: everybody's worker and the coordinator's, round after round, without the
 * network and the agreement around them. Everything random follows from the plan's seed.
 */
import type { TrainingData } from '../../src/core/dataset.ts';
import { judge, UNJUDGED } from '../../src/core/earlyStopping.ts';
import { HushError } from '../../src/core/errors.ts';
import type { Hash, ParticipantId, RoundNumber } from '../../src/core/ids.ts';
import type { HashedModel, TrainOrder, TrainReport } from '../../src/core/localWork.ts';
import { groupCount, groupMinimum, threshold } from '../../src/core/plan.ts';
import type { Plan, PlanDocument } from '../../src/core/plan.ts';
import type { MeasuredPoint } from '../../src/core/runView.ts';
import type { FederatedStatistics } from '../../src/core/statistics.ts';
import { sumSpecFor } from '../../src/core/sumSpec.ts';
import type { SumSpec } from '../../src/core/sumSpec.ts';
import type { ModelParameters } from '../../src/core/updateStages.ts';
import { hashOf } from '../../src/crypto/hash.ts';
import { kindOfNext } from '../../src/federation/ledger.ts';
import { pointOf } from '../../src/federation/measured.ts';
import { sumSpecHashOf } from '../../src/federation/sumSpecHash.ts';
import { trainingSeed } from '../../src/federation/trainingSeed.ts';
import { SumService } from '../../src/worker/sumService.ts';
import { TrainService } from '../../src/worker/trainService.ts';
import { choicesFor, identityOf, seededPort, seedFor } from '../simulate/seeds.ts';
import type { NodeEngine } from './nodeEngine.ts';
import { RoundMasks } from './roundMasks.ts';

export interface TrainingSetup {
  readonly document: PlanDocument;
  /** One for each participant. */
  readonly shards: readonly TrainingData[];
  readonly engine: Pick<NodeEngine, 'chosen'>;
  /** Masks are added and taken off again. */
  readonly masks: boolean;
  /** Part of the participants whose masked updates do not arrive, in each training round others. */
  readonly dropout: number;
  /** Told of each training, with the part of the round that is done. */
  readonly onTrained?: (fraction: number) => void;
}

export interface RoundOutcome {
  /** Of the model that the round began with. */
  readonly point: MeasuredPoint;
  readonly reports: readonly TrainReport[];
}

interface Person {
  readonly id: ParticipantId;
  readonly service: TrainService;
}

export class TrainingRun {
  readonly #setup: TrainingSetup;
  readonly #plan: Plan;
  readonly #planHash: Hash;
  readonly #people: readonly Person[];
  readonly #summer = new SumService();
  #model: HashedModel;
  #round: RoundNumber = 0;
  #completed = 0;
  #judgement = UNJUDGED;
  #statistics: FederatedStatistics | undefined;

  private constructor(setup: TrainingSetup, people: readonly Person[]) {
    const { plan, bytes } = setup.document;
    this.#setup = setup;
    this.#plan = plan;
    this.#planHash = hashOf(bytes);
    this.#people = people;
    this.#summer.open({ plan });
    this.#model = this.load(this.#summer.initialModel());
  }

  static async begin(setup: TrainingSetup): Promise<TrainingRun> {
    const people: Person[] = [];
    for (const [index, data] of setup.shards.entries()) people.push(await personFor(setup, index, data));
    return new TrainingRun(setup, people);
  }

  /** As the plan has it: statistics first, and a last round that measures, after those of the plan or once it is to stop early. */
  get next(): TrainOrder['kind'] {
    const head = { completed: this.#completed, judgement: this.#judgement, statistics: this.#statistics };
    return kindOfNext(this.#plan, head);
  }

  get model(): HashedModel {
    return this.#model;
  }

  /** Everyone goes on from there. */
  load(parameters: ModelParameters): HashedModel {
    const hash = this.#summer.load(parameters);
    for (const { service } of this.#people) service.load(parameters);
    this.#model = { parameters, hash };
    return this.#model;
  }

  /** @throws HushError `simulate/quorum` when too few are left for the protocol to go on, `engine/…`, `sum/…`. */
  async round(kind: TrainOrder['kind']): Promise<RoundOutcome> {
    const round = ++this.#round;
    const sumSpec = sumSpecFor(kind, this.#plan);
    const gone = kind === 'train' ? this.#dropouts(round) : new Set<Person>();
    const groups = this.#draw(round);
    this.#summer.begin({ round, sumSpec, groupSizes: groups.map((members) => members.length) });
    const reports: TrainReport[] = [];
    for (const [group, members] of groups.entries()) {
      const survivors = members.filter((person) => !gone.has(person));
      this.#checkQuorum(round, members.length, survivors.length);
      const masks = this.#setup.masks ? await this.#masksFor(round, members, sumSpec) : undefined;
      for (const { id, service } of survivors) {
        reports.push(await service.train({ round, kind, seed: trainingSeed(this.#planHash, round, id) }));
        const seeds = (await masks?.seedsOf(id)) ?? [];
        const { masked } = await service.mask({ round, sumSpec, groupSize: members.length, seeds });
        await this.#summer.add(round, group, masked);
        this.#setup.onTrained?.(reports.length / (this.#people.length - gone.size));
      }
      const undoing = (await masks?.undoing(survivors.map(({ id }) => id))) ?? [];
      this.#summer.unmask(round, group, survivors.length, undoing);
    }
    const { parameters, figures, statistics } = this.#summer.finish(round, this.#people.length, reports.length);
    this.#statistics ??= statistics;
    if (kind === 'train') {
      this.#completed++;
      this.#judgement = judge(this.#plan, this.#judgement, figures.validation);
    }
    this.load(parameters);
    const body = { kind, completed: this.#completed, survivors: reports.length, figures };
    return { point: pointOf(body, this.#plan), reports };
  }

  /** Who is with whom: all together, or as the plan's groups ask for. */
  #draw(round: RoundNumber): readonly (readonly Person[])[] {
    const { length } = this.#people;
    const count = groupCount(this.#plan, length);
    const order = Array.from(choicesFor(this.#plan.seed, 'groups', round).permutation(length));
    const edge = (group: number): number => Math.floor((group * length) / count);
    return Array.from({ length: count }, (_, group) => {
      const places = order.slice(edge(group), edge(group + 1)).sort((a, b) => a - b);
      return places.flatMap((place) => this.#people[place] ?? []);
    });
  }

  #dropouts(round: RoundNumber): ReadonlySet<Person> {
    const order = choicesFor(this.#plan.seed, 'dropouts', round).permutation(this.#people.length);
    const count = Math.round(this.#setup.dropout * this.#people.length);
    return new Set([...order.subarray(0, count)].flatMap((place) => this.#people[place] ?? []));
  }

  #checkQuorum(round: RoundNumber, members: number, survivors: number): void {
    const quorum = Math.max(threshold(this.#plan.security.mode, members), groupMinimum(this.#plan));
    if (survivors >= quorum) return;
    throw new HushError(
      'simulate/quorum',
      `Round ${round} would be given up: ${survivors} of ${members} are left, expected at least ${quorum}.`,
      { advice: 'Lower "--dropout", or raise "--participants".' },
    );
  }

  #masksFor(round: RoundNumber, members: readonly Person[], sumSpec: SumSpec): Promise<RoundMasks> {
    const ids = members.map(({ id }) => id);
    const binding = { planHash: this.#planHash, modelHash: this.#model.hash, sumSpecHash: sumSpecHashOf(sumSpec) };
    const random = seededPort(seedFor(this.#plan.seed, 'masks', round, ids[0] ?? ''));
    return RoundMasks.draw({ ...binding, round, members: ids }, random);
  }
}

async function personFor({ document, engine }: TrainingSetup, index: number, data: TrainingData): Promise<Person> {
  const { plan } = document;
  const { id } = await identityOf(seedFor(plan.seed, 'person', index));
  const service = new TrainService({
    random: seededPort(seedFor(plan.seed, 'rounding', index)),
    fetchFile: () => Promise.reject(new HushError('data/unreachable', 'What is simulated fetches nothing.')),
    ownData: { load: () => data },
    report: () => undefined,
    engine: engine.chosen,
  });
  await service.open({ plan, shard: undefined });
  return { id, service };
}
