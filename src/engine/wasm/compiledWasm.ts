/** Our own training engine on WebAssembly: networks compiled to kernels that are made for their shapes. */
import type { EngineSession, TrainingEngine } from '../../core/engine.ts';
import { HushError } from '../../core/errors.ts';
import { placeNetwork } from '../../core/layerShapes.ts';
import type { Network } from '../../core/network.ts';
import { unavailable } from '../availability.ts';
import type { Patience } from '../availability.ts';
import { WasmSession } from './session.ts';
import { arithmetic, hasSimd } from './support.ts';
import { SPREADS_FROM } from './target.ts';
import type { Target } from './target.ts';
import { availableThreads } from './team.ts';

/** Quick to open, whatever the patience. @throws HushError `engine/unavailable`, saying why. */
export async function openCompiledWasm(_patience: Patience = 'patient'): Promise<TrainingEngine> {
  if (typeof WebAssembly === 'undefined') throw unavailable('compiled-wasm', 'this browser has no WebAssembly');
  if (!hasSimd()) throw unavailable('compiled-wasm', "this browser's WebAssembly has no SIMD");
  const target = { arithmetic: arithmetic(), threads: availableThreads(), spreadsFrom: SPREADS_FROM };
  return await Promise.resolve(new CompiledWasm(target));
}

/** `target`: what may be used of what is there. */
export class CompiledWasm implements TrainingEngine {
  readonly name = 'compiled-wasm';
  readonly #target: Target;
  readonly #sessions = new Set<WasmSession>();
  /** Of the last session: few where a network is small. */
  #threads = 1;
  #closed = false;

  constructor(target: Target) {
    this.#target = target;
  }

  get adapter(): string {
    const cores = this.#threads === 1 ? 'one core' : `${this.#threads} cores`;
    return `WebAssembly with ${this.#target.arithmetic.fused ? 'relaxed ' : ''}SIMD, ${cores}`;
  }

  async open(network: Network): Promise<EngineSession> {
    if (this.#closed) throw new HushError('engine/closed', 'The compiled-wasm engine was closed.');
    const session = await WasmSession.open(placeNetwork(network), this.#target);
    this.#threads = session.threads;
    this.#sessions.add(session);
    return session;
  }

  close(): void {
    this.#closed = true;
    for (const session of this.#sessions) session.close();
    this.#sessions.clear();
  }
}
