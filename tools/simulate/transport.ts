/** One tab's way into the simulated network. */
import type { Channel, Reachability, Transport, Unsubscribe } from '../../src/core/ports.ts';
import { deferred } from '../../src/core/async.ts';
import { TransportState, unreachable } from '../../src/transport/transportState.ts';
import { SimulatedChannel } from './channel.ts';
import type { Place, SimulatedNetwork } from './network.ts';

export class SimulatedTransport implements Transport {
  readonly address: string;
  readonly place: Place;
  readonly #network: SimulatedNetwork;
  readonly #state = new TransportState();

  constructor(network: SimulatedNetwork, address: string, place: Place) {
    this.#network = network;
    this.address = address;
    this.place = place;
  }

  get reachability(): Reachability {
    return this.#state.reachability;
  }

  async open(): Promise<void> {
    if (this.reachability === 'closed') throw unreachable(this.address, 'this side is closed');
    const taken = this.#network.find(this.address);
    if (taken !== undefined && taken !== this) throw unreachable(this.address, 'the address is taken');
    this.#network.register(this);
    this.#state.setReachability('online');
  }

  /** There and back again takes its time, and either side may be gone by then. */
  async connect(address: string): Promise<Channel> {
    const { time } = this.#network;
    const { latencyMs } = this.place;
    const answer = deferred<SimulatedChannel>();
    const ask = (): void => {
      const target = this.#network.find(address);
      const here = target && this.#offer(target);
      time.after(this.place.lane, latencyMs, () => {
        if (here === undefined) return answer.reject(unreachable(address, 'nobody answers'));
        if (this.reachability !== 'online') {
          here.lose(0);
          return answer.reject(unreachable(address, 'this side is not online'));
        }
        answer.resolve(here);
      });
    };
    time.after(this.#network.find(address)?.place.lane ?? this.place.lane, latencyMs, ask);
    return answer.promise;
  }

  #offer(target: SimulatedTransport): SimulatedChannel {
    const [here, there] = SimulatedChannel.pair(this.#network, this.place, target.place);
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
    this.#end();
  }

  /** As when the tab is killed: nothing more is sent, and the others learn of it `silentMs` later. */
  vanish(silentMs: number): void {
    for (const channel of this.channels()) channel.lose(silentMs);
    this.#end();
  }

  #end(): void {
    this.#network.unregister(this);
    this.#state.setReachability('closed');
  }

  channels(): readonly SimulatedChannel[] {
    return this.#state.channels.filter((channel) => channel instanceof SimulatedChannel);
  }
}
