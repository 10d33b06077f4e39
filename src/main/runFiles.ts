/** What a run leaves behind as files: the model in the tfjs layers format, metrics and ledger as JSON lines. */
import { layersModelFiles } from '../core/layersModel.ts';
import type { LayersModelFiles } from '../core/layersModel.ts';
import type { Plan } from '../core/plan.ts';
import type { RunView } from '../core/runView.ts';
import type { ModelParameters } from '../core/updateStages.ts';
import { saveFile } from '../platform/download.ts';

export function modelFilesOf(plan: Plan, view: RunView, parameters: ModelParameters): LayersModelFiles {
  return layersModelFiles(plan.model, parameters, {
    name: plan.name,
    licence: plan.licence,
    dataLicence: plan.data.licence,
    classes: plan.task.classes,
    planHash: view.planHash,
    federation: view.federation,
    modelHash: view.modelHash,
    ledgerHead: view.ledger.head,
    rounds: view.curve.at(-1)?.round ?? 0,
  });
}

export function jsonLines(entries: readonly unknown[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

export function saveModel(files: LayersModelFiles): void {
  saveFile('model.json', files.modelJson, 'application/json');
  saveFile('weights.bin', files.weights, 'application/octet-stream');
}

export function saveLines(name: string, entries: readonly unknown[]): void {
  saveFile(name, jsonLines(entries), 'application/jsonl');
}
