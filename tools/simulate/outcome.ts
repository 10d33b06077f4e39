/** What came of a simulated federation, read from its ledger and from the states of everyone in it. */
import { threshold } from '../../src/core/plan.ts';
import type { SecurityMode } from '../../src/core/plan.ts';
import type { LedgerRecord } from '../../src/federation/record.ts';
import type { SimulatedFederation } from './federation.ts';

export interface Outcome {
  readonly mode: SecurityMode;
  readonly groups: number;
  readonly groupSize: number;
  readonly threshold: number;
  readonly completed: number;
  readonly exact: boolean;
  readonly survivors: number;
  readonly abandoned: Readonly<Record<string, number>>;
  readonly hung: number;
}

export function outcomeOf(federation: SimulatedFederation, mode: SecurityMode, hung: number): Outcome {
  const records = federation.coordinator?.records ?? [];
  const complete = records.flatMap(({ body }) => (body.status === 'complete' && body.kind === 'train' ? [body] : []));
  const last = complete.at(-1);
  const sizes = last?.groups.map(({ members }) => members) ?? [];
  const groupSize = Math.max(0, ...sizes);
  const { compared, problems } = federation.exactness;
  return {
    mode,
    groups: sizes.length,
    groupSize,
    threshold: groupSize === 0 ? 0 : threshold(mode, groupSize),
    completed: complete.length,
    exact: compared > 0 && problems.length === 0,
    survivors: last?.survivors ?? 0,
    abandoned: abandonedIn(records),
    hung,
  };
}

/** Rounds, and sums of groups in rounds that went on, by reason; numbers left out so that alike reasons count together. */
export function abandonedIn(records: readonly LedgerRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { body } of records) {
    const lost = body.status === 'abandoned' ? [body] : body.groups.filter(({ status }) => status === 'lost');
    for (const entry of lost) {
      if (!('reason' in entry)) continue;
      const reason = entry.reason.replaceAll(/[0-9a-f]{8,}|\d+/g, '#');
      counts[reason] = (counts[reason] ?? 0) + 1;
    }
  }
  return counts;
}
