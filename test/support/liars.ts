/**
 * A coordinator and a participant that can lie: the real runners, machines, keys and envelopes, with hooks on what they send
 * and on what they make of what they hear. Without a lie they are honest, and keep a journal.
 */
import type { ChannelId, ParticipantId, RoundNumber } from '../../src/core/ids.ts';
import { Coordinator } from '../../src/federation/coordinator.ts';
import type { CoordinatorEffect, CoordinatorEvent } from '../../src/federation/coordinatorState.ts';
import type { Body, Message, MessageType } from '../../src/federation/messages.ts';
import { Participant } from '../../src/federation/participant.ts';
import type { ParticipantEffect, ParticipantEvent } from '../../src/federation/participantState.ts';

/** One message with those it goes to, or the one that it came from. */
export interface Line<Type extends MessageType = MessageType> {
  readonly type: Type;
  readonly round: RoundNumber;
  readonly body: Body<Type>;
  readonly who: readonly ParticipantId[];
}

/** What goes out instead of a message, and to whom: nothing, once, twice, to others. */
export type CoordinatorLie = (message: Message, to: readonly ParticipantId[]) => readonly Outgoing[];
export type Outgoing = readonly [message: Message, to: readonly ParticipantId[]];

type ParticipantTask = Extract<ParticipantEffect, { readonly effect: 'task' }>;

class Journal {
  readonly said: Line[] = [];
  readonly heard: Line[] = [];

  saidOf<Type extends MessageType>(type: Type, round?: RoundNumber): readonly Line<Type>[] {
    return linesOf(this.said, type, round);
  }

  heardOf<Type extends MessageType>(type: Type, round?: RoundNumber): readonly Line<Type>[] {
    return linesOf(this.heard, type, round);
  }
}

function linesOf<Type extends MessageType>(
  lines: readonly Line[],
  type: Type,
  round?: RoundNumber,
): readonly Line<Type>[] {
  return lines.filter(
    (line): line is Line<Type> & Line => line.type === type && (round === undefined || line.round === round),
  );
}

export class LyingCoordinator extends Coordinator {
  readonly journal = new Journal();
  readonly #channels = new Map<ParticipantId, ChannelId>();
  /** The first one speaks first; the next one changes what it left. */
  lies: CoordinatorLie[] = [];
  /** What its own machine is told instead; undefined keeps it from it. */
  hears: (message: Message, from: ParticipantId) => Message | undefined = (message) => message;

  /** Sends a message of its own making, whatever its machine thinks of it. */
  say<Type extends MessageType>(type: Type, round: RoundNumber, body: Body<Type>, to: readonly ParticipantId[]): void {
    this.#send({ type, round, body } as Message, to);
  }

  /** Tells its machine something at a time of its own choosing, as if `from` had just said it. */
  pretend(message: Message, from: ParticipantId): void {
    const channel = this.#channels.get(from);
    if (channel !== undefined) super.take({ event: 'message', channel, message });
  }

  protected override take(event: CoordinatorEvent): void {
    if (event.event === 'greeted') this.#channels.set(event.id, event.channel);
    if (event.event !== 'message') return super.take(event);
    const [from] = [...this.#channels].find(([, channel]) => channel === event.channel) ?? [];
    if (from === undefined) return super.take(event);
    this.journal.heard.push({ ...event.message, who: [from] });
    const message = this.hears(event.message, from);
    if (message === undefined) return this.changed();
    super.take({ ...event, message });
  }

  protected override perform(effect: CoordinatorEffect): void {
    if (effect.effect !== 'send') return super.perform(effect);
    const ids = [...this.#channels].filter(([, channel]) => effect.to?.includes(channel)).map(([id]) => id);
    const told = this.lies.reduce<readonly Outgoing[]>(
      (outgoing, lie) => outgoing.flatMap(([message, to]) => lie(message, to)),
      [[effect.message, ids]],
    );
    for (const [message, to] of told) this.#send(message, to);
  }

  #send(message: Message, to: readonly ParticipantId[]): void {
    const channels = to.flatMap((id) => this.#channels.get(id) ?? []);
    if (channels.length === 0) return;
    this.journal.said.push({ ...message, who: to });
    super.perform({ effect: 'send', to: channels, message });
  }
}

export class LyingParticipant extends Participant {
  readonly journal = new Journal();
  lies: ((message: Message) => readonly Message[])[] = [];
  hears: (message: Message) => Message | undefined = (message) => message;
  /** Does its own work otherwise than it should. */
  works: (task: ParticipantTask) => ParticipantTask = (task) => task;

  say<Type extends MessageType>(type: Type, round: RoundNumber, body: Body<Type>): void {
    this.#send({ type, round, body } as Message);
  }

  protected override take(event: ParticipantEvent): void {
    if (event.event !== 'message') return super.take(event);
    this.journal.heard.push({ ...event.message, who: [] });
    const message = this.hears(event.message);
    if (message === undefined) return this.changed();
    super.take({ ...event, message });
  }

  protected override perform(effect: ParticipantEffect): void {
    if (effect.effect === 'task') return super.perform(this.works(effect));
    if (effect.effect !== 'send') return super.perform(effect);
    const told = this.lies.reduce<readonly Message[]>((messages, lie) => messages.flatMap(lie), [effect.message]);
    for (const message of told) this.#send(message);
  }

  #send(message: Message): void {
    this.journal.said.push({ ...message, who: [] });
    super.perform({ effect: 'send', message });
  }
}

/** Changes messages of one type for each receiver apart; undefined withholds it. */
export function telling<Type extends MessageType>(
  type: Type,
  change: (body: Body<Type>, to: ParticipantId, round: RoundNumber) => Body<Type> | undefined,
): CoordinatorLie {
  return (message, to) => {
    if (message.type !== type) return [[message, to]];
    return to.flatMap((id): Outgoing[] => {
      const body = change(message.body, id, message.round);
      return body === undefined ? [] : [[{ ...message, body } as Message, [id]]];
    });
  };
}

/** The same for a participant, which tells one coordinator. */
export function claiming<Type extends MessageType>(
  type: Type,
  change: (body: Body<Type>, round: RoundNumber) => Body<Type> | undefined,
): (message: Message) => readonly Message[] {
  return (message) => {
    if (message.type !== type) return [message];
    const body = change(message.body, message.round);
    return body === undefined ? [] : [{ ...message, body } as Message];
  };
}

/** Lies only as long as `when` holds of the message, as in one round. */
export function during(round: RoundNumber, lie: CoordinatorLie): CoordinatorLie {
  return (message, to) => (message.round === round ? lie(message, to) : [[message, to]]);
}
