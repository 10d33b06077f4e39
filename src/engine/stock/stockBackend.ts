/** A tfjs backend as its package ships it, with none of our kernels or settings: what others are compared with. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plainUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simdUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import { env, findBackendFactory } from '@tensorflow/tfjs-core';
import { unavailable } from '../availability.ts';
import type { Patience } from '../availability.ts';
import { Failure } from '../failure.ts';
import { install, openBackend } from '../tfjs/backend.ts';
import type { Backend, BackendName } from '../tfjs/backend.ts';

export const STOCK_BACKENDS: readonly BackendName[] = ['wasm', 'webgpu', 'webgl', 'cpu'];

/** What tfjs 4.22 has where nobody sets it. */
const DISPATCHES_PER_SUBMIT = 15;

/** What the package registered on import; `install` takes its place, so it is kept here. */
const createWasm = findBackendFactory('wasm');

/** In a worker that has opened no other engine: kernels stay registered. @throws HushError `engine/unavailable`. */
export async function openStockBackend(name: BackendName, patience: Patience): Promise<Backend> {
  if (name === 'wasm') return await openStockWasm();
  const backend = await openBackend(name, patience);
  if (name === 'webgpu') env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', DISPATCHES_PER_SUBMIT);
  return backend;
}

async function openStockWasm(): Promise<Backend> {
  // Threads start workers from blobs, which our content policy forbids, and stay at one anyway (tfjs issue 8513).
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plainUrl,
    'tfjs-backend-wasm-simd.wasm': simdUrl,
    'tfjs-backend-wasm-threaded-simd.wasm': simdUrl,
  });
  try {
    await install('wasm', await createWasm());
  } catch (cause) {
    throw unavailable('wasm', cause instanceof Error ? cause.message : String(cause), cause);
  }
  const adapter = 'WebAssembly as tfjs ships it, one core';
  return { name: 'wasm', adapter, copiesTransposed: false, failure: new Failure(), release: () => undefined };
}
