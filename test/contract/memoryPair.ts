/** Two open in-memory transports. */
import { MemoryNetwork } from '../../src/transport/memory.ts';
import type { TransportPair } from './transportContract.ts';

export async function memoryPair(): Promise<TransportPair> {
  const network = new MemoryNetwork();
  const [a, b] = [network.transport(), network.transport()];
  await Promise.all([a.open(), b.open()]);
  return {
    a,
    b,
    interrupt() {
      network.setReachable(a.address, false);
      network.setReachable(a.address, true);
    },
    close() {
      a.close();
      b.close();
    },
  };
}
