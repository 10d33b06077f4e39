/** What a record tells about a model, as a point of the curve. */
import type { MeasuredPoint } from '../core/runView.ts';
import type { PartFigures } from '../core/sumSpec.ts';
import type { CompleteBody } from './record.ts';

function mean(sum: number, figures: PartFigures): number | undefined {
  return figures.samples > 0 ? sum / figures.samples : undefined;
}

/** Of the model that the round began with; its training loss is that of the local training that followed. */
export function pointOf(body: Pick<CompleteBody, 'kind' | 'completed' | 'survivors' | 'figures'>): MeasuredPoint {
  const { training, validation, test } = body.figures;
  return {
    round: body.completed - (body.kind === 'train' ? 1 : 0),
    testAccuracy: mean(test.correct, test),
    testLoss: mean(test.lossSum, test),
    validationAccuracy: mean(validation.correct, validation),
    validationLoss: mean(validation.lossSum, validation),
    trainingLoss: mean(training.lossSum, training),
    people: body.survivors,
    samples: test.samples,
  };
}
