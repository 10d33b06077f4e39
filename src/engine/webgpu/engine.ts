/** Training compiled for WebGPU: a network becomes a fixed list of shaders, and a step is nothing but to start them. */
import type { EngineName, TrainingEngine } from '../../core/engine.ts';
import { placeNetwork } from '../../core/layerShapes.ts';
import type { Network } from '../../core/network.ts';
import type { Patience } from '../availability.ts';
import { openDevice } from './device.ts';
import type { Device } from './device.ts';
import type { KernelChoice } from './programs.ts';
import { CompiledSession } from './session.ts';

/** @throws HushError `engine/unavailable`, saying why. */
export async function openCompiledWebgpu(patience: Patience, choice: KernelChoice = 'timed'): Promise<CompiledWebgpu> {
  return new CompiledWebgpu(await openDevice(patience), choice);
}

export class CompiledWebgpu implements TrainingEngine {
  readonly name: EngineName = 'compiled-webgpu';
  readonly #device: Device;
  readonly #choice: KernelChoice;
  readonly #sessions = new Set<CompiledSession>();

  constructor(device: Device, choice: KernelChoice) {
    this.#device = device;
    this.#choice = choice;
  }

  get adapter(): string {
    return this.#device.adapter;
  }

  /** @throws HushError `engine/unsupported`, naming the layer. */
  async open(network: Network): Promise<CompiledSession> {
    const session = new CompiledSession(placeNetwork(network), this.#device, this.#choice);
    this.#sessions.add(session);
    return session;
  }

  close(): void {
    for (const session of this.#sessions) session.close();
    this.#sessions.clear();
    this.#device.release();
  }
}
