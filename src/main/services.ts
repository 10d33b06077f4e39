/** The browser's services, put together once for this page. */
import type { Clock, Locks, Random, Store, Transport } from '../core/ports.ts';
import { systemClock } from '../platform/clock.ts';
import { createLocks } from '../platform/locks.ts';
import { systemRandom } from '../platform/random.ts';
import { createStore } from '../platform/store.ts';
import { SIGNAL_PATH } from '../transport/signalKey.ts';

export interface Services {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly locks: Locks;
  /** At this page's own host; under `address` when one is asked for. Loads what it takes when the first is asked for. */
  readonly transport: (address?: string) => Promise<Transport>;
}

export function browserServices(): Services {
  const { hostname, port, protocol } = location;
  const secure = protocol === 'https:';
  return {
    clock: systemClock,
    random: systemRandom,
    store: createStore('hushgrad'),
    locks: createLocks(),
    transport: async (address) => {
      // PeerJS opens a connection to nobody as soon as it is loaded: not what a page should begin with.
      const { createPeerTransport } = await import('../transport/peerjs.ts');
      return createPeerTransport({
        host: hostname,
        port: port === '' ? (secure ? 443 : 80) : Number(port),
        secure,
        path: SIGNAL_PATH,
        clock: systemClock,
        random: systemRandom,
        ...(address === undefined ? {} : { address }),
      });
    },
  };
}
