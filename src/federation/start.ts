/** Beginning with a saved model: a new federation goes on where another one ended. */
import { utf8 } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Hash } from '../core/ids.ts';
import type { HashedModel } from '../core/localWork.ts';
import { parsePlan, startHash } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { parametersFor } from '../core/savedModel.ts';
import type { SavedModel } from '../core/savedModel.ts';
import { modelHashLater } from '../update/modelHash.ts';

/** A plan that begins with a saved model. */
interface Fork {
  readonly modelHash: Hash;
  readonly planText: string;
}

/** `planText` with `start` set to the saved model. @throws HushError `start/…`, `plan/…`. */
export async function withStart(planText: string, saved: SavedModel): Promise<Fork> {
  const { plan } = parsePlan(utf8(planText));
  const parameters = parametersFor(plan, saved);
  const modelHash = await modelHashLater(parameters);
  if (saved.statedHash !== undefined && saved.statedHash !== modelHash) {
    throw new HushError('start/damaged', `The hash of the model is ${modelHash}, its file says ${saved.statedHash}.`, {
      advice: 'The file is damaged: save the model again where it comes from.',
    });
  }
  const document = { ...(JSON.parse(planText) as object), start: { modelHash } };
  return { modelHash, planText: JSON.stringify(document, null, 2) };
}

/** The plan that the model came from, to begin anew with. @throws HushError `start/no-plan`, as `withStart`. */
export async function planOfFork(saved: SavedModel): Promise<Fork> {
  if (saved.planText !== undefined) return await withStart(saved.planText, saved);
  throw new HushError('start/no-plan', 'The file does not say which plan its model came from.', {
    advice: 'Choose a model that was saved here, or write a plan and name the hash of the model as its "start".',
  });
}

/** What the plan begins with, where it begins with a saved model. @throws HushError `start/…`. */
export async function startOf(plan: Plan, saved: SavedModel | undefined): Promise<HashedModel | undefined> {
  const expected = startHash(plan);
  if (expected === undefined) return undefined;
  if (saved === undefined) {
    throw new HushError('start/missing', `The plan begins with the model ${expected}, and no file of it was chosen.`, {
      advice: 'Choose the file of that model, or take "start" out of the plan.',
    });
  }
  const parameters = parametersFor(plan, saved);
  const hash = await modelHashLater(parameters);
  if (hash === expected) return { parameters, hash };
  throw new HushError('start/hash', `The chosen model's hash is ${hash}, the plan begins with ${expected}.`, {
    advice: 'Choose the file of the model that the plan names, or begin with the plan of this one.',
  });
}
