/** Transports within one page or process: for trying a federation in one tab, for simulations and for tests. */
import { ownBytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { deferred } from '../core/async.ts';
import type { Deferred } from '../core/async.ts';
import type { ChannelId } from '../core/ids.ts';
import type { Channel, Clock, Reachability, Transport, Unsubscribe } from '../core/ports.ts';
import { ChannelState, checkFrame, ENDED, HIGH_WATER_BYTES } from './channelState.ts';
import { TransportState, unreachable } from './transportState.ts';

export interface MemoryNetworkOptions {
  /** Needed for a delay only. */
  readonly clock?: Clock;
  /** One way, the same for every frame of a batch; 0 delivers in a microtask. */
  readonly delayMs?: number;
}

/** Everyone who can reach one another. Its methods beside `transport` are faults, for tests. */
export class MemoryNetwork {
  readonly #transports = new Map<string, MemoryTransport>();
  readonly #options: MemoryNetworkOptions;
  #named = 0;

  constructor(options: MemoryNetworkOptions = {}) {
    this.#options = options;
  }

  /** A transport of this network, reachable at `address` (or an address of its own) once it is opened. */
  transport(address = this.#freeAddress()): Transport {
    return new MemoryTransport(this, address);
  }

  /** The channels of whoever is at `address` are lost at both ends, without a goodbye. */
  cut(address: string): void {
    for (const channel of this.#transports.get(address)?.channels() ?? []) channel.lose();
  }

  /** Takes `address` off the network and back, as a lost signalling server does: open channels live on. */
  setReachable(address: string, reachable: boolean): void {
    this.#transports.get(address)?.setReachable(reachable);
  }

  register(transport: MemoryTransport): void {
    if (this.#transports.has(transport.address)) throw unreachable(transport.address, 'the address is taken');
    this.#transports.set(transport.address, transport);
  }

  unregister(transport: MemoryTransport): void {
    if (this.#transports.get(transport.address) === transport) this.#transports.delete(transport.address);
  }

  find(address: string): MemoryTransport | undefined {
    return this.#transports.get(address);
  }

  /** Calls `action` when what is sent now arrives. */
  after(action: () => void): void {
    const { clock, delayMs = 0 } = this.#options;
    if (clock && delayMs > 0) clock.after(delayMs, action);
    else queueMicrotask(action);
  }

  name(): ChannelId {
    return (this.#named++).toString(16).padStart(8, '0') as ChannelId;
  }

  #freeAddress(): string {
    return (this.#named++).toString(16).padStart(32, '0');
  }
}

class MemoryTransport implements Transport {
  readonly address: string;
  readonly #network: MemoryNetwork;
  readonly #state = new TransportState();

  constructor(network: MemoryNetwork, address: string) {
    this.#network = network;
    this.address = address;
  }

  get reachability(): Reachability {
    return this.#state.reachability;
  }

  async open(): Promise<void> {
    if (this.reachability === 'closed') throw unreachable(this.address, 'this side is closed');
    if (this.#network.find(this.address) !== this) this.#network.register(this);
    this.#state.setReachability('online');
  }

  async connect(address: string): Promise<Channel> {
    const target = this.#network.find(address);
    if (this.reachability !== 'online') throw unreachable(address, 'this side is not online');
    if (!target || target === this || target.reachability !== 'online') throw unreachable(address, 'nobody answers');
    const release = target.#state.reserve();
    if (!release) throw unreachable(address, 'too many channels are open there');
    const here = new MemoryChannel(this.#network);
    const there = new MemoryChannel(this.#network);
    here.link(there);
    there.link(here);
    there.onClose(release);
    this.#state.add(here);
    target.#state.add(there);
    target.#state.offer(there);
    return here;
  }

  onChannel(handler: (channel: Channel) => void): Unsubscribe {
    return this.#state.onChannel(handler);
  }

  onReachability(handler: (state: Reachability) => void): Unsubscribe {
    return this.#state.onReachability(handler);
  }

  close(): void {
    for (const channel of this.channels()) channel.close();
    this.#network.unregister(this);
    this.#state.setReachability('closed');
  }

  setReachable(reachable: boolean): void {
    this.#state.setReachability(reachable ? 'online' : 'offline');
  }

  channels(): readonly MemoryChannel[] {
    return this.#state.channels.filter((channel) => channel instanceof MemoryChannel);
  }
}

class MemoryChannel implements Channel {
  readonly #network: MemoryNetwork;
  readonly #state: ChannelState;
  #other: MemoryChannel | undefined;
  #onTheWay: Bytes[] = [];
  #onTheWayBytes = 0;
  #closing = false;
  #scheduled = false;
  #waiting: Deferred<void>[] = [];

  constructor(network: MemoryNetwork) {
    this.#network = network;
    this.#state = new ChannelState(network.name());
  }

  get id(): ChannelId {
    return this.#state.id;
  }

  get isOpen(): boolean {
    return this.#state.isOpen;
  }

  link(other: MemoryChannel): void {
    this.#other = other;
  }

  async send(frame: Bytes): Promise<void> {
    checkFrame(frame);
    if (!this.isOpen) throw this.#state.closedError();
    // A copy, as on a real network: the sender may reuse its memory, the receiver may write into its own.
    this.#onTheWay.push(ownBytes(frame));
    this.#onTheWayBytes += frame.length;
    this.#schedule();
    if (this.#onTheWayBytes <= HIGH_WATER_BYTES) return;
    const room = deferred<void>();
    this.#waiting.push(room);
    await room.promise;
  }

  onFrame(handler: (frame: Bytes) => void): void {
    this.#state.onFrame(handler);
  }

  onClose(handler: (reason: string) => void): Unsubscribe {
    return this.#state.onClose(handler);
  }

  close(): void {
    this.#end(ENDED.here);
    this.#closing = true;
    this.#schedule();
  }

  lose(): void {
    this.#onTheWay = [];
    this.#end(ENDED.lost);
    this.#endOther(ENDED.lost);
  }

  #end(reason: string): void {
    if (!this.#state.end(reason)) return;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#state.closedError());
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#network.after(() => this.#deliver());
  }

  #deliver(): void {
    this.#scheduled = false;
    const batch = this.#onTheWay;
    this.#onTheWay = [];
    this.#onTheWayBytes = 0;
    for (const frame of batch) {
      if (!this.#other || this.#other.#take(frame)) continue;
      this.#endOther(ENDED.flood);
      this.#end(ENDED.there);
    }
    for (const waiting of this.#waiting.splice(0)) waiting.resolve();
    if (this.#closing) this.#endOther(ENDED.there);
  }

  #take(frame: Bytes): boolean {
    return !this.isOpen || this.#state.take(frame);
  }

  #endOther(reason: string): void {
    if (this.#other) this.#other.#end(reason);
  }
}
