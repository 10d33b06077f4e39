/** A whole federation in one process: the real machines over a virtual clock and a seeded network. */
import type { Bytes } from '../../src/core/bytes.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { Plan } from '../../src/core/plan.ts';
import { federationIdOf } from '../../src/crypto/hash.ts';
import { Coordinator } from '../../src/federation/coordinator.ts';
import { CoordinatorStore } from '../../src/federation/coordinatorStore.ts';
import type { FederationDeed } from '../../src/federation/coordinatorStore.ts';
import { foundFederation } from '../../src/federation/founding.ts';
import type { Invite } from '../../src/federation/invite.ts';
import { Participant } from '../../src/federation/participant.ts';
import { watched } from './cast.ts';
import { CryptoBarrier } from './cryptoBarrier.ts';
import { Exactness } from './exactness.ts';
import type { Fate } from './faults.ts';
import { Holding } from './holding.ts';
import { Meter } from './meter.ts';
import { ModelPool } from './models.ts';
import { SimulatedNetwork } from './network.ts';
import type { Place } from './network.ts';
import { Person } from './person.ts';
import { collectGarbage } from './processes.ts';
import { identityOf, seededPort, seedFor } from './seeds.ts';
import { SimulatedSummer } from './summer.ts';
import { TabStorage } from './tabStorage.ts';
import type { SimulatedTransport } from './transport.ts';
import { ownVerification, sharedVerification, useVerification } from './verification.ts';
import type { Verification } from './verification.ts';
import { VirtualTime } from './virtualTime.ts';
import type { Lane } from './virtualTime.ts';

/** 1 January 2026, so that logs look like logs. */
const START_MS = Date.UTC(2026, 0, 1);

/** Of everyone who is not measured alone; those who are have the lanes from 1 on. */
const CROWD: Lane = 0;
const COORDINATOR: Lane = 1_000_000;

export interface FederationOptions {
  readonly seed: number;
  readonly plan: Plan;
  readonly planBytes: Bytes;
  readonly people: number;
  /** People that run alone and share no results, so that their cost can be told. */
  readonly measured: readonly number[];
  /** Everything that falls due within so long is taken at once. */
  readonly tickMs: number;
  latencyMs(person: number): number;
  /** How long a training takes. */
  trainingMs(person: number, round: number): number;
  /** Told when a training begins, before it takes its time. */
  trainingBegins?(person: number, round: number): void;
  readonly fate?: () => Fate;
  readonly delivered?: (frames: number) => void;
  readonly traced?: boolean;
  /** Whether another round may be called. */
  readonly mayCall?: (round: number) => boolean;
  /** Classes of the two roles; tests give some that lie. */
  readonly coordinator?: typeof Coordinator;
  readonly participant?: Pick<typeof Participant, 'start'>;
  /** Changes a group's sum before it is compared. */
  readonly spoil?: (words: Uint32Array) => void;
}

export class SimulatedFederation {
  readonly time: VirtualTime;
  readonly network: SimulatedNetwork;
  readonly people: Person[] = [];
  readonly exactness = new Exactness();
  readonly holding = new Holding();
  readonly coordinatorMeter = new Meter();
  readonly #meters = new Map<Lane, Meter>();
  readonly #shared = sharedVerification();
  /** Of those who share nothing. */
  readonly #verifications = new Map<Lane, Verification>();
  readonly #options: FederationOptions;
  readonly #barrier = new CryptoBarrier();
  readonly #models = new ModelPool();
  readonly #storage = new TabStorage();
  readonly #place: Place = { lane: COORDINATOR, latencyMs: 0 };
  readonly #deed: FederationDeed;
  readonly #invite: Invite;
  #coordinator: Coordinator | undefined;
  #transport: SimulatedTransport | undefined;
  #summer: SimulatedSummer | undefined;
  #opened = 0;
  #answers = 0;

