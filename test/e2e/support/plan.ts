/** The digits plan, with a small model and short rounds. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePlan } from '../../../src/core/plan.ts';
import { ROOT } from '../../../tools/command.ts';

/** The text as it is launched. */
export async function digitsPlanText(change: { readonly rounds: number; readonly people: number }): Promise<string> {
  const { plan } = parsePlan(await readFile(join(ROOT, 'plans/digits.json')));
  return JSON.stringify({
    ...plan,
    data: { ...plan.data, shards: change.people },
    model: { ...plan.model, hidden: [32] },
    aggregation: {
      ...plan.aggregation,
      rounds: change.rounds,
      cohort: { minimum: 3, target: change.people },
    },
  });
}
