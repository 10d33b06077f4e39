/** Tables of natural clients: rows held out by class, and written as CSV. */
import { stratifiedSplit } from '../../src/data/split.ts';
import type { ClientContent } from './clientFiles.ts';

export type Row = Readonly<Record<string, string | number>>;

/** Which rows are held out: the same in each build, and nothing that a plan's seed changes. */
const TEST_SEED = 2010;

/** `fraction` of a client's rows is its test part, of each class its share by the column `target`; both keep the order. */
export function tableOf(name: string, rows: readonly Row[], target: string, fraction: number): ClientContent {
  const classes = [...new Set(rows.map((row) => row[target]))];
  const labels = rows.map((row) => classes.indexOf(row[target]));
  const { training, validation: held } = stratifiedSplit(labels, fraction, TEST_SEED);
  const csv = (picked: Uint32Array): string => {
    const lines = Array.from(picked, (row) => Object.values(rows[row] ?? {}).join(','));
    return `${[Object.keys(rows[0] ?? {}).join(','), ...lines].join('\n')}\n`;
  };
  return { name, extension: 'csv', training: csv(training), test: csv(held) };
}
