/** Entry of the coordinator's summing worker. No training library is loaded to sum. */
import { expose, transfer } from 'comlink';
import type { ModelParameters } from '../core/updateStages.ts';
import { crashOnUnhandled } from './crash.ts';
import { outcomeOf, READY } from './outcome.ts';
import { SumService } from './sumService.ts';
import type { SummerApi } from './summerApi.ts';

crashOnUnhandled();

const service = new SumService();

const api: SummerApi = {
  open: (task) => outcomeOf(() => service.open(task), 'worker/failed'),
  load: (parameters) => outcomeOf(() => service.load(parameters), 'worker/failed'),
  initialModel: async () => {
    const outcome = await outcomeOf(() => service.initialModel(), 'worker/failed');
    return outcome.ok ? transfer(outcome, [outcome.value.buffer]) : outcome;
  },
  begin: (order) => outcomeOf(() => service.begin(order), 'sum/failed'),
  add: (round, masked) => outcomeOf(() => service.add(round, masked), 'sum/failed'),
  unmask: async (round, survivors, seeds) => {
    const outcome = await outcomeOf(() => service.unmask(round, survivors, seeds), 'sum/failed');
    if (!outcome.ok) return outcome;
    // The model itself stays here, so a copy goes.
    const parameters = outcome.value.parameters.slice() as ModelParameters;
    const value = { ...outcome.value, parameters };
    return transfer({ ok: true, value }, [parameters.buffer, value.packedSum.buffer]);
  },
};

expose(api);
postMessage(READY);
