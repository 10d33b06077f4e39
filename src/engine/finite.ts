/** A training that diverged: values that are no numbers end it. */
import { HushError } from '../core/errors.ts';

/** @throws HushError `engine/not-finite`, saying what the first value is that is no finite number. */
export function checkFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new HushError('engine/not-finite', `Training diverged: ${what} became ${values[i]}, expected a number.`, {
      advice: 'Lower the learning rate in the plan.',
    });
  }
}
