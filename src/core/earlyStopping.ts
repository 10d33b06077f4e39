/** Early stopping: training ends once the plan's metric on the federated validation data has not improved for some rounds. */
import { growsWithQuality, metricOf } from './metrics.ts';
import type { Plan } from './plan.ts';
import type { PartFigures } from './figures.ts';

/** How the rounds so far went, of plans that may stop early. */
export interface Judgement {
  /** The best value so far; undefined before the first. */
  readonly best: number | undefined;
  /** Measured rounds since then. */
  readonly roundsSince: number;
}

export const UNJUDGED: Judgement = { best: undefined, roundsSince: 0 };

/** After a round that measured `validation`; what tells nothing of the metric counts neither way. */
export function judge(plan: Plan, before: Judgement, validation: PartFigures): Judgement {
  const { earlyStopping } = plan.evaluation;
  const metric = earlyStopping && metricOf(plan, validation);
  if (!metric) return before;
  const { best, roundsSince } = before;
  const better = (than: number): number => (growsWithQuality(metric.name) ? 1 : -1) * (metric.value - than);
  return best === undefined || better(best) > earlyStopping.minimumChange
    ? { best: metric.value, roundsSince: 0 }
    : { best, roundsSince: roundsSince + 1 };
}

export function isStopped({ evaluation }: Plan, { roundsSince }: Judgement): boolean {
  return evaluation.earlyStopping !== undefined && roundsSince >= evaluation.earlyStopping.patienceRounds;
}
