/** How public data is cut into shards, as it is typed. */
import { HushError } from '../src/core/errors.ts';

/** Checked with the plan that it becomes part of. @throws HushError `command/split`. */
export function readSplit(text: string): Readonly<Record<string, unknown>> {
  const [kind = '', number] = text.split(':');
  const value = Number(number);
  if (number === undefined && (kind === 'iid' || kind === 'natural')) return { kind };
  if (kind === 'label' && Number.isInteger(value) && value > 0) return { kind, labelsPerShard: value };
  if (kind === 'dirichlet' && value > 0) return { kind, alpha: value };
  const expected = 'iid, natural, label:LABELS_PER_SHARD or dirichlet:ALPHA, such as dirichlet:0.5';
  throw new HushError('command/split', `"--split" is "${text}", expected ${expected}.`);
}
