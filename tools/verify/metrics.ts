/** metrics.jsonl beside the ledger: whatever the ledger tells too must be the same. */
import { HushError } from '../../src/core/errors.ts';
import type { Plan } from '../../src/core/plan.ts';
import { statisticsView } from '../../src/core/statistics.ts';
import { pointOf } from '../../src/federation/measured.ts';
import type { LedgerRecord } from '../../src/federation/record.ts';
import type { MetricsLine } from '../../src/federation/runFiles.ts';

/** @throws HushError `verify/metrics`, naming line, field, value and what was expected. */
export function checkMetrics(lines: readonly MetricsLine[], records: readonly LedgerRecord[], plan: Plan): void {
  const bodies = records.flatMap(({ body }) => (body.status === 'complete' ? [body] : []));
  if (lines.length !== bodies.length) {
    throw new HushError('verify/metrics', `${lines.length} lines, expected one for each of ${bodies.length} rounds.`);
  }
  for (const [i, body] of bodies.entries()) {
    const line = lines[i];
    const { round, kind, completed, survivors } = body;
    // Those of lost groups took part too.
    const participants = body.groups.reduce((sum, { members }) => sum + members, 0);
    const statistics = body.statistics && statisticsView(plan, body.statistics);
    const expected = { round, kind, completed, participants, survivors, point: pointOf(body, plan), statistics };
    for (const [field, wanted] of Object.entries(expected)) {
      const got = JSON.stringify(line?.[field as keyof typeof expected]);
      if (got === JSON.stringify(wanted)) continue;
      throw new HushError(
        'verify/metrics',
        `line ${i + 1}: "${field}" is ${got}, expected ${JSON.stringify(wanted)} by the ledger.`,
      );
    }
  }
}
