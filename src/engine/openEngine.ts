/** Every engine by its name. Each is loaded only when it is opened. */
import type { EngineName, TrainingEngine } from '../core/engine.ts';
import { unavailable } from './availability.ts';
import type { Patience } from './availability.ts';

/**
 * Impatient: not when a quick look says that it is slow.
 * @throws HushError `engine/unavailable`, saying why.
 */
export async function openEngine(name: EngineName, patience: Patience = 'patient'): Promise<TrainingEngine> {
  switch (name) {
    case 'compiled-wasm':
      return await (await import('./wasm/compiledWasm.ts')).openCompiledWasm(patience);
    case 'compiled-webgpu':
      throw unavailable(name, 'this version does not have it');
    case 'webgpu':
    case 'wasm':
    case 'webgl':
    case 'cpu':
      return await (await import('./tfjs/tfjsEngine.ts')).openTfjsEngine(name, patience);
    default:
      throw unavailable(name satisfies never, 'no such engine');
  }
}
