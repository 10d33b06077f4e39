/** The Trainer port on a worker of its own, so that the page's main thread stays free. */
import { transfer } from 'comlink';
import type { TrainingProgress } from '../core/engine.ts';
import type { Trainer } from '../core/localWork.ts';
import { shareWithin, WHOLE_SHARE } from '../core/share.ts';
import type { FromTrainer, ToTrainer, TrainerApi } from '../worker/trainerApi.ts';
import { WorkerHost } from './workerHost.ts';

/** After a crash the next `open` starts a new worker; a pause and a share outlive it. */
export function createTrainerHost(): Trainer {
  const progressHandlers = new Set<(progress: TrainingProgress) => void>();
  let port: MessagePort | undefined;
  let paused = false;
  let share = WHOLE_SHARE;
  const command = (word: ToTrainer): void => port?.postMessage(word);
  const host = new WorkerHost<TrainerApi>({
    what: 'training worker',
    spawn: () => new Worker(new URL('../worker/train.worker.ts', import.meta.url), { type: 'module', name: 'train' }),
    onReady: async (api) => {
      port?.close();
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener('message', ({ data }: MessageEvent<FromTrainer>) => {
        for (const handler of progressHandlers) handler(data);
      });
      port1.start();
      port = port1;
      if (paused) command('pause');
      if (share < WHOLE_SHARE) command({ share });
      await api.attach(transfer(port2, [port2]));
    },
  });
  return {
    open: async (task) => {
      host.start();
      return await host.call((api) => api.open(task));
    },
    chooseEngine: (wish = {}) => host.call((api) => api.chooseEngine(wish)),
    initialModel: async (plan) => {
      host.start();
      return await host.call((api) => api.initialModel(plan));
    },
    load: (parameters) => host.call((api) => api.load(parameters)),
    train: (order) => host.call((api) => api.train(order)),
    mask: (order) => host.call((api) => api.mask(order)),
    apply: (order) => host.call((api) => api.apply(order)),
    pause: () => {
      paused = true;
      command('pause');
    },
    resume: () => {
      paused = false;
      command('resume');
    },
    share: (percent) => {
      share = shareWithin(percent);
      command({ share });
    },
    stop: () => command('stop'),
    onProgress: (handler) => {
      progressHandlers.add(handler);
      return () => void progressHandlers.delete(handler);
    },
    onFailure: (handler) => host.onFailure(handler),
    close: () => {
      host.close();
      port?.close();
      progressHandlers.clear();
    },
  };
}
