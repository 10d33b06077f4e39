/** What figures tell about a model: a record's, as a point of the curve, and a participant's own. */
import { isStopped } from '../core/earlyStopping.ts';
import { accuracy, meanLoss, metricNameOf, metricOf } from '../core/metrics.ts';
import type { Plan } from '../core/plan.ts';
import type { MeasuredPoint, OwnScores } from '../core/runView.ts';
import type { Figures, PartFigures } from '../core/figures.ts';
import type { LedgerHead } from './ledger.ts';
import type { CompleteBody, LedgerRecord } from './record.ts';

/** What a round adds to the curve: statistics are of no model. */
export function curveOf({ body }: Pick<LedgerRecord, 'body'>, plan: Plan): readonly MeasuredPoint[] {
  return body.status === 'complete' && body.kind !== 'statistics' ? [pointOf(body, plan)] : [];
}

/** Of the model that the round began with; its training loss is that of the local training that followed. */
export function pointOf(
  body: Pick<CompleteBody, 'kind' | 'completed' | 'survivors' | 'figures'>,
  plan: Plan,
): MeasuredPoint {
  const { training, validation, test } = body.figures;
  const hits = (of: PartFigures): number | undefined => (plan.task.kind === 'regression' ? undefined : accuracy(of));
  return {
    round: body.completed - (body.kind === 'train' ? 1 : 0),
    metric: metricNameOf(plan),
    testMetric: metricOf(plan, test)?.value,
    testAccuracy: hits(test),
    testLoss: meanLoss(test),
    testCounts: test.counts,
    validationMetric: metricOf(plan, validation)?.value,
    validationAccuracy: hits(validation),
    validationLoss: meanLoss(validation),
    validationCounts: validation.counts,
    trainingLoss: meanLoss(training),
    people: body.survivors,
    samples: test.samples,
    validationSamples: validation.samples,
  };
}

/** Of the model that stood after `round` rounds, on one's own data: what was kept aside, else what is held out. */
export function ownScoresOf(round: number, figures: Figures, plan: Plan): OwnScores | undefined {
  const part = figures.validation.samples > 0 ? 'validation' : 'test';
  const of = figures[part];
  const metric = metricOf(plan, of);
  return metric && { round, part, metric, loss: of.lossSum / of.samples, samples: of.samples };
}

/** That training ended before the plan's last round, a sentence; undefined where it did not. */
export function earlyEndOf(plan: Plan, head: LedgerHead | undefined): string | undefined {
  const { rounds } = plan.aggregation;
  if (head === undefined || head.completed >= rounds || !isStopped(plan, head.judgement)) return undefined;
  return `Stopped early, after ${head.completed} of ${rounds} rounds: the model no longer got better.`;
}
