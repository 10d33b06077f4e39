/** The buffers of one session beside its data sets. Each grows when a program needs more, and is used again by the next. */
import type { Device } from './device.ts';
import type { Resident } from './datasets.ts';
import { BINDINGS } from './wgsl.ts';
import type { Binding } from './wgsl.ts';

export type Own = Exclude<Binding, 'data' | 'labels'> | 'readBack';

export class Storage {
  readonly #device: Device;
  readonly #buffers = new Map<Own, GPUBuffer>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** Makes room; what was in a buffer that had to grow is gone, but for the parameters there never is more. */
  async reserve(bytes: Readonly<Partial<Record<Own, number>>>): Promise<void> {
    for (const [name, size = 0] of Object.entries(bytes) as [Own, number | undefined][]) {
      const buffer = this.#buffers.get(name);
      if (buffer && buffer.size >= size) continue;
      if (buffer) this.#device.free(buffer);
      this.#buffers.delete(name);
      this.#buffers.set(name, await this.#device.buffer(name, size, usageOf(name)));
    }
  }

  of(name: Own): GPUBuffer {
    const buffer = this.#buffers.get(name);
    if (!buffer) throw new RangeError(`no room was reserved for "${name}"`);
    return buffer;
  }

  bindGroup({ inputs, labels }: Pick<Resident, 'inputs' | 'labels'>): GPUBindGroup {
    return this.#device.gpu.createBindGroup({
      layout: this.#device.layout,
      entries: BINDINGS.map((name, binding) => {
        const buffer = name === 'data' ? inputs : name === 'labels' ? labels : this.of(name);
        return { binding, resource: { buffer } };
      }),
    });
  }

  clear(): void {
    for (const buffer of this.#buffers.values()) this.#device.free(buffer);
    this.#buffers.clear();
  }
}

function usageOf(name: Own): GPUBufferUsageFlags {
  if (name === 'readBack') return GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  return GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
}
