/** The training engine on tfjs, whichever backend is under it. */
import { enableProdMode } from '@tensorflow/tfjs-core';
import type { EngineName, EngineSession, TrainingEngine } from '../../core/engine.ts';
import { placeNetwork } from '../../core/layerShapes.ts';
import type { Network } from '../../core/network.ts';
import type { Patience } from '../availability.ts';
import { activate, closeBackend, openBackend } from './backend.ts';
import type { Backend, BackendName } from './backend.ts';
import { checkKernels } from './kernels.ts';
import { TfjsSession } from './session.ts';
import { openTensorModel } from './tensorModel.ts';

// Without it every kernel's output is looked at for being of the right type.
enableProdMode();

/** @throws HushError `engine/unavailable`, saying why. */
export async function openTfjsEngine(name: BackendName, patience: Patience): Promise<TrainingEngine> {
  return new TfjsEngine(await openBackend(name, patience));
}

class TfjsEngine implements TrainingEngine {
  readonly #backend: Backend;
  readonly #sessions = new Set<TfjsSession>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get name(): EngineName {
    return this.#backend.name;
  }

  get adapter(): string {
    return this.#backend.adapter;
  }

  async open(network: Network): Promise<EngineSession> {
    const placed = placeNetwork(network);
    checkKernels(placed, this.#backend.name);
    await activate(this.#backend.name);
    const model = await openTensorModel(placed, this.#backend);
    const session = new TfjsSession(placed, this.#backend, model);
    this.#sessions.add(session);
    return session;
  }

  close(): void {
    for (const session of this.#sessions) session.close();
    this.#sessions.clear();
    closeBackend(this.#backend);
  }
}
