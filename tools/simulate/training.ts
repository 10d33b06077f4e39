/** `npm run simulate -- --plan`: trains a plan for real, or every combination of a sweep, on all cores. */
import { writeFile } from 'node:fs/promises';
import { HushError } from '../../src/core/errors.ts';
import { buildDatasets } from '../datasets.ts';
import { DATA_DIR } from '../build.ts';
import { ProgressBar } from '../progress.ts';
import { runJobs } from '../training/pool.ts';
import type { JobProgress, TrainingJob } from '../training/trainPlan.ts';
import { textOf } from './sweep.ts';
import type { Combination } from './sweep.ts';
import { prepareTrainings, readTrainingOptions } from './trainingOptions.ts';
import type { TrainingOptions } from './trainingOptions.ts';
import type { JobOutcome } from './trainingProcess.ts';
import { pointText, reportOf, reportText, sorted, sweepCsv, sweepTable } from './trainingReport.ts';
import type { SweepRow } from './trainingReport.ts';

/** As shells have it: 128 + SIGINT. */
const INTERRUPTED = 130;

/** Gives the exit code. */
export async function simulateTraining(args: string[]): Promise<number> {
  const options = readTrainingOptions(args);
  const { document, combinations, entries } = await prepareTrainings(options);
  if (document.plan.data.kind === 'public') await buildDatasets(DATA_DIR);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const jobs = combinations.map(({ adapted, participants }): TrainingJob => {
      const { masks, dropout, start } = options;
      return { plan: adapted.text, participants, masks, dropout, dataDir: DATA_DIR, entries, start };
    });
    const rows = await trainAll(options, combinations, jobs, stopping.signal);
    return await tell(options, rows, combinations.length, stopping.signal.aborted);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

async function trainAll(
  { sweeps, jobs: processes, json }: TrainingOptions,
  combinations: readonly Combination[],
  jobs: readonly TrainingJob[],
  signal: AbortSignal,
): Promise<SweepRow[]> {
  const bar = new ProgressBar();
  const rows: SweepRow[] = [];
  const fractions = jobs.map(() => 0);
  const alone = jobs.length === 1;
  const showAll = (text: string): void => {
    bar.show(fractions.reduce((sum, fraction) => sum + fraction, 0) / jobs.length, text);
  };
  const say = (line: string): void => {
    if (!json && !bar.shows) console.log(line);
  };
  let toldRound = -1;
  await runJobs<TrainingJob, JobProgress, JobOutcome>(jobs, {
    script: new URL('./trainingProcess.ts', import.meta.url),
    processes,
    signal,
    onProgress: (job, { fraction, point }) => {
      fractions[job] = fraction;
      const text = point && alone ? pointText(point) : `${rows.length} of ${jobs.length} trained`;
      showAll(text);
      if (!alone || point === undefined || point.round === toldRound) return;
      toldRound = point.round;
      say(text);
    },
    onResult: (job, outcome) => {
      fractions[job] = 1;
      const combination = combinations[job];
      if (combination === undefined) return;
      const values = Object.fromEntries(sweeps.map(({ name }, i) => [name, combination.values[i]]));
      const report = 'problem' in outcome ? undefined : reportOf(combination, outcome);
      const problem = 'problem' in outcome ? outcome.problem : undefined;
      rows.push({ values, report, problem });
      const named = Object.entries(values).map(([name, value]) => `${name}=${textOf(value)}`);
      const text = `${rows.length} of ${jobs.length} trained`;
      showAll(text);
      if (!alone) say(`${text}: ${named.join(' ')}`);
    },
  });
  bar.clear();
  return rows;
}

async function tell(
  options: TrainingOptions,
  rows: readonly SweepRow[],
  of: number,
  stopped: boolean,
): Promise<number> {
  const { sweeps, csv, json } = options;
  if (csv !== undefined && rows.length > 0) await writeFile(csv, sweepCsv(sweeps, rows));
  if (sweeps.length === 0) {
    const [row] = rows;
    if (row?.problem !== undefined) throw new HushError('simulate/failed', row.problem);
    if (row?.report === undefined) {
      console.error('Stopped.');
      return INTERRUPTED;
    }
    console.log(json ? JSON.stringify(row.report) : reportText(row.report));
    return 0;
  }
  if (json) {
    const runs = sorted(rows).map(({ values, report, problem }) => ({ values, ...(report ?? { problem }) }));
    console.log(JSON.stringify({ sweep: sweeps.map(({ name }) => name), of, runs }));
  } else if (rows.length > 0) {
    console.log(sweepTable(sweeps, rows));
  }
  if (stopped) console.error(`Stopped: ${rows.length} of ${of} were trained.`);
  if (stopped) return INTERRUPTED;
  return rows.some(({ report }) => report !== undefined) ? 0 : 1;
}
