/** The Trainer port on a worker of its own, so that the page's main thread stays free. */
import { transfer } from 'comlink';
import type { DataReport, ReadProgress } from '../core/dataReport.ts';
import type { TrainingProgress } from '../core/engine.ts';
import type { DataOrder, DataReading, Trainer } from '../core/localWork.ts';
import { shareWithin, WHOLE_SHARE } from '../core/share.ts';
import type { SourceFile } from '../core/sourceFile.ts';
import type { ModelUse } from '../core/tryOut.ts';
import type { FromTrainer, ToTrainer, TrainerApi } from '../worker/trainerApi.ts';
import { WorkerHost } from './workerHost.ts';

/** After a crash the next `open` starts a new worker, which reads a person's files again; a pause and a share outlive it. */
export function createTrainerHost(): Trainer & DataReading & ModelUse {
  const progressHandlers = new Set<(progress: TrainingProgress) => void>();
  let port: MessagePort | undefined;
  let paused = false;
  let share = WHOLE_SHARE;
  /** What was read so far, and whether the worker that read it is there. */
  let given: readonly SourceFile[] = [];
  let read = false;
  let onRead: (progress: ReadProgress) => void = () => undefined;
  const command = (word: ToTrainer): void => port?.postMessage(word);
  const host = new WorkerHost<TrainerApi>({
    what: 'training worker',
    spawn: () => new Worker(new URL('../worker/train.worker.ts', import.meta.url), { type: 'module', name: 'train' }),
    onReady: async (api) => {
      port?.close();
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener('message', ({ data }: MessageEvent<FromTrainer>) => {
        if ('reading' in data) onRead(data.reading);
        else for (const handler of progressHandlers) handler(data.training);
      });
      port1.start();
      port = port1;
      if (paused) command('pause');
      if (share < WHOLE_SHARE) command({ share });
      await api.attach(transfer(port2, [port2]));
    },
  });
  host.onFailure(() => (read = false));
  const readData = async (order: DataOrder): Promise<DataReport> => {
    host.start();
    read = false;
    const report = await host.call((api) => api.readData(order));
    given = order.anew ? order.files : [...given, ...order.files];
    read = true;
    return report;
  };
  return {
    readData: (order, onProgress) => {
      onRead = onProgress;
      return readData(read || order.anew ? order : { ...order, files: [...given, ...order.files], anew: true });
    },
    stopReading: () => command('stop reading'),
    open: async (task) => {
      host.start();
      if (given.length > 0 && !read) await readData({ plan: task.plan, files: given, anew: true });
      return await host.call((api) => api.open(task));
    },
    chooseEngine: (wish = {}) => host.call((api) => api.chooseEngine(wish)),
    initialModel: async (plan) => {
      host.start();
      return await host.call((api) => api.initialModel(plan));
    },
    load: (parameters) => host.call((api) => api.load(parameters)),
    train: (order) => host.call((api) => api.train(order)),
    predict: (examples) => host.call((api) => api.predict(examples)),
    heldOut: (index) => host.call((api) => api.heldOut(index)),
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
