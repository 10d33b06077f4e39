/** The network of a simulation: seeded delays, and faults that act on the frames of the wire and on whole channels. */
import { createHash } from 'node:crypto';
import type { Transport } from '../../src/core/ports.ts';
import { SimulatedTransport } from './transport.ts';
import type { Fate } from './faults.ts';
import { UNHARMED } from './faults.ts';
import type { Lane, VirtualTime } from './virtualTime.ts';

/** Who a transport belongs to; outlives its tabs. */
export interface Place {
  readonly lane: Lane;
  /** One way, to or from the coordinator. */
  readonly latencyMs: number;
}

export interface Traffic {
  sentBytes: number;
  receivedBytes: number;
  /** Given to a channel and not yet handed to this place. */
  onTheWayBytes: number;
}

export interface NetworkOptions {
  readonly time: VirtualTime;
  /** What becomes of the next frame that is sent; all arrive unless given. */
  readonly fate?: () => Fate;
  /** Called after each frame that was handed over. */
  readonly delivered?: (frames: number) => void;
  /** Keeps a digest of everything that is delivered. */
  readonly traced?: boolean;
  /** Told of every frame that is handed to one place. */
  readonly watched?: { readonly place: Place; frame(channel: string, frame: Uint8Array): void };
}

export class SimulatedNetwork {
  readonly time: VirtualTime;
  readonly #options: NetworkOptions;
  readonly #transports = new Map<string, SimulatedTransport>();
  readonly #traffic = new Map<Place, Traffic>();
  readonly #trace = createHash('sha256');
  #named = 0;
  #frames = 0;

  constructor(options: NetworkOptions) {
    this.time = options.time;
    this.#options = options;
  }

  transport(address: string, place: Place): SimulatedTransport & Transport {
    return new SimulatedTransport(this, address, place);
  }

  /** Application frames of a place, headers included. */
  trafficOf(place: Place): Traffic {
    const known = this.#traffic.get(place);
    if (known !== undefined) return known;
    const traffic = { sentBytes: 0, receivedBytes: 0, onTheWayBytes: 0 };
    this.#traffic.set(place, traffic);
    return traffic;
  }

  /** Frames handed over so far. */
  get frames(): number {
    return this.#frames;
  }

  /** Of all deliveries so far: instant, channel, content. The same for the same seed. */
  traceDigest(): string {
    return this.#trace.copy().digest('hex');
  }

  // --- for transports and channels ---

  find(address: string): SimulatedTransport | undefined {
    return this.#transports.get(address);
  }

  register(transport: SimulatedTransport): void {
    this.#transports.set(transport.address, transport);
  }

  unregister(transport: SimulatedTransport): void {
    if (this.#transports.get(transport.address) === transport) this.#transports.delete(transport.address);
  }

  fate(): Fate {
    return this.#options.fate?.() ?? UNHARMED;
  }

  name(): number {
    return this.#named++;
  }

  handedOver(place: Place, channel: string, frame: Uint8Array): void {
    this.#frames++;
    if (this.#options.watched?.place === place) this.#options.watched.frame(channel, frame);
    if (this.#options.traced) this.#trace.update(`${this.time.nowMs} ${channel} ${frame.length} `).update(frame);
    this.#options.delivered?.(this.#frames);
  }
}
