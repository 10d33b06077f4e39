/** A room with a coordinator and participants that can lie, and what tests of attacks ask of it. */
import type { Bytes } from '../../src/core/bytes.ts';
import type { ParticipantId, RoundNumber } from '../../src/core/ids.ts';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import { parsePlan } from '../../src/core/plan.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { Channel, Clock, Random } from '../../src/core/ports.ts';
import type { RunView } from '../../src/core/runView.ts';
import type { Body, MessageType } from '../../src/federation/messages.ts';
import { ringBits, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import { unpackWords } from '../../src/update/pack.ts';
import { seededPort } from '../reference/seededPort.ts';
import { LyingCoordinator, LyingParticipant } from './liars.ts';
import { Room, until } from './room.ts';
import type { Guest } from './room.ts';

/** Randomness that remembers what it gave, as a person who lies knows its own secrets. */
export class Notebook implements Random {
  readonly drawn: Bytes[] = [];
  /** The arrays that were handed out, which their user may overwrite. */
  readonly given: Bytes[] = [];
  readonly #port: Random;

  constructor(seed: number) {
    this.#port = seededPort(seed);
  }

  bytes(length: number): Bytes {
    const bytes = this.#port.bytes(length);
    this.drawn.push(bytes.slice());
    this.given.push(bytes);
    return bytes;
  }
}

export interface Actor extends Guest {
  readonly id: ParticipantId;
  readonly participant: LyingParticipant;
  readonly random: Notebook;
}

interface Told {
  readonly log: readonly { readonly text: string }[];
  view(): RunView;
}

export class Stage {
  readonly room: Room;
  /** By id, as they stand in a roster. */
  readonly actors: Actor[] = [];
  readonly plan: Plan;

  private constructor(room: Room) {
    this.room = room;
    this.plan = parsePlan(room.deed.planBytes).plan;
  }

  /** Opens a federation; nobody is called before the plan's target is there. */
  static async open(plan: object, clock?: Clock): Promise<Stage> {
    const cast = { coordinator: LyingCoordinator, participant: LyingParticipant };
    return new Stage(await Room.found(plan, clock, cast));
  }

  get coordinator(): LyingCoordinator {
    return this.room.coordinator as LyingCoordinator;
  }

  async join(change: Parameters<Room['join']>[1] = {}): Promise<Actor> {
    const random = new Notebook(500 + this.actors.length);
    const guest = await this.room.join('actor', { random, ...change });
    const actor = { ...guest, id: guest.identity.id, participant: guest.participant as LyingParticipant, random };
    this.actors.push(actor);
    this.actors.sort((a, b) => (a.id < b.id ? -1 : 1));
    return actor;
  }

  /** `prepare` is given each as it comes, before it has said a word. */
  async joinAll(people: number, prepare: (actor: Actor, i: number) => void = () => undefined): Promise<void> {
    for (let i = 0; i < people; i++) prepare(await this.join(), i);
  }

  /** Wire ends: what is sent into one comes out at the other side as if this actor, or the coordinator to it, had sent it. */
  wires(): { readonly up: readonly Channel[]; readonly down: readonly Channel[] } {
    const { network, guests, deed } = this.room;
    const ends = (address: string): readonly Channel[] => network.find(address)?.channels() ?? [];
    return { up: guests.flatMap(({ name }, i) => ends(`${name} ${i}`)), down: ends(deed.address) };
  }

  /** Until everyone has met the coordinator: what comes before is a reason to doubt who it is. */
  async greeted(): Promise<void> {
    for (const { participant } of this.actors) await until(participant, () => participant.state.welcome !== undefined);
  }

  /** Until the coordinator has written down `records` rounds, completed or abandoned. */
  recorded(records: number): Promise<void> {
    return until(this.coordinator, () => this.coordinator.records.length >= records);
  }

  finished(): Promise<void> {
    return until(this.coordinator, () => this.coordinator.view().phase === 'finished');
  }

  /**
   * Until everyone of `who` has refused `round`; gives the codes. Fails as soon as it is clear that somebody did not: it
   * said what comes `after` it, or a later round trains, which begins once this one is recorded.
   */
  async refusals(
    round: RoundNumber,
    who: readonly Actor[] = this.actors,
    after: MessageType = 'confirm',
  ): Promise<readonly string[]> {
    for (const { id, participant } of who) {
      const { journal } = participant;
      const refused = () => journal.saidOf('refuse', round).length > 0;
      const later = () => journal.heardOf('begin').some((line) => line.round > round);
      await until(participant, () => refused() || later() || journal.saidOf(after, round).length > 0);
      if (!refused()) throw new Error(`${id} does not refuse round ${round}`);
    }
    return who.map(({ participant }) => participant.journal.saidOf('refuse', round)[0]!.body.code);
  }

  /** The same when the round is long over, and others have begun. */
  async refusedLate(round: RoundNumber, who: readonly Actor[]): Promise<readonly Body<'refuse'>[]> {
    const found = ({ participant }: Actor) => participant.journal.saidOf('refuse', round)[0];
    for (const actor of who) await until(actor.participant, () => found(actor) !== undefined);
    return who.map((actor) => found(actor)!.body);
  }

  /** Shares to unmask that left anyone's tab. */
  unmaskings(round?: RoundNumber): number {
    return this.actors.reduce((sum, { participant }) => sum + participant.journal.saidOf('unmask', round).length, 0);
  }

  /** The unmasked sum of a training round, and the sum of what `survivors` quantised. */
  sums(
    round: RoundNumber,
    survivors: readonly Actor[] = this.actors,
  ): { unmasked: Uint32Array; expected: Uint32Array } {
    const spec = trainingSumSpec(this.plan, parameterLayout(this.plan.model).length);
    const expected = new Uint32Array(wordCount(spec));
    for (const { trainer } of survivors) {
      trainer.vectors.get(round)!.forEach((word, i) => {
        expected[i] = expected[i]! + word;
      });
    }
    const members = this.coordinator.journal.saidOf('roster', round)[0]!.body.adverts.length;
    const packed = this.room.summer.sums.get(round)!;
    return { unmasked: unpackWords(packed, expected.length, ringBits(spec, members)), expected };
  }

  close(): void {
    this.room.close();
  }
}

/** How often a refusal was counted, as every screen shows it. */
export function counted(told: Told, reason: string): number {
  return told.view().refusals.find((refusal) => refusal.reason === reason)?.count ?? 0;
}

/** Whether a line of the log, which every screen shows, names all of `words`. */
export function logged(told: Told, ...words: readonly string[]): boolean {
  return told.log.some(({ text }) => words.every((word) => text.includes(word)));
}
