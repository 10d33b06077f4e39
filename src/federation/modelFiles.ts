/** A model as files that other software reads, each with the plan that it came from. */
import { HushError } from '../core/errors.ts';
import type { Bytes } from '../core/bytes.ts';
import { layersModelFiles } from '../core/layersModel.ts';
import type { LayersModelFiles } from '../core/layersModel.ts';
import { planLayout } from '../core/planLayout.ts';
import { classesOfTask } from '../core/plan.ts';
import type { PlanDocument } from '../core/plan.ts';
import type { MeasuredPoint } from '../core/runView.ts';
import { writeSafetensors } from '../core/safetensors.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { modelCard, PRIVATE_LICENCE } from './modelCard.ts';
import type { ModelOrigin } from './modelCard.ts';

export interface ModelFiles extends LayersModelFiles {
  /** Content of model.safetensors: the same values, by the same names. */
  readonly safetensors: Bytes;
  /** Text of model-card.md. */
  readonly card: string;
}

/** `curve`: what was measured, round by round. The same bytes for the same arguments. */
export function modelFilesOf(
  document: PlanDocument,
  origin: ModelOrigin,
  parameters: ModelParameters,
  curve: readonly MeasuredPoint[],
): ModelFiles {
  const { plan, bytes } = document;
  const { planHash, federation, modelHash, ledgerHead, rounds } = origin;
  const words = {
    name: plan.name,
    licence: plan.licence,
    dataLicence: plan.data.kind === 'public' ? plan.data.licence : PRIVATE_LICENCE,
    planHash,
    federation,
    modelHash,
    ledgerHead,
  };
  const text = new TextDecoder().decode(bytes);
  const tensors = planLayout(plan).blocks.map(({ name, shape, offset, length }) => ({
    name,
    shape,
    values: parameters.subarray(offset, offset + length),
  }));
  if (tensors.reduce((sum, { values }) => sum + values.length, 0) !== parameters.length) {
    throw new HushError('model/length', `The model has ${parameters.length} parameters, expected the plan's.`);
  }
  // Of a value that is not known there is no entry, as in JSON.
  const known = Object.entries(words).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return {
    ...layersModelFiles(plan, parameters, { ...words, classes: classesOfTask(plan), rounds, plan: text }),
    safetensors: writeSafetensors({
      tensors,
      metadata: { ...Object.fromEntries(known), rounds: String(rounds), plan: text },
    }),
    card: modelCard(plan, origin, curve),
  };
}
