/** WebAssembly with SIMD where the browser has it. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plainUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simdUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import { env, findBackendFactory } from '@tensorflow/tfjs-core';
import { unavailable } from '../availability.ts';
import { install } from './backend.ts';
import type { Backend } from './backend.ts';
import type { Failure } from '../failure.ts';

// Threads start workers from blobs, which a strict content policy forbids, and stay at one anyway (tfjs issue 8513).
env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
setWasmPaths({
  'tfjs-backend-wasm.wasm': plainUrl,
  'tfjs-backend-wasm-simd.wasm': simdUrl,
  'tfjs-backend-wasm-threaded-simd.wasm': simdUrl,
});

/** What the package registered on import; `install` takes its place, so it is kept here. */
const create = findBackendFactory('wasm');

export async function openWasm(failure: Failure): Promise<Backend> {
  if (typeof WebAssembly === 'undefined') throw unavailable('wasm', 'this browser has no WebAssembly');
  try {
    await install('wasm', await create());
  } catch (cause) {
    throw unavailable('wasm', cause instanceof Error ? cause.message : String(cause), cause);
  }
  const simd = env().getBool('WASM_HAS_SIMD_SUPPORT');
  const adapter = `WebAssembly${simd ? ' with SIMD' : ''}, one core`;
  return { name: 'wasm', adapter, copiesTransposed: true, failure, release: () => undefined };
}
