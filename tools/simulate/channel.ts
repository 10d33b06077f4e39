/** One end of a simulated channel: frames arrive later, in order, once each; unless the network decides otherwise. */
import type { Bytes } from '../../src/core/bytes.ts';
import { deferred } from '../../src/core/async.ts';
import type { Deferred } from '../../src/core/async.ts';
import type { ChannelId } from '../../src/core/ids.ts';
import type { Channel, Unsubscribe } from '../../src/core/ports.ts';
import { ChannelState, checkFrame, ENDED } from '../../src/transport/channelState.ts';
import type { Place, SimulatedNetwork } from './network.ts';

/** A sender waits while more than this is on the way, so that the simulation need not hold it all. */
export const WINDOW_BYTES = 512 * 1024;

export class SimulatedChannel implements Channel {
  readonly #network: SimulatedNetwork;
  readonly #state: ChannelState;
  readonly #own: Place;
  readonly #peer: Place;
  #other: SimulatedChannel | undefined;
  /** When the last frame in order arrives over there. */
  #lastArrivalMs = 0;
  #onTheWayBytes = 0;
  #waiting: Deferred<void>[] = [];
  /** What is on the way to this end is lost. */
  #deaf = false;

  private constructor(network: SimulatedNetwork, own: Place, peer: Place) {
    this.#network = network;
    this.#state = new ChannelState(network.name().toString(16).padStart(8, '0') as ChannelId);
    this.#own = own;
    this.#peer = peer;
  }

  static pair(network: SimulatedNetwork, a: Place, b: Place): [SimulatedChannel, SimulatedChannel] {
    const here = new SimulatedChannel(network, a, b);
    const there = new SimulatedChannel(network, b, a);
    here.#other = there;
    there.#other = here;
    return [here, there];
  }

  get id(): ChannelId {
    return this.#state.id;
  }

  get isOpen(): boolean {
    return this.#state.isOpen;
  }

  get #latencyMs(): number {
    return Math.max(this.#own.latencyMs, this.#peer.latencyMs);
  }

  async send(frame: Bytes): Promise<void> {
    checkFrame(frame);
    if (!this.isOpen) throw this.#state.closedError();
    const { time } = this.#network;
    this.#network.trafficOf(this.#own).sentBytes += frame.length;
    const { extraMs, overtaken } = this.#network.fate();
    for (const extra of extraMs) {
      const soonestMs = time.nowMs + this.#latencyMs + extra;
      const arrivalMs = overtaken ? soonestMs : Math.max(soonestMs, this.#lastArrivalMs);
      if (!overtaken) this.#lastArrivalMs = arrivalMs;
      this.#onTheWayBytes += frame.length;
      this.#network.trafficOf(this.#peer).onTheWayBytes += frame.length;
      time.after(this.#peer.lane, arrivalMs - time.nowMs, () => this.#arrive(frame));
    }
    while (this.#onTheWayBytes > WINDOW_BYTES && this.isOpen) {
      const room = deferred<void>();
      this.#waiting.push(room);
      await room.promise;
    }
    if (!this.isOpen) throw this.#state.closedError();
  }

  onFrame(handler: (frame: Bytes) => void): void {
    this.#state.onFrame(handler);
  }

  onClose(handler: (reason: string) => void): Unsubscribe {
    return this.#state.onClose(handler);
  }

  close(): void {
    if (!this.isOpen) return;
    this.#end(ENDED.here);
    const { time } = this.#network;
    const afterMs = Math.max(this.#latencyMs, this.#lastArrivalMs - time.nowMs);
    const other = this.#other;
    time.after(this.#peer.lane, afterMs, () => {
      if (other !== undefined) other.#end(ENDED.there);
    });
  }

  /** This end is gone at once with all that is on the way; the other one notices after `silentMs`. */
  lose(silentMs: number): void {
    const other = this.#other;
    this.#deaf = true;
    this.#end(ENDED.lost);
    if (other === undefined) return;
    other.#deaf = true;
    this.#network.time.after(this.#peer.lane, silentMs, () => other.#end(silentMs > 0 ? ENDED.silent : ENDED.lost));
  }

  #arrive(frame: Bytes): void {
    const { time } = this.#network;
    const other = this.#other;
    this.#onTheWayBytes -= frame.length;
    const traffic = this.#network.trafficOf(this.#peer);
    traffic.onTheWayBytes -= frame.length;
    if (this.#waiting.length > 0) time.after(this.#own.lane, 0, () => this.#makeRoom());
    if (other === undefined || !other.isOpen || other.#deaf) return;
    traffic.receivedBytes += frame.length;
    if (!other.#state.take(frame)) return this.lose(0);
    this.#network.handedOver(this.#peer, other.id, frame);
  }

  #makeRoom(): void {
    for (const waiting of this.#waiting.splice(0)) waiting.resolve();
  }

  #end(reason: string): void {
    if (this.#state.end(reason)) this.#makeRoom();
  }
}
