/** Our own training engine on WebAssembly: networks compiled to kernels that are made for their shapes. */
import type { EngineSession, TrainingEngine } from '../../core/engine.ts';
import { HushError } from '../../core/errors.ts';
import { placeNetwork } from '../../core/layerShapes.ts';
import type { Network } from '../../core/network.ts';
import { unavailable } from '../availability.ts';
import type { Patience } from '../availability.ts';
import type { Arithmetic } from './product.ts';
import { WasmSession } from './session.ts';
import { arithmetic, hasSimd } from './support.ts';

/** Quick to open, whatever the patience. @throws HushError `engine/unavailable`, saying why. */
export async function openCompiledWasm(_patience: Patience = 'patient'): Promise<TrainingEngine> {
  if (typeof WebAssembly === 'undefined') throw unavailable('compiled-wasm', 'this browser has no WebAssembly');
  if (!hasSimd()) throw unavailable('compiled-wasm', "this browser's WebAssembly has no SIMD");
  return await Promise.resolve(new CompiledWasm(arithmetic()));
}

/** `arithmetic`: what may be used of what is there. */
export class CompiledWasm implements TrainingEngine {
  readonly name = 'compiled-wasm';
  readonly #arithmetic: Arithmetic;
  readonly #sessions = new Set<WasmSession>();
  #closed = false;

  constructor(arithmetic: Arithmetic) {
    this.#arithmetic = arithmetic;
  }

  get adapter(): string {
    return `WebAssembly with ${this.#arithmetic.fused ? 'relaxed ' : ''}SIMD, one core`;
  }

  async open(network: Network): Promise<EngineSession> {
    if (this.#closed) throw new HushError('engine/closed', 'The compiled-wasm engine was closed.');
    const session = await WasmSession.open(placeNetwork(network), this.#arithmetic);
    this.#sessions.add(session);
    return session;
  }

  close(): void {
    this.#closed = true;
    for (const session of this.#sessions) session.close();
    this.#sessions.clear();
  }
}
