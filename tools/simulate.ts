/**
 * A federation over a virtual clock and a seeded network: what it costs, or what becomes of it under faults. With a plan
 * one that trains for real.
 */
import { availableParallelism } from 'node:os';
import { runIfMain } from './command.ts';
import { calmRun } from './simulate/calmRun.ts';
import type { CalmReport } from './simulate/calmRun.ts';
import { readOptions, SIMULATE_HELP } from './simulate/options.ts';
import type { SimulateOptions } from './simulate/options.ts';
import { reportFrom } from './simulate/processes.ts';
import { runSchedules, spreadSchedules } from './simulate/schedules.ts';

/**
 * Up to so many, looking for garbage is left to one thread, all of it while the others are stopped, and before each step
 * that is measured: then its time can be taken off what a participant costs. With more, the run would take too long.
 */
const EXACT_PEOPLE = 500;
const EXACTLY = ['--single-threaded-gc', '--no-incremental-marking', '--expose-gc'];

runIfMain(import.meta.url, async (args) => {
  if (asksForPlan(args)) return await (await import('./simulate/training.ts')).simulateTraining(args);
  const options = readOptions(args);
  if (options.help) {
    console.log(SIMULATE_HELP);
    return 0;
  }
  const { schedules, json } = options;
  const { report, ok } = schedules === undefined ? await calm(options, args) : await faulty(options, schedules);
  console.log(json ? JSON.stringify(report) : lines(report));
  return ok ? 0 : 1;
});

/** Help is the same with and without. */
function asksForPlan(args: readonly string[]): boolean {
  return args.some((arg) => arg === '--plan' || arg.startsWith('--plan=')) && !args.includes('--help');
}

interface Result {
  readonly report: object;
  readonly ok: boolean;
}

async function calm(options: SimulateOptions, args: readonly string[]): Promise<Result> {
  const here = options.jobs === 1;
  const nodeOptions = options.participants <= EXACT_PEOPLE ? EXACTLY : [];
  const report = here
    ? await calmRun(options)
    : await reportFrom<CalmReport>([...args, '--jobs', '1', '--json'], nodeOptions);
  return { report, ok: report.hung === 0 && report.exact && report.completed === (options.rounds ?? 1) };
}

async function faulty(options: SimulateOptions, count: number): Promise<Result> {
  const jobs = options.jobs ?? availableParallelism();
  const report =
    jobs === 1
      ? await runSchedules(options, count, ({ why, replay }) => console.error(`${why.join('\n')}\n${replay}\n`))
      : await spreadSchedules(options, count, jobs);
  return { report, ok: report.failing.length === 0 };
}

function lines(report: object): string {
  return Object.entries(report)
    .map(([name, value]) => `${name.padEnd(24)} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join('\n');
}
