/** A coordinator and participants in one process, over the in-memory transport: everything real but the training. */
import { utf8 } from '../../src/core/bytes.ts';
import { deferred } from '../../src/core/async.ts';
import type { HashedModel } from '../../src/core/localWork.ts';
import type { Clock, Random } from '../../src/core/ports.ts';
import { createIdentity } from '../../src/crypto/identity.ts';
import type { Identity } from '../../src/crypto/identity.ts';
import { Coordinator } from '../../src/federation/coordinator.ts';
import { CoordinatorStore } from '../../src/federation/coordinatorStore.ts';
import type { FederationDeed } from '../../src/federation/coordinatorStore.ts';
import { foundFederation } from '../../src/federation/founding.ts';
import type { Invite } from '../../src/federation/invite.ts';
import { Participant } from '../../src/federation/participant.ts';
import { createLocks } from '../../src/platform/locks.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { MemoryNetwork } from '../../src/transport/memory.ts';
import { seededPort } from '../reference/seededPort.ts';
import { MemoryStore } from './memoryStore.ts';
import { PlainSummer } from './plainSummer.ts';
import { PlainTrainer } from './plainTrainer.ts';

export interface Guest {
  readonly name: string;
  readonly identity: Identity;
  readonly trainer: PlainTrainer;
  readonly store: MemoryStore;
  readonly participant: Participant;
  readonly random: Random;
}

/** Who plays the two roles: tests of attacks put liars in. */
export interface Cast {
  readonly coordinator: Pick<typeof Coordinator, 'open'>;
  readonly participant: Pick<typeof Participant, 'start'>;
}

const HONEST: Cast = { coordinator: Coordinator, participant: Participant };

export class Room {
  readonly network = new MemoryNetwork();
  readonly store = new MemoryStore();
  readonly clock: Clock;
  readonly deed: FederationDeed;
  coordinator!: Coordinator;
  summer = new PlainSummer();
  readonly guests: Guest[] = [];
  readonly #cast: Cast;

  private constructor(deed: FederationDeed, clock: Clock, cast: Cast) {
    this.deed = deed;
    this.clock = clock;
    this.#cast = cast;
  }

  /** `start`: the model that the plan begins with, if it names one. */
  static async found(
    plan: object,
    clock: Clock = systemClock,
    cast: Cast = HONEST,
    start?: HashedModel,
  ): Promise<Room> {
    const deed = await foundFederation(utf8(JSON.stringify(plan)), seededPort(99), clock);
    const room = new Room(deed, clock, cast);
    await new CoordinatorStore(room.store, deed.federation).found(deed, start);
    await room.openCoordinator();
    return room;
  }

  async openCoordinator(): Promise<void> {
    this.summer = new PlainSummer();
    this.coordinator = await this.#cast.coordinator.open({
      deed: this.deed,
      transport: this.network.transport(this.deed.address),
      summer: this.summer,
      store: this.store,
      clock: this.clock,
      random: seededPort(98),
    });
  }

  async join(
    name: string,
    change: {
      invite?: Partial<Invite>;
      identity?: Identity;
      named?: Identity;
      store?: MemoryStore;
      random?: Random;
    } = {},
  ): Promise<Guest> {
    const identity = change.identity ?? (await createIdentity());
    const store = change.store ?? new MemoryStore();
    const random = change.random ?? seededPort(1000 + this.guests.length);
    const trainer = new PlainTrainer(random, 50 + 10 * this.guests.length);
    const participant = await this.#cast.participant.start({
      invite: { ...this.coordinator.invite, ...change.invite },
      identity,
      named: change.named,
      trainer,
      store,
      locks: createLocks(),
      random,
      clock: this.clock,
      transport: this.network.transport(`${name} ${this.guests.length}`),
    });
    const guest = { name, identity, trainer, store, participant, random };
    this.guests.push(guest);
    return guest;
  }

  close(): void {
    for (const { participant } of this.guests) participant.close();
    this.coordinator.close();
  }
}

interface Watched {
  onChange(handler: () => void): () => void;
}

/** Resolves when `condition` holds; it is looked at after every change. */
export async function until(watched: Watched, condition: () => boolean): Promise<void> {
  if (condition()) return;
  const met = deferred<void>();
  const stop = watched.onChange(() => {
    if (condition()) met.resolve();
  });
  await met.promise;
  stop();
}
