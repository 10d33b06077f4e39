/** One address at a signalling server, held for as long as it is wanted: PeerJS itself never comes back (issue 224). */
import { Peer, ServerMessageType } from 'peerjs';
import type { DataConnection, PeerOptions } from 'peerjs';
import { backoffMs } from '../core/async.ts';
import { toHex } from '../core/bytes.ts';
import type { Clock, Random, Unsubscribe } from '../core/ports.ts';
import { readSignal } from './signal.ts';
import type { Signal } from './signal.ts';
import { SIGNAL_KEY } from './signalKey.ts';

/** An attempt that has brought no answer by then is given up, and the next one begins. */
const ATTEMPT_TIMEOUT_MS = 15_000;

export interface SignalServer {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Where the server is mounted: "/signal". */
  readonly path: string;
}

export interface SignallingEvents {
  /** Whether the server knows this address right now. */
  online(online: boolean): void;
  /** An offer came; false when it is to be ignored. */
  accepts(): boolean;
  incoming(connection: DataConnection): void;
  /** The server says that nobody is at `address`. */
  unavailable(address: string): void;
  /** This browser cannot do it at all, or the server will never have this address. */
  impossible(reason: string): void;
}

/** Nothing is left to PeerJS's defaults, which name public servers (util.ts, DEFAULT_CONFIG). */
export function peerOptions(server: SignalServer, token: string): PeerOptions {
  return {
    host: server.host,
    port: server.port,
    path: server.path,
    secure: server.secure,
    key: SIGNAL_KEY,
    token,
    config: { iceServers: [] },
    referrerPolicy: 'no-referrer',
  };
}

export class Signalling {
  readonly #server: SignalServer;
  readonly #address: string;
  readonly #events: SignallingEvents;
  readonly #clock: Clock;
  readonly #random: Random;
  /** The same at every attempt, so that the server lets this tab take its own address back. */
  readonly #token: string;
  #peer: Peer | undefined;
  #failures = 0;
  #retry: Unsubscribe | undefined;
  #giveUp: Unsubscribe = () => undefined;
  #closed = false;

  constructor(server: SignalServer, address: string, events: SignallingEvents, clock: Clock, random: Random) {
    this.#server = server;
    this.#address = address;
    this.#events = events;
    this.#clock = clock;
    this.#random = random;
    this.#token = toHex(random.bytes(16));
  }

  start(): void {
    this.#attempt();
  }

  /** Undefined while the server cannot be reached. */
  connect(address: string): DataConnection | undefined {
    if (!this.#peer?.open) return undefined;
    return this.#peer.connect(address, { reliable: true, serialization: 'raw' });
  }

  /** Tries again at once, if it is waiting to: the network came back, or the person did. */
  hurry(): void {
    if (!this.#retry) return;
    this.#retry();
    this.#retry = undefined;
    this.#attempt();
  }

  /** Leaves the server; connections live on until `destroy`. */
  close(): void {
    this.#closed = true;
    this.#retry?.();
    this.#giveUp();
    this.#peer?.disconnect();
  }

  destroy(): void {
    this.close();
    this.#peer?.destroy();
  }

  #attempt(): void {
    this.#retry = undefined;
    this.#giveUp = this.#clock.after(ATTEMPT_TIMEOUT_MS, () => this.#peer?.disconnect());
    // A destroyed Peer cannot reconnect; one that is only disconnected keeps its open connections by doing so.
    if (this.#peer && !this.#peer.destroyed) this.#peer.reconnect();
    else this.#peer = this.#newPeer();
  }

  #newPeer(): Peer {
    const peer = new Peer(this.#address, peerOptions(this.#server, this.#token));
    peer.on('open', () => {
      this.#giveUp();
      this.#failures = 0;
      this.#events.online(true);
    });
    peer.on('disconnected', () => this.#lost());
    peer.on('close', () => this.#lost());
    peer.on('connection', (connection) => this.#events.incoming(connection));
    peer.on('call', (call) => call.close());
    peer.on('error', (error) => {
      if (error.type === 'browser-incompatible') this.#stop('this browser has no WebRTC');
      if (error.type === 'invalid-id') this.#stop('the address has characters that no address has');
      if (error.type === 'invalid-key') this.#stop('the server there is not one of ours');
    });
    this.#guard(peer);
    return peer;
  }

  /** Puts `readSignal` between the socket and PeerJS. */
  #guard(peer: Peer): void {
    const listeners = peer.socket.listeners('message');
    peer.socket.removeAllListeners('message');
    peer.socket.on('message', (message: unknown) => {
      const signal = readSignal(message);
      if (!signal) return;
      try {
        this.#handle(peer, signal, (checked) => {
          for (const listener of listeners) listener(checked);
        });
      } catch {
        // PeerJS choked on what a stranger sent: as good as not sent. The dialler's attempt times out.
      }
    });
  }

  #handle(peer: Peer, signal: Signal, passOn: (message: unknown) => void): void {
    switch (signal.kind) {
      case 'server':
        passOn({ type: signal.type, payload: { msg: 'The signalling server refused.' } });
        return;
      case 'gone':
        // PeerJS would close open connections to that peer, which need no signalling any more.
        this.#events.unavailable(signal.from);
        return;
      case 'offer':
        if (peer.getConnection(signal.from, signal.connection) || !this.#events.accepts()) return;
        passOn({ type: 'OFFER', src: signal.from, payload: signal.payload });
        return;
      case 'answer':
      case 'candidate': {
        const connection = peer.getConnection(signal.from, signal.connection);
        if (!connection || !('reliable' in connection)) return;
        const type = signal.kind === 'answer' ? ServerMessageType.Answer : ServerMessageType.Candidate;
        // Handed over directly: PeerJS leaves the promise alone, and it rejects when the connection closes meanwhile.
        connection.handleMessage({ type, src: signal.from, payload: signal.payload }).catch(() => undefined);
      }
    }
  }

  #lost(): void {
    this.#giveUp();
    if (this.#closed || this.#retry) return;
    this.#events.online(false);
    const uniform = new DataView(this.#random.bytes(4).buffer).getUint32(0) / 2 ** 32;
    this.#retry = this.#clock.after(backoffMs(this.#failures++, uniform), () => this.#attempt());
  }

  #stop(reason: string): void {
    this.destroy();
    this.#events.impossible(reason);
  }
}
