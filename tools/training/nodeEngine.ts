/**
 * The training engine in Node: our own on WebAssembly, one thread and without fused multiplication, so that a model comes
 * out the same to the last bit on every machine. What it cannot train is left to tfjs.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { EngineChoice, EngineName, EngineSession } from '../../src/core/engine.ts';
import { HushError } from '../../src/core/errors.ts';
import { placeNetwork } from '../../src/core/layerShapes.ts';
import type { PlacedNetwork } from '../../src/core/layerShapes.ts';
import type { Network } from '../../src/core/network.ts';
import type { Chosen } from '../../src/engine/choose.ts';
import type { Backend } from '../../src/engine/tfjs/backend.ts';
import { Failure } from '../../src/engine/failure.ts';
import { WasmSession } from '../../src/engine/wasm/session.ts';

const REPEATABLE = { arithmetic: { fused: false }, threads: 1, spreadsFrom: Infinity };

export interface NodeEngine {
  /** One session for everyone: each sets its parameters before it trains. It lasts until `close`. */
  readonly session: EngineSession;
  /** What a training worker is given in place of choosing by measurement. */
  readonly chosen: Chosen;
  close(): void;
}

/** @throws HushError `engine/out-of-memory`. */
export async function openNodeEngine(network: Network): Promise<NodeEngine> {
  const placed = placeNetwork(network);
  // On WebAssembly tfjs lacks the gradients of some Keras layers.
  if (network.layers.some(({ kind }) => kind === 'keras')) return await openPlainEngine(network);
  try {
    return sharedEngine('compiled-wasm', await WasmSession.open(placed, REPEATABLE));
  } catch (thrown) {
    if (!(thrown instanceof HushError) || thrown.code !== 'engine/unsupported') throw thrown;
  }
  return sharedEngine('wasm', await openTfjsSession(placed));
}

/** tfjs in plain JavaScript. Loaded only where it is needed. */
async function openPlainEngine(network: Network): Promise<NodeEngine> {
  const { openTfjsEngine } = await import('../../src/engine/tfjs/tfjsEngine.ts');
  const engine = await openTfjsEngine('cpu', 'patient');
  const shared = sharedEngine('cpu', await engine.open(network), 'JavaScript in Node, one core');
  return { ...shared, close: () => engine.close() };
}

function sharedEngine(name: EngineName, session: EngineSession, adapter = 'WebAssembly in Node, one core'): NodeEngine {
  const reason = 'What trains in Node is not measured.';
  const choice: EngineChoice = { engine: name, adapter, samplesPerSecond: 0, reason, candidates: [] };
  const engine = { name, adapter, open: () => Promise.resolve(session), close: () => undefined };
  return { session, chosen: { choice, engine }, close: () => session.close() };
}

/** Loaded only where it is needed, with its binary read from the package. */
async function openTfjsSession(placed: PlacedNetwork): Promise<EngineSession> {
  const [{ setWasmPaths }, { enableProdMode, env, findBackendFactory }, { install }, { TfjsSession }, model] =
    await Promise.all([
      import('@tensorflow/tfjs-backend-wasm'),
      import('@tensorflow/tfjs-core'),
      import('../../src/engine/tfjs/backend.ts'),
      import('../../src/engine/tfjs/session.ts'),
      import('../../src/engine/tfjs/tensorModel.ts'),
    ]);
  enableProdMode();
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(`${dirname(entry)}/`);
  const create = findBackendFactory('wasm');
  await install('wasm', await create());
  const adapter = 'WebAssembly in Node';
  const failure = new Failure();
  const backend: Backend = { name: 'wasm', adapter, copiesTransposed: true, failure, release: () => undefined };
  return new TfjsSession(placed, backend, await model.openTensorModel(placed, backend));
}
