/** Larger shares of rare classes in what is trained on. */
import type { Examples } from '../core/dataset.ts';
import type { LocalTraining } from '../core/plan.ts';
import { pickRows } from './rows.ts';

/**
 * With `oversample` rows of a rarer class come again, one after the other and behind all others, until the class has the
 * geometric mean of its own number and that of the most frequent one: of 3,123 and 44 the rare ones become 371. Equal shares
 * would make false alarms, since what is trained on would say that both are as likely. The same for the same examples;
 * nothing is left out.
 */
export function balanced(examples: Examples, { balance = 'none' }: LocalTraining): Examples {
  if (balance === 'none') return examples;
  balance satisfies 'oversample';
  const pools = new Map<number, number[]>();
  examples.labels.forEach((label, row) => {
    const pool = pools.get(label);
    if (pool) pool.push(row);
    else pools.set(label, [row]);
  });
  const most = Array.from(pools.values()).reduce((largest, { length }) => Math.max(largest, length), 0);
  const repeated = Array.from(pools.values()).flatMap((pool) => {
    const wanted = Math.round(Math.sqrt(most * pool.length));
    return Array.from({ length: wanted - pool.length }, (_, i) => pool[i % pool.length] ?? 0);
  });
  if (repeated.length === 0) return examples;
  const rows = new Uint32Array(examples.count + repeated.length);
  for (let i = 0; i < examples.count; i++) rows[i] = i;
  rows.set(repeated, examples.count);
  return pickRows(examples, rows);
}
