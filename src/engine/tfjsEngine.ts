/** The training engine on tfjs, whichever backend is under it. */
import { enableProdMode } from '@tensorflow/tfjs-core';
import type { EngineName, EngineSession, TrainingEngine } from '../core/engine.ts';
import type { ModelSpec } from '../core/modelSpec.ts';
import { closeBackend, openBackend } from './backend.ts';
import type { Backend, Patience } from './backend.ts';
import { TfjsSession } from './session.ts';

// Without it every kernel's output is looked at for being of the right type.
enableProdMode();

/** @throws HushError `engine/unavailable`, saying why. */
export async function openEngine(name: EngineName, patience: Patience = 'patient'): Promise<TrainingEngine> {
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

  open(spec: ModelSpec): Promise<EngineSession> {
    const session = new TfjsSession(spec, this.#backend);
    this.#sessions.add(session);
    return Promise.resolve(session);
  }

  close(): void {
    for (const session of this.#sessions) session.close();
    this.#sessions.clear();
    closeBackend(this.#backend);
  }
}
