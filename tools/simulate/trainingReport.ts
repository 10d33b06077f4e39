/** What `npm run simulate -- --plan` has to say: as JSON, as a table for people, as CSV. */
import type { Metric } from '../../src/core/metrics.ts';
import type { MeasuredPoint } from '../../src/core/runView.ts';
import { isBetter, judged } from '../training/judged.ts';
import type { TrainedPlan } from '../training/trainPlan.ts';
import { textOf } from './sweep.ts';
import type { Combination, Sweep } from './sweep.ts';

export interface TrainingReport {
  readonly plan: string;
  readonly participants: number;
  readonly rounds: number;
  readonly seed: number;
  /** Of the last model; null where nothing was measured. */
  readonly metric: Metric | null;
  readonly testAccuracy: number | null;
  readonly testLoss: number | null;
  readonly validationAccuracy: number | null;
  readonly validationLoss: number | null;
  readonly curve: readonly MeasuredPoint[];
  readonly modelHash: string;
  readonly parameters: number;
  readonly secondsTotal: number;
}

export function reportOf({ adapted, participants }: Combination, trained: TrainedPlan): TrainingReport {
  const { plan } = adapted;
  const last = trained.curve.at(-1);
  return {
    plan: plan.name,
    participants,
    // Fewer than the plan's where it stops early.
    rounds: last?.round ?? 0,
    seed: plan.seed,
    metric: judged(last),
    testAccuracy: rounded(last?.testAccuracy, 6),
    testLoss: rounded(last?.testLoss, 6),
    validationAccuracy: rounded(last?.validationAccuracy, 6),
    validationLoss: rounded(last?.validationLoss, 6),
    // Cells by class are a screenful a round.
    curve: trained.curve.map((point) => ({ ...point, testCounts: undefined, validationCounts: undefined })),
    modelHash: trained.modelHash,
    parameters: trained.parameters,
    secondsTotal: rounded(trained.seconds, 2) ?? 0,
  };
}

function rounded(value: number | undefined, digits: number): number | null {
  return value === undefined ? null : Number(value.toFixed(digits));
}

/** One combination of a sweep and what came of it. */
export interface SweepRow {
  /** By the name under which each was swept. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly report: TrainingReport | undefined;
  /** Why there is no report. */
  readonly problem: string | undefined;
}

/** Best first; what could not be trained last. */
export function sorted(rows: readonly SweepRow[]): SweepRow[] {
  return rows.toSorted((a, b) => {
    const [of, other] = [a.report?.metric, b.report?.metric];
    if (!of || !other) return Number(!of) - Number(!other);
    return Number(isBetter(other, of)) - Number(isBetter(of, other));
  });
}

const COLUMNS = ['metric', 'value', 'testAccuracy', 'testLoss', 'modelHash', 'seconds'] as const;

function cells({ report, problem }: SweepRow): Readonly<Record<(typeof COLUMNS)[number], unknown>> {
  return {
    metric: report?.metric?.name,
    value: report?.metric?.value,
    testAccuracy: report?.testAccuracy,
    testLoss: report?.testLoss,
    modelHash: report?.modelHash ?? problem,
    seconds: report?.secondsTotal,
  };
}

/** Aligned for a terminal, hashes shortened. */
export function sweepTable(sweeps: readonly Sweep[], rows: readonly SweepRow[]): string {
  const names = sweeps.map(({ name }) => name);
  const lines = sorted(rows).map((row) => {
    const of = cells({ ...row, ...(row.report && { report: { ...row.report, modelHash: shortened(row.report) } }) });
    return [...names.map((name) => row.values[name]), ...COLUMNS.map((name) => of[name])].map((cell) =>
      cell === undefined || cell === null ? '–' : textOf(cell),
    );
  });
  const table = [[...names, ...COLUMNS], ...lines];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
  return table
    .map((line) =>
      line
        .map((cell, k) => cell.padEnd(widths[k] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function shortened({ modelHash }: TrainingReport): string {
  return `${modelHash.slice(0, 12)}…`;
}

/** RFC 4180, a line for each combination, best first. */
export function sweepCsv(sweeps: readonly Sweep[], rows: readonly SweepRow[]): string {
  const names = sweeps.map(({ name }) => name);
  const fixed = ['participants', 'rounds', 'seed'] as const;
  const lines = sorted(rows).map((row) => {
    const of = cells(row);
    const base = fixed.filter((name) => !names.includes(name)).map((name) => row.report?.[name]);
    return [...names.map((name) => row.values[name]), ...base, ...COLUMNS.map((name) => of[name])];
  });
  const head = [...names, ...fixed.filter((name) => !names.includes(name)), ...COLUMNS];
  return [head, ...lines].map((line) => `${line.map(csvCell).join(',')}\r\n`).join('');
}

function csvCell(value: unknown): string {
  const text = value === undefined || value === null ? '' : textOf(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line while it trains. */
export function pointText(point: MeasuredPoint): string {
  const metric = judged(point);
  const loss = point.testLoss ?? point.validationLoss;
  const parts = [
    metric === null ? 'not measured' : `${metric.name} ${metric.value.toFixed(4)}`,
    ...(loss === undefined || metric?.name === 'loss' ? [] : [`loss ${loss.toFixed(4)}`]),
  ];
  return `${point.round === 0 ? 'first model' : `after round ${point.round}`}: ${parts.join(', ')}`;
}

/** One run, for people. */
export function reportText(report: TrainingReport): string {
  const { metric } = report;
  const rows: readonly (readonly [string, string])[] = [
    ['plan', report.plan],
    ['participants', String(report.participants)],
    ['rounds', String(report.rounds)],
    ['seed', String(report.seed)],
    [metric?.name ?? 'metric', metric === null ? 'not measured' : String(metric.value)],
    ['test loss', String(report.testLoss ?? '–')],
    ['model', `${report.modelHash}, ${report.parameters} parameters`],
    ['seconds', String(report.secondsTotal)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(20)} ${value}`).join('\n');
}
