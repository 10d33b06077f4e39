/** The training engine in Node: tfjs on WebAssembly, as in a browser's worker, with its binary read from the package. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { enableProdMode, env, findBackendFactory } from '@tensorflow/tfjs-core';
import type { EngineSession } from '../../src/core/engine.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { Network } from '../../src/core/network.ts';
import { install } from '../../src/engine/tfjs/backend.ts';
import type { Backend } from '../../src/engine/tfjs/backend.ts';
import { Failure } from '../../src/engine/failure.ts';
import { TfjsSession } from '../../src/engine/tfjs/session.ts';

/** One session for this thread, which lasts as long as it. */
export async function openNodeSession(network: Network): Promise<EngineSession> {
  enableProdMode();
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(`${dirname(entry)}/`);
  const create = findBackendFactory('wasm');
  await install('wasm', await create());
  const failure = new Failure();
  const adapter = 'WebAssembly in Node';
  const backend: Backend = { name: 'wasm', adapter, copiesTransposed: true, failure, release: () => undefined };
  return new TfjsSession(placeNetwork(network), backend);
}
