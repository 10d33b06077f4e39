/** Files of a run as downloads. */
import type { Bytes } from '../core/bytes.ts';
import type { SavedFile } from '../core/runView.ts';
import type { ModelFiles } from '../federation/modelFiles.ts';
import type { CoordinatorFiles } from '../federation/runFiles.ts';
import { saveFile } from '../platform/download.ts';

/** What a coordinator has besides its model is in `of` for a coordinator alone; gives whether the file was there. */
export function saveRunFile(what: SavedFile, planBytes: Bytes, of: ModelFiles | CoordinatorFiles): boolean {
  switch (what) {
    case 'model.json':
      saveFile('model.json', of.modelJson, 'application/json');
      saveFile('weights.bin', of.weights, 'application/octet-stream');
      return true;
    case 'model.safetensors':
      saveFile(what, of.safetensors, 'application/octet-stream');
      return true;
    case 'model-card.md':
      saveFile(what, of.card, 'text/markdown');
      return true;
    case 'plan.json':
      saveFile(what, planBytes, 'application/json');
      return true;
    case 'metrics.csv':
    case 'metrics.jsonl':
    case 'ledger.jsonl': {
      if (!('ledger' in of)) return false;
      const text = { 'metrics.csv': of.metricsTable, 'metrics.jsonl': of.metrics, 'ledger.jsonl': of.ledger }[what];
      saveFile(what, text, what === 'metrics.csv' ? 'text/csv' : 'application/jsonl');
      return true;
    }
    default:
      return what satisfies never;
  }
}
