/** The training engine in Node: tfjs on WebAssembly, as in a browser's worker, with its binary read from the package. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { enableProdMode, env, findBackendFactory } from '@tensorflow/tfjs-core';
import type { EngineSession } from '../../src/core/engine.ts';
import type { ModelSpec } from '../../src/core/modelSpec.ts';
import { install } from '../../src/engine/backend.ts';
import { Failure } from '../../src/engine/failure.ts';
import { TfjsSession } from '../../src/engine/session.ts';

/** One session for this thread, which lasts as long as it. */
export async function openNodeSession(spec: ModelSpec): Promise<EngineSession> {
  enableProdMode();
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths(`${join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')))}/`);
  const create = findBackendFactory('wasm');
  await install('wasm', await create());
  const adapter = 'WebAssembly in Node';
  const backend = { name: 'wasm', adapter, copiesTransposed: true, failure: new Failure(), release: () => undefined };
  return new TfjsSession(spec, { ...backend, name: 'wasm' });
}
