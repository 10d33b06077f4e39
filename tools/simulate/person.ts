/** A simulated person: an identity, a browser, and at the most one tab open in it. */
import type { Identity } from '../../src/crypto/identity.ts';
import type { Invite } from '../../src/federation/invite.ts';
import type { Participant } from '../../src/federation/participant.ts';
import type { SimulatedNetwork, Place } from './network.ts';
import { identityOf, seededPort, seedFor } from './seeds.ts';
import { soleLocks, TabStorage } from './tabStorage.ts';
import { SimulatedTrainer } from './trainer.ts';
import type { TrainerHooks } from './trainer.ts';
import type { SimulatedTransport } from './transport.ts';

export interface PersonOptions {
  readonly index: number;
  readonly seed: number;
  readonly place: Place;
  readonly network: SimulatedNetwork;
  readonly trainer: TrainerHooks;
  /** The class of its tab; a test may give one that lies. */
  readonly participant: Pick<typeof Participant, 'start'>;
}

export class Person {
  readonly index: number;
  readonly place: Place;
  readonly identity: Identity;
  readonly #options: PersonOptions;
  readonly #storage = new TabStorage();
  #tab: Participant | undefined;
  #transport: SimulatedTransport | undefined;
  #tabs = 0;

  private constructor(options: PersonOptions, identity: Identity) {
    this.#options = options;
    this.index = options.index;
    this.place = options.place;
    this.identity = identity;
  }

  static async create(options: PersonOptions): Promise<Person> {
    return new Person(options, await identityOf(seedFor(options.seed, 'person', options.index)));
  }

  /** Undefined while no tab is open. */
  get tab(): Participant | undefined {
    return this.#tab;
  }

  /** Tabs opened so far. */
  get tabs(): number {
    return this.#tabs;
  }

  async open(invite: Invite): Promise<void> {
    if (this.#transport !== undefined) return;
    const { seed, network, trainer, participant } = this.#options;
    const tab = this.#tabs++;
    const transport = network.transport(`person ${this.index} tab ${tab}`, this.place);
    this.#transport = transport;
    const opened = await participant.start({
      invite,
      identity: this.identity,
      trainer: new SimulatedTrainer(trainer, this.index),
      store: this.#storage,
      locks: soleLocks(),
      random: seededPort(seedFor(seed, 'random', this.index, tab)),
      clock: network.time.clock(this.place.lane),
      transport,
    });
    // It was closed before it was open.
    if (this.#transport === transport) this.#tab = opened;
    else opened.close();
  }

  /** Without a word to anyone; the coordinator notices after `silentMs`. */
  close(silentMs: number): void {
    this.#transport?.vanish(silentMs);
    this.#tab?.close();
    this.#transport = undefined;
    this.#tab = undefined;
  }

  /** The channels of its tab are lost, the tab stays. */
  cut(silentMs: number): void {
    for (const channel of this.#transport?.channels() ?? []) channel.lose(silentMs);
  }
}
