/** A tfjs backend that is set up, watched and given back. Each has a file of its own, loaded only when it is opened. */
import { findBackendFactory, getBackend, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import type { KernelBackend } from '@tensorflow/tfjs-core';
import { HushError } from '../../core/errors.ts';
import { unavailable } from '../availability.ts';
import type { Patience } from '../availability.ts';
import { Failure } from '../failure.ts';

/** What tfjs calls them, too. */
export type BackendName = 'webgpu' | 'wasm' | 'webgl' | 'cpu';

export interface Backend {
  readonly name: BackendName;
  /** What the adapter calls itself, or the backend's own description. */
  readonly adapter: string;
  /** Copying a matrix transposed and then multiplying plainly is faster than the kernel's transpose flags. */
  readonly copiesTransposed: boolean;
  readonly failure: Failure;
  /** Frees what the backend's own `dispose` leaves. */
  release(): void;
}

/** Impatient: not when a quick look says that it is slow. @throws HushError `engine/unavailable`, saying why. */
export async function openBackend(name: BackendName, patience: Patience): Promise<Backend> {
  const failure = new Failure();
  switch (name) {
    case 'cpu':
      return await (await import('./cpuBackend.ts')).openCpu(failure);
    case 'wasm':
      return await (await import('./wasmBackend.ts')).openWasm(failure);
    case 'webgl':
      return await (await import('./webglBackend.ts')).openWebgl(failure, patience);
    case 'webgpu':
      return await (await import('./webgpuBackend.ts')).openWebgpu(failure, patience);
    default:
      throw unavailable(name satisfies never, 'no such engine');
  }
}

/** Makes `instance` the backend of its name, in place of the one that the package registers by being imported. */
export async function install(name: BackendName, instance: KernelBackend): Promise<void> {
  if (findBackendFactory(name)) removeBackend(name);
  registerBackend(name, () => instance);
  if (!(await setBackend(name))) throw unavailable(name, 'the backend did not start');
}

/** tfjs has one active backend for a whole worker. */
export async function activate(name: BackendName): Promise<void> {
  if (getBackend() !== name) await setBackend(name);
}

export function closeBackend(backend: Backend): void {
  backend.failure.fail(new HushError('engine/closed', `The ${backend.name} engine was closed.`));
  if (findBackendFactory(backend.name)) removeBackend(backend.name);
  backend.release();
}
