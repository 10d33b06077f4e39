/** What `--central` adds to a report: the same model, trained in Node on what all tabs had together. */
import type { Metric } from '../../src/core/metrics.ts';
import { readSavedModel } from '../../src/core/savedModel.ts';
import { startOf } from '../../src/federation/start.ts';
import { ProgressBar } from '../progress.ts';
import { trainCentrally } from '../training/central.ts';
import { shardsOf } from '../training/shards.ts';
import type { PreparedPlan } from './options.ts';

/** `rounds`: how many the federation trained. */
export async function centralMetric(
  { plan, entries, start }: PreparedPlan,
  rounds: number,
  dataDir: string,
): Promise<Metric | null> {
  const bar = new ProgressBar();
  const people = plan.data.kind === 'public' ? plan.data.shards : entries.length;
  const shards = await shardsOf(plan, people, { dataDir, entries });
  const onProgress = (fraction: number): void => bar.show(fraction, 'training on all data in one place');
  try {
    const first = await startOf(plan, start && readSavedModel(start));
    return await trainCentrally({ plan, rounds, shards, onProgress, start: first });
  } finally {
    bar.clear();
  }
}

/** A line of the report. */
export function centralText(metric: Metric | null): string {
  const value = metric === null ? 'not measured' : `${metric.name} ${metric.value}`;
  return `${'trained centrally'.padEnd(20)} ${value}`;
}