  private constructor(options: FederationOptions, deed: FederationDeed, invite: Invite) {
    this.#options = options;
    this.#deed = deed;
    this.#invite = invite;
    this.time = new VirtualTime(START_MS, options.tickMs);
    const { fate, delivered, traced } = options;
    this.network = new SimulatedNetwork({
      time: this.time,
      ...(fate && { fate }),
      ...(delivered && { delivered }),
      ...(traced && { traced }),
      watched: { place: this.#place, frame: (channel, frame) => this.holding.frame(channel, frame) },
    });
    if (options.measured.length === 0) return;
    this.#verifications.set(COORDINATOR, ownVerification());
    this.#meters.set(COORDINATOR, this.coordinatorMeter);
  }

  /** Nobody is there yet, and the coordinator's tab is not open. To be ended with `end`. */
  static async found(options: FederationOptions): Promise<SimulatedFederation> {
    const { seed } = options;
    const identity = await identityOf(seedFor(seed, 'coordinator'));
    const random = seededPort(seedFor(seed, 'founding'));
    const clock: Clock = { nowMs: () => START_MS, after: () => () => undefined };
    const founded = await foundFederation(options.planBytes, random, clock);
    const federation = federationIdOf(identity.publicKey, founded.planHash, random.bytes(16));
    const deed = { ...founded, federation, keyPair: identity.keyPair };
    const { planHash, secret, address } = deed;
    const { admission } = options.plan.security;
    const invite = { address, key: identity.publicKey, planHash, federation, admission, secret };
    const simulated = new SimulatedFederation(options, deed, invite);
    await new CoordinatorStore(simulated.#storage, federation).found(deed);
    for (let index = 0; index < options.people; index++) {
      simulated.people.push(await simulated.#person(index));
    }
    simulated.#barrier.install();
    return simulated;
  }

  async #person(index: number): Promise<Person> {
    const { seed, measured, participant = Participant } = this.#options;
    const lane = measured.indexOf(index) + 1;
    if (lane > 0) {
      this.#meters.set(lane, new Meter());
      this.#verifications.set(lane, ownVerification());
    }
    const place = { lane, latencyMs: this.#options.latencyMs(index) };
    const trainer = {
      seed,
      models: this.#models,
      training: (person: number, round: number) => this.#training(person, round),
      masked: this.exactness.masked.bind(this.exactness),
      apart: <T>(person: number, work: () => T): T => this.meterOf(person)?.apart(work) ?? work(),
    };
    return Person.create({ index, seed, place, network: this.network, trainer, participant });
  }

  #training(index: number, round: number): Promise<void> {
    this.#options.trainingBegins?.(index, round);
    const lane = this.people[index]?.place.lane ?? CROWD;
    return new Promise((resolve) => {
      this.time.after(lane, this.#options.trainingMs(index, round), resolve);
    });
  }

  /** Of one that is measured. */
  meterOf(person: number): Meter | undefined {
    const lane = this.people[person]?.place.lane ?? this.#options.measured.indexOf(person) + 1;
    return lane === CROWD ? undefined : this.#meters.get(lane);
  }

  get coordinator(): Coordinator | undefined {
    return this.#coordinator;
  }

  /** Answers to what came of the masked updates that the coordinator has taken. */
  get answers(): number {
    return this.#answers;
  }

  /** Of a person, or of the coordinator. */
  laneOf(person: Person | undefined): Lane {
    return person?.place.lane ?? COORDINATOR;
  }

  /** As when a person at the coordinator does not wait for the whole cohort. */
  wishStart(): void {
    this.#coordinator?.wish('start');
  }

  /** Opens a tab when the loop comes to it. */
  openTab(person: Person, delayMs: number): void {
    this.time.after(person.place.lane, delayMs, () => void person.open(this.#invite));
  }

  openCoordinator(delayMs: number): void {
    this.time.after(COORDINATOR, delayMs, () => void this.#openCoordinator());
  }

  async #openCoordinator(): Promise<void> {
    if (this.#transport !== undefined) return;
    const { seed, coordinator = Coordinator, mayCall, spoil } = this.#options;
    const transport = this.network.transport(this.#deed.address, this.#place);
    this.#transport = transport;
    this.#summer = new SimulatedSummer({
      exactness: this.exactness,
      models: this.#models,
      adding: (deltaBytes) => {
        this.holding.addingBytes += deltaBytes;
      },
      hold: (work) => this.#barrier.hold(work),
      apart: (work) => this.coordinatorMeter.apart(work),
      ...(spoil && { spoil }),
    });
    const opened = await watched(coordinator, {
      message: (message) => {
        if (message.type === 'agree' || message.type === 'unmask') this.#answers++;
        this.holding.message(message);
      },
      sealed: (round) => this.holding.roundOver(round),
      mayCall: (round) => mayCall?.(round) ?? true,
    }).open({
      deed: this.#deed,
      transport,
      summer: this.#summer,
      store: this.#storage,
      clock: this.time.clock(COORDINATOR),
      random: seededPort(seedFor(seed, 'coordinator', this.#opened++)),
    });
    if (this.#transport === transport) this.#coordinator = opened;
    else opened.close();
  }

  /** Kills the coordinator's tab; participants notice after `silentMs`. */
  closeCoordinator(silentMs: number): void {
    this.#transport?.vanish(silentMs);
    this.#coordinator?.close();
    this.#transport = undefined;
    this.#coordinator = undefined;
    this.#summer = undefined;
  }

  /** Moves on to the next instant and takes all of it, lane by lane; false when nothing will ever happen again. */
  async step(): Promise<boolean> {
    const instants = this.time.next();
    for (const { lane, actions } of instants) {
      const own = this.#verifications.get(lane);
      useVerification(own ?? this.#shared);
      this.#barrier.isCrowd = own === undefined && lane === CROWD;
      if (lane === COORDINATOR) this.#sample();
      const work = async (): Promise<void> => {
        for (const action of actions) action();
        await this.#barrier.idle();
      };
      const meter = this.#meters.get(lane);
      if (meter !== undefined) collectGarbage();
      await (meter === undefined ? work() : meter.run(work));
      if (lane === COORDINATOR) this.#sample();
    }
    return instants.length > 0;
  }

  #sample(): void {
    this.holding.sample(this.network.trafficOf(this.#place).onTheWayBytes + (this.#summer?.heldBytes ?? 0));
  }

  /** Closes all tabs, and gives WebCrypto back. */
  async end(): Promise<void> {
    this.closeCoordinator(0);
    for (const person of this.people) person.close(0);
    await this.#barrier.idle();
    this.#barrier.uninstall();
    useVerification(ownVerification());
  }
}
