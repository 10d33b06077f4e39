/** Writes docs/plan.md, which a test compares with the schema. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, runIfMain } from './command.ts';
import { planPage, unexplained } from './docs/planPage.ts';

export const PLAN_PAGE = join(ROOT, 'docs', 'plan.md');

const HELP = `npm run docs

Writes docs/plan.md from the plan's schema and the sentences in src/core/planMeaning.ts. Says which fields lack one.

  --help  shows this`;

runIfMain(import.meta.url, async (args) => {
  if (args.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  await writeFile(PLAN_PAGE, planPage());
  const { missing, stale } = unexplained();
  for (const key of missing) console.error(`"${key}" has no sentence in src/core/planMeaning.ts.`);
  for (const key of stale) console.error(`"${key}" is no field of the plan: take it out of src/core/planMeaning.ts.`);
  console.log('Wrote docs/plan.md.');
  return missing.length + stale.length > 0 ? 1 : 0;
});
