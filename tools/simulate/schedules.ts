/** Many fault schedules, and what came of them all; spread over several processes, since each follows from its seed alone. */
import type { SimulateOptions } from './options.ts';
import { reportFrom } from './processes.ts';
import { runSchedule } from './schedule.ts';
import type { ScheduleOutcome } from './schedule.ts';

export interface SchedulesReport {
  readonly mode: SimulateOptions['mode'];
  readonly schedules: number;
  readonly rounds: number;
  readonly completed: number;
  readonly abandoned: Readonly<Record<string, number>>;
  readonly hung: number;
  readonly exact: boolean;
  readonly sameModel: boolean;
  readonly ended: Readonly<Record<string, number>>;
  readonly failing: readonly FailingSchedule[];
  readonly secondsTotal: number;
}

export interface FailingSchedule {
  readonly seed: number;
  readonly replay: string;
  readonly why: readonly string[];
}

/** Fewer than this are not worth another process. */
const LEAST_FOR_A_PROCESS = 20;

/** `failed` is told of every schedule that fails as it ends, where they run in this process. */
export async function runSchedules(
  options: SimulateOptions,
  count: number,
  failed: (schedule: FailingSchedule) => void = () => undefined,
): Promise<SchedulesReport> {
  const started = performance.now();
  let report = emptyReport(options.mode);
  for (let i = 0; i < count; i++) {
    const outcome = await runSchedule({ ...options, seed: options.seed + i });
    const next = reportOf(options, outcome);
    for (const schedule of next.failing) failed(schedule);
    report = joined(report, next);
  }
  return { ...report, secondsTotal: secondsSince(started) };
}

/** The same in several processes. @throws HushError `simulate/process` when one ends without a report. */
export async function spreadSchedules(options: SimulateOptions, count: number, jobs: number): Promise<SchedulesReport> {
  const started = performance.now();
  const processes = Math.max(1, Math.min(jobs, Math.floor(count / LEAST_FOR_A_PROCESS)));
  const reports = Array.from({ length: processes }, (_, i) => {
    const from = Math.floor((i * count) / processes);
    const to = Math.floor(((i + 1) * count) / processes);
    const args = scheduleArguments(options, options.seed + from, to - from);
    return reportFrom<SchedulesReport>([...args, '--jobs', '1', '--json']);
  });
  const report = (await Promise.all(reports)).reduce(joined, emptyReport(options.mode));
  return { ...report, secondsTotal: secondsSince(started) };
}

function emptyReport(mode: SimulateOptions['mode']): SchedulesReport {
  const counts = { schedules: 0, rounds: 0, completed: 0, abandoned: {}, hung: 0, exact: true, sameModel: true };
  return { mode, ...counts, ended: {}, failing: [], secondsTotal: 0 };
}

function reportOf(options: SimulateOptions, outcome: ScheduleOutcome): SchedulesReport {
  const { seed, rounds, completed, abandoned, hung, exact, problems, sameModel, ended } = outcome;
  const why = [
    ...hung,
    ...problems,
    ...(sameModel ? [] : ['somebody finished with another model']),
    ...Object.keys(ended),
  ];
  const failing = why.length === 0 ? [] : [{ seed, replay: replayOf(options, seed), why }];
  const counts = { schedules: 1, rounds, completed, abandoned, hung: hung.length, exact, sameModel, ended };
  return { mode: options.mode, ...counts, failing, secondsTotal: 0 };
}

function joined(a: SchedulesReport, b: SchedulesReport): SchedulesReport {
  return {
    mode: a.mode,
    schedules: a.schedules + b.schedules,
    rounds: a.rounds + b.rounds,
    completed: a.completed + b.completed,
    abandoned: added(a.abandoned, b.abandoned),
    hung: a.hung + b.hung,
    exact: a.exact && b.exact,
    sameModel: a.sameModel && b.sameModel,
    ended: added(a.ended, b.ended),
    failing: [...a.failing, ...b.failing],
    secondsTotal: 0,
  };
}

function added(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sums = { ...a };
  for (const [reason, times] of Object.entries(b)) sums[reason] = (sums[reason] ?? 0) + times;
  return sums;
}

function replayOf(options: SimulateOptions, seed: number): string {
  return `npm run simulate -- ${scheduleArguments(options, seed, 1).join(' ')}`;
}

/** What gives these schedules again. */
function scheduleArguments(options: SimulateOptions, seed: number, count: number): string[] {
  const { participants, group, mode, params, bits, rounds } = options;
  const values = { participants, group, mode, params, bits, rounds, seed, schedules: count };
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]));
}

function secondsSince(startedMs: number): number {
  return Math.round((performance.now() - startedMs) / 100) / 10;
}
