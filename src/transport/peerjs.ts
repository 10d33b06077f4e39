/** The Transport over WebRTC: data channels by PeerJS, through a signalling server of one's own. */
import { deferred, withTimeout } from '../core/async.ts';
import { toHex } from '../core/bytes.ts';
import type { HushError } from '../core/errors.ts';
import type { ChannelId } from '../core/ids.ts';
import type { Channel, Clock, Random, Reachability, Transport, Unsubscribe } from '../core/ports.ts';
import type { DataConnection } from 'peerjs';
import { FLUSH_MS, PeerChannel } from './peerChannel.ts';
import { Signalling } from './signalling.ts';
import type { SignalServer } from './signalling.ts';
import { TransportState, unreachable } from './transportState.ts';

/** From the first signal to an open channel. */
const CONNECT_TIMEOUT_MS = 20_000;

/** As PeerJS allows them, and short enough for a link. */
const ADDRESS = /^[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*$/;
const MAX_ADDRESS_LENGTH = 64;

export interface PeerTransportOptions extends SignalServer {
  /** Asked for again at every reconnect; without one, 32 random hexadecimal digits for this session. */
  readonly address?: string;
  readonly clock: Clock;
  readonly random: Random;
}

export function createPeerTransport(options: PeerTransportOptions): Transport {
  return new PeerTransport(options);
}

class PeerTransport implements Transport {
  readonly address: string;
  readonly #state = new TransportState();
  readonly #signalling: Signalling;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Calls in progress, by the address called: told when the server says that nobody is there. */
  readonly #calls = new Map<string, Set<() => void>>();
  readonly #stopListening: Unsubscribe;
  #opened = false;
  #impossible: HushError | undefined;

  constructor(options: PeerTransportOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.address = options.address ?? toHex(options.random.bytes(16));
    this.#signalling = new Signalling(
      options,
      this.address,
      {
        online: (online) => this.#state.setReachability(online ? 'online' : 'offline'),
        accepts: () => this.#accepts(),
        incoming: (connection) => this.#incoming(connection),
        unavailable: (address) => this.#calls.get(address)?.forEach((hangUp) => hangUp()),
        impossible: (reason) => {
          this.#impossible = unreachable(this.address, reason);
          this.close();
        },
      },
      options.clock,
      options.random,
    );
    this.#stopListening = this.#listenToPage();
  }

  get reachability(): Reachability {
    return this.#state.reachability;
  }

  /** Pends until the server has taken the address; rejects when `close` comes first or this browser cannot do it. */
  async open(): Promise<void> {
    if (this.reachability === 'online') return;
    const done = deferred<void>();
    const stop = this.#state.onReachability((state) => {
      if (state === 'online') done.resolve();
      if (state === 'closed') done.reject(this.#closedError(this.address));
    });
    if (this.reachability === 'closed') done.reject(this.#closedError(this.address));
    else if (!this.#opened) {
      this.#opened = true;
      this.#state.setReachability('connecting');
      this.#signalling.start();
    }
    await done.promise.finally(stop);
  }

  async connect(address: string): Promise<Channel> {
    if (address.length > MAX_ADDRESS_LENGTH || !ADDRESS.test(address)) throw unreachable(address, 'it is no address');
    if (address === this.address) throw unreachable(address, 'it is the address of this side');
    if (this.reachability === 'closed') throw this.#closedError(address);
    await withTimeout(this.open(), CONNECT_TIMEOUT_MS, 'Reaching the signalling server', this.#clock).catch(() => {
      throw this.#impossible ?? unreachable(address, 'the signalling server is not reached');
    });
    const connection = this.#signalling.connect(address);
    if (!connection) throw unreachable(address, 'the signalling server is not reached');
    const answer = deferred<Channel>();
    const fail = (why: string) => () => {
      answer.reject(unreachable(address, why));
      connection.close();
    };
    const nobody = fail('nobody answers');
    const calls = this.#calls.get(address) ?? new Set();
    this.#calls.set(address, calls.add(nobody));
    const cancel = this.#clock.after(CONNECT_TIMEOUT_MS, nobody);
    const stop = this.#state.onReachability((state) => state === 'closed' && fail('this side was closed')());
    connection.on('open', () => answer.resolve(this.#open(connection)));
    connection.on('close', fail('the connection was closed'));
    connection.on('error', fail('no direct way through the networks between was found'));
    try {
      return await answer.promise;
    } finally {
      cancel();
      stop();
      calls.delete(nobody);
      if (calls.size === 0) this.#calls.delete(address);
    }
  }

  onChannel(handler: (channel: Channel) => void): Unsubscribe {
    return this.#state.onChannel(handler);
  }

  onReachability(handler: (state: Reachability) => void): Unsubscribe {
    return this.#state.onReachability(handler);
  }

  close(): void {
    if (this.reachability === 'closed') return;
    this.#stopListening();
    for (const channel of this.#state.channels) channel.close();
    this.#signalling.close();
    this.#state.setReachability('closed');
    // Channels say goodbye and flush first.
    this.#clock.after(FLUSH_MS, () => this.#signalling.destroy());
  }

  #closedError(address: string): HushError {
    return this.#impossible ?? unreachable(address, 'this side was closed');
  }

  #accepts(): boolean {
    const release = this.#state.reserve();
    release?.();
    return release !== undefined && this.reachability !== 'closed';
  }

  #incoming(connection: DataConnection): void {
    const release = this.#state.reserve();
    if (!release) {
      connection.close();
      return;
    }
    const cancel = this.#clock.after(CONNECT_TIMEOUT_MS, () => {
      release();
      connection.close();
    });
    connection.on('error', release);
    connection.on('close', release);
    connection.once('open', () => {
      cancel();
      this.#state.offer(this.#open(connection));
    });
  }

  #open(connection: DataConnection): PeerChannel {
    const channel = new PeerChannel(toHex(this.#random.bytes(16)) as ChannelId, connection, this.#clock);
    this.#state.add(channel);
    return channel;
  }

  /** A page that is hidden for good says goodbye; `beforeunload` does not, since the person may still stay. */
  #listenToPage(): Unsubscribe {
    const leave = () => this.close();
    const hurry = () => this.#signalling.hurry();
    // A hidden tab's timers are slow, so a retry may be long overdue when the tab is looked at again (issue 704).
    globalThis.addEventListener('pagehide', leave);
    globalThis.addEventListener('online', hurry);
    document.addEventListener('visibilitychange', hurry);
    return () => {
      globalThis.removeEventListener('pagehide', leave);
      globalThis.removeEventListener('online', hurry);
      document.removeEventListener('visibilitychange', hurry);
    };
  }
}
