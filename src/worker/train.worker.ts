/** Entry of the training worker: joins comlink to the service, and hands big arrays over instead of copying them. */
import { expose, transfer } from 'comlink';
import { SerialQueue } from '../core/async.ts';
import { HushError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { HashedModel } from '../core/localWork.ts';
import type { Plan } from '../core/plan.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { browserImages } from '../data/browserImages.ts';
import { initialModel } from '../update/initialise.ts';
import { modelHashOf } from '../update/modelHash.ts';
import { crashOnUnhandled } from './crash.ts';
import { outcomeOf, READY } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { PrivateDataService } from './privateDataService.ts';
import type { FromTrainer, ToTrainer, TrainerApi } from './trainerApi.ts';
import { TrainService } from './trainService.ts';
import { webRandom } from './webRandom.ts';

crashOnUnhandled();

let port: MessagePort | undefined;
const tell = (told: FromTrainer): void => port?.postMessage(told);
const ownData = new PrivateDataService(browserImages, (reading) => tell({ reading }));
const service = new TrainService({
  random: webRandom,
  fetchFile: (path) => fetch(path, { credentials: 'same-origin' }),
  ownData,
  report: (training) => tell({ training }),
});
const queue = new SerialQueue();
const answer = <T>(work: () => Promise<T> | T, code: ErrorCode): Promise<Outcome<T>> =>
  queue.run(() => outcomeOf(work, code));

function training(): never {
  throw new HushError('worker/training', 'This tab trains for the round just now.', {
    advice: 'Ask again when it has sent its update.',
  });
}

function hashedInitialModel(plan: Plan): HashedModel {
  const parameters = initialModel(plan);
  return { parameters, hash: modelHashOf(parameters) };
}

const api: TrainerApi = {
  attach: (given) => {
    given.addEventListener('message', ({ data }: MessageEvent<ToTrainer>) => {
      if (data === 'stop reading') ownData.stop();
      else service.control.command(data);
    });
    given.start();
    port = given;
  },
  readData: (order) => answer(() => ownData.read(order), 'data/failed'),
  open: (task) => answer(() => service.open(task), 'data/failed'),
  chooseEngine: (wish) => answer(() => service.chooseEngine(wish), 'engine/failed'),
  // Not in the queue: the ledger is verified while the engine is still being chosen.
  initialModel: (plan) => outcomeOf(() => hashedInitialModel(plan), 'worker/failed'),
  load: (parameters) => answer(() => service.load(parameters), 'worker/failed'),
  train: (order) => answer(() => service.train(order), 'engine/failed'),
  // Not kept waiting for minutes: whoever asks is told at once.
  predict: (examples) =>
    service.control.running
      ? outcomeOf(training, 'worker/training')
      : answer(() => service.predict(examples), 'engine/failed'),
  heldOut: (index) => outcomeOf(() => service.heldOut(index), 'data/failed'),
  mask: async (order) => {
    const outcome = await answer(() => service.mask(order), 'update/failed');
    return outcome.ok ? transfer(outcome, [outcome.value.masked.buffer]) : outcome;
  },
  apply: async (order) => {
    const outcome = await answer(() => service.apply(order), 'sum/failed');
    if (!outcome.ok) return outcome;
    // The model itself stays here, so a copy goes.
    const parameters = outcome.value.parameters.slice() as ModelParameters;
    return transfer({ ok: true, value: { ...outcome.value, parameters } }, [parameters.buffer]);
  },
};

expose(api);
postMessage(READY);
