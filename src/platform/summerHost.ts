/** The Summer port on a worker of its own, so that adding up does not freeze the coordinator's page. */
import type { Summer } from '../core/localWork.ts';
import type { SummerApi } from '../worker/summerApi.ts';
import { WorkerHost } from './workerHost.ts';

/** After a crash the next `open` starts a new worker. */
export function createSummerHost(): Summer {
  const host = new WorkerHost<SummerApi>({
    what: 'summing worker',
    spawn: () => new Worker(new URL('../worker/mask.worker.ts', import.meta.url), { type: 'module', name: 'sum' }),
  });
  return {
    open: async (task) => {
      host.start();
      return await host.call((api) => api.open(task));
    },
    load: (parameters) => host.call((api) => api.load(parameters)),
    initialModel: () => host.call((api) => api.initialModel()),
    begin: (order) => host.call((api) => api.begin(order)),
    add: (round, group, masked) => host.call((api) => api.add(round, group, masked)),
    unmask: (round, group, survivors, seeds) => host.call((api) => api.unmask(round, group, survivors, seeds)),
    finish: (round, members, survivors) => host.call((api) => api.finish(round, members, survivors)),
    onFailure: (handler) => host.onFailure(handler),
    close: () => host.close(),
  };
}
