/** Entry of the coordinator's summing worker. No training library is loaded to sum. */
import { expose, transfer } from 'comlink';
import type { ModelParameters } from '../core/updateStages.ts';
import { crashOnUnhandled } from './crash.ts';
import { outcomeOf, READY } from './outcome.ts';
import { startHelper } from './helperWorker.ts';
import { Spreading } from './spreading.ts';
import { SumService } from './sumService.ts';
import type { SummerApi } from './summerApi.ts';

crashOnUnhandled();

const service = new SumService();
const spreading = new Spreading(startHelper, navigator.hardwareConcurrency);

const api: SummerApi = {
  open: (task) => outcomeOf(() => service.open(task), 'worker/failed'),
  load: (parameters) => outcomeOf(() => service.load(parameters), 'worker/failed'),
  initialModel: async () => {
    const outcome = await outcomeOf(() => service.initialModel(), 'worker/failed');
    return outcome.ok ? transfer(outcome, [outcome.value.buffer]) : outcome;
  },
  begin: (order) =>
    outcomeOf(() => {
      service.begin(order);
      spreading.prepare(service.wordsIn(order.round), Math.max(...order.groupSizes));
    }, 'sum/failed'),
  add: (round, group, masked) => outcomeOf(() => service.add(round, group, masked), 'sum/failed'),
  unmask: (round, group, survivors, seeds) =>
    outcomeOf(async () => {
      const masks = await spreading.expand(service.wordsIn(round), seeds);
      service.unmask(round, group, survivors, masks);
    }, 'sum/failed'),
  finish: async (round, members, survivors) => {
    const outcome = await outcomeOf(() => service.finish(round, members, survivors), 'sum/failed');
    if (!outcome.ok) return outcome;
    // The model itself stays here, so a copy goes.
    const parameters = outcome.value.parameters.slice() as ModelParameters;
    const value = { ...outcome.value, parameters };
    return transfer({ ok: true, value }, [parameters.buffer, value.packedSum.buffer]);
  },
};

expose(api);
postMessage(READY);
