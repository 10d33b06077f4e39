/** Parameters as a session takes them. */
import { HushError } from '../core/errors.ts';
import type { PlacedNetwork } from '../core/layerShapes.ts';
import type { ModelParameters } from '../core/updateStages.ts';

/** A copy that nobody else changes. @throws HushError `engine/shape` when the length is not the layout's. */
export function ownParameters(parameters: ModelParameters, { layout }: PlacedNetwork): ModelParameters {
  const { length } = layout;
  if (parameters.length !== length) {
    throw new HushError('engine/shape', `The model came with ${parameters.length} parameters, expected ${length}.`);
  }
  return parameters.slice() as ModelParameters;
}
