/** Stock tfjs behind the engine's interface, to be measured beside ours. Loaded only when it is asked for. */
import { enableProdMode } from '@tensorflow/tfjs-core';
import type { EngineName, EngineSession, TrainingEngine } from '../../core/engine.ts';
import type { Network } from '../../core/network.ts';
import { unavailable } from '../availability.ts';
import type { Patience } from '../availability.ts';
import { closeBackend } from '../tfjs/backend.ts';
import { openStockBackend, STOCK_BACKENDS } from './stockBackend.ts';
import { StockSession } from './stockSession.ts';

enableProdMode();

/** Goes by the name of its backend. @throws HushError `engine/unavailable`, saying why. */
export async function openStockEngine(name: EngineName, patience: Patience = 'patient'): Promise<TrainingEngine> {
  const known = STOCK_BACKENDS.find((backend) => backend === name);
  if (known === undefined) throw unavailable(name, 'it is no backend of tfjs');
  const backend = await openStockBackend(known, patience);
  const sessions = new Set<StockSession>();
  return {
    name,
    adapter: `${backend.adapter}, stock tfjs`,
    open(network: Network): Promise<EngineSession> {
      const session = new StockSession(network, backend);
      sessions.add(session);
      return Promise.resolve(session);
    },
    close() {
      for (const session of sessions) session.close();
      closeBackend(backend);
    },
  };
}
