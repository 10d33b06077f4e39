/** What every transport keeps: whether it can be reached, its channels, and who wants to hear of them. */
import { HushError } from '../core/errors.ts';
import type { Channel, Reachability, Unsubscribe } from '../core/ports.ts';

/** Channels that others may hold open to one transport at a time, those still opening included. */
export const MAX_INCOMING_CHANNELS = 300;

export function unreachable(address: string, why: string): HushError {
  return new HushError('transport/unreachable', `Nobody was reached at "${address.slice(0, 80)}": ${why}.`, {
    advice: 'Check that the link is complete and that the other side is open, then try again.',
  });
}

export class TransportState {
  #reachability: Reachability = 'offline';
  readonly #channels = new Set<Channel>();
  #incoming = 0;
  #unclaimed: Channel[] = [];
  readonly #channelHandlers = new Set<(channel: Channel) => void>();
  readonly #reachabilityHandlers = new Set<(state: Reachability) => void>();

  get reachability(): Reachability {
    return this.#reachability;
  }

  get channels(): readonly Channel[] {
    return [...this.#channels];
  }

  /** `closed` is the last word. */
  setReachability(state: Reachability): void {
    if (state === this.#reachability || this.#reachability === 'closed') return;
    this.#reachability = state;
    for (const handler of this.#reachabilityHandlers) handler(state);
  }

  /** Counts one more incoming channel; the result counts it off, undefined says that there are too many. */
  reserve(): Unsubscribe | undefined {
    if (this.#incoming >= MAX_INCOMING_CHANNELS) return undefined;
    this.#incoming++;
    let held = true;
    return () => {
      if (held) this.#incoming--;
      held = false;
    };
  }

  add(channel: Channel): void {
    this.#channels.add(channel);
    channel.onClose(() => this.#channels.delete(channel));
  }

  /** Hands on a channel that someone opened to this transport, or keeps it until somebody listens. */
  offer(channel: Channel): void {
    if (this.#channelHandlers.size === 0) this.#unclaimed.push(channel);
    for (const handler of this.#channelHandlers) handler(channel);
  }

  onChannel(handler: (channel: Channel) => void): Unsubscribe {
    this.#channelHandlers.add(handler);
    const waiting = this.#unclaimed;
    this.#unclaimed = [];
    for (const channel of waiting) queueMicrotask(() => handler(channel));
    return () => this.#channelHandlers.delete(handler);
  }

  onReachability(handler: (state: Reachability) => void): Unsubscribe {
    this.#reachabilityHandlers.add(handler);
    return () => this.#reachabilityHandlers.delete(handler);
  }
}
