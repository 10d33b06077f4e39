/** Whether an engine can be used here, and how long it may take to find out. */
import type { EngineName } from '../core/engine.ts';
import { HushError } from '../core/errors.ts';

/** Whether an engine is wanted however slow it is, or only if it may win. */
export type Patience = 'patient' | 'impatient';

/** Of an engine with kernels of its own. */
export function needsTfjsLayers(name: EngineName): HushError {
  return new HushError(
    'engine/unsupported',
    `The ${name} engine has no kernels for this model, which has layers of kind keras: tfjs layers trains it.`,
    { advice: 'Use another engine.' },
  );
}

/** `why` goes on from "cannot be used here:", without a full stop. */
export function unavailable(name: EngineName, why: string, cause?: unknown): HushError {
  return new HushError('engine/unavailable', `The ${name} engine cannot be used here: ${why}.`, { cause });
}
