/** Files of a run as downloads. */
import type { LayersModelFiles } from '../core/layersModel.ts';
import { saveFile } from '../platform/download.ts';

export function saveModel(files: LayersModelFiles): void {
  saveFile('model.json', files.modelJson, 'application/json');
  saveFile('weights.bin', files.weights, 'application/octet-stream');
}

export function saveLines(name: string, lines: string): void {
  saveFile(name, lines, 'application/jsonl');
}
