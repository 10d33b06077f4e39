/** A plan as a command runs it: for other people, rounds and fields than it says, which changes its hash. */
import { readFile } from 'node:fs/promises';
import { HushError } from '../src/core/errors.ts';
import { parsePlan } from '../src/core/plan.ts';
import type { PlanDocument } from '../src/core/plan.ts';

export interface PlanChanges {
  /** Who takes part from the start. */
  readonly participants: number;
  /** As many as there are people, those who join later too. */
  readonly shards: number;
  readonly rounds?: number | undefined;
  readonly seed?: number | undefined;
  /** Each under its dotted path, over everything else. */
  readonly fields?: readonly PlanField[];
}

export type PlanField = readonly [path: string, value: unknown];

export interface AdaptedPlan extends PlanDocument {
  readonly text: string;
}

/** @throws HushError `plan/unreadable`, `plan/…` of what is in it. */
export async function readPlan(path: string): Promise<PlanDocument> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new HushError('plan/unreadable', `The plan "${path}" cannot be read.`, {
      advice: 'Give the path of a plan, such as plans/digits.json.',
      cause,
    });
  });
  return parsePlan(bytes);
}

/** @throws HushError `plan/…`, naming the field, the value and what was expected. */
export function adaptPlan({ plan, bytes }: PlanDocument, changes: PlanChanges): AdaptedPlan {
  const { participants, shards, rounds = plan.aggregation.rounds, seed = plan.seed, fields = [] } = changes;
  const minimum = Math.min(plan.aggregation.cohort.minimum, participants);
  const document = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  const own: PlanField[] = [
    ['aggregation.rounds', rounds],
    ['aggregation.cohort', { minimum, target: participants }],
    ['seed', seed],
  ];
  if (plan.data.kind === 'public') own.push(['data.shards', shards]);
  const adapted = [...own, ...fields].reduce(
    (changed, [path, value]) => withField(changed, path.split('.'), value),
    document,
  );
  const text = `${JSON.stringify(adapted, null, 2)}\n`;
  return { ...parsePlan(Buffer.from(text)), text };
}

/** A copy; what is not there yet becomes an object, which the plan's schema then has its say about. */
function withField(document: unknown, [first, ...rest]: readonly string[], value: unknown): unknown {
  if (first === undefined) return value;
  if (Array.isArray(document)) {
    return document.map((item: unknown, i) => (String(i) === first ? withField(item, rest, value) : item));
  }
  const fields = typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : {};
  return { ...fields, [first]: withField(fields[first], rest, value) };
}
