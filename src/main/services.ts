/** The browser's services, put together once for this page. */
import type { Clock, Locks, Random, Store, Transport } from '../core/ports.ts';
import { systemClock } from '../platform/clock.ts';
import { createLocks } from '../platform/locks.ts';
import { systemRandom } from '../platform/random.ts';
import { createStore } from '../platform/store.ts';
import { createPeerTransport } from '../transport/peerjs.ts';
import { SIGNAL_PATH } from '../transport/signalKey.ts';

export interface Services {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly locks: Locks;
  /** At this page's own host; under `address` when one is asked for. */
  readonly transport: (address?: string) => Transport;
}

export function browserServices(): Services {
  const { hostname, port, protocol } = location;
  const secure = protocol === 'https:';
  return {
    clock: systemClock,
    random: systemRandom,
    store: createStore('hushgrad'),
    locks: createLocks(),
    transport: (address) =>
      createPeerTransport({
        host: hostname,
        port: port === '' ? (secure ? 443 : 80) : Number(port),
        secure,
        path: SIGNAL_PATH,
        clock: systemClock,
        random: systemRandom,
        ...(address === undefined ? {} : { address }),
      }),
  };
}
