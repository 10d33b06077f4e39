/** The option --split and what belongs to it. */
import { HushError } from '../../src/core/errors.ts';
import type { DataSplit } from '../../src/core/plan.ts';
import { within, whole } from '../numbers.ts';

const SPLITS: readonly DataSplit['kind'][] = ['iid', 'label', 'dirichlet', 'natural'];

/** @throws HushError `command/split`, `command/number`. */
export function readSplit(text: string | undefined, labels: string | undefined, alpha: string | undefined) {
  const kind = SPLITS.find((name) => name === text);
  if (text !== undefined && kind === undefined) {
    throw new HushError('command/split', `"--split" is "${text}", expected one of ${SPLITS.join(', ')}.`);
  }
  for (const [option, value, of] of [
    ['--labels-per-shard', labels, 'label'],
    ['--alpha', alpha, 'dirichlet'],
  ] as const) {
    if (value === undefined || kind === of) continue;
    throw new HushError('command/split', `"${option}" is given, expected it with "--split ${of}" alone.`);
  }
  if (kind === 'label') return { kind, labelsPerShard: whole('--labels-per-shard', labels ?? '2', 1, 100) };
  if (kind === 'dirichlet') return { kind, alpha: within('--alpha', alpha ?? '0.5', 0.001, 1000) };
  return kind && { kind };
}
