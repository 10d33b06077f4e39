/** A graphics device of our own, watched: what it lost, or could not give, is an error of whoever waits for it. */
import { HushError } from '../../core/errors.ts';
import { unavailable } from '../availability.ts';
import type { Patience } from '../availability.ts';
import { Failure } from '../failure.ts';
import { adapterName, inSoftware, isSoftware } from '../graphicsAdapter.ts';
import { webgpuOperationsPerSecond } from '../webgpuArithmetic.ts';
import { BINDINGS, READ_ONLY } from './wgsl.ts';

const NAME = 'compiled-webgpu';

/** WebAssembly does 3e10 on one core: an adapter below this is one in software. */
const MIN_OPERATIONS_PER_SECOND = 1e10;

const LIMITS = ['maxStorageBufferBindingSize', 'maxBufferSize', 'maxStorageBuffersPerShaderStage'] as const;

export class Device {
  readonly gpu: GPUDevice;
  readonly adapter: string;
  readonly failure: Failure;
  /** Every buffer, for every kernel. */
  readonly layout: GPUBindGroupLayout;
  readonly #pipelineLayout: GPUPipelineLayout;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #buffers = new Set<GPUBuffer>();
  #released = false;

  constructor(gpu: GPUDevice, adapter: string) {
    this.gpu = gpu;
    this.adapter = adapter;
    this.failure = new Failure();
    this.layout = gpu.createBindGroupLayout({
      entries: BINDINGS.map((name, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: READ_ONLY.has(name) ? 'read-only-storage' : 'storage' },
      })),
    });
    this.#pipelineLayout = gpu.createPipelineLayout({ bindGroupLayouts: [this.layout] });
    void gpu.lost.then((info) => {
      if (!this.#released) this.failure.fail(lost(info.message || info.reason));
    });
    gpu.addEventListener('uncapturederror', ({ error }) => {
      this.failure.fail(error instanceof GPUOutOfMemoryError ? outOfMemory() : failed(error.message));
    });
  }

  get liveBuffers(): number {
    return this.#buffers.size;
  }

  get liveBytes(): number {
    let bytes = 0;
    for (const { size } of this.#buffers) bytes += size;
    return bytes;
  }

  /** Compiles all that are new, side by side. The same text is compiled once. */
  async pipelines(codes: readonly string[]): Promise<GPUComputePipeline[]> {
    return await this.failure.guard(Promise.all(codes.map((code) => this.#pipeline(code))));
  }

  #pipeline(code: string): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(code);
    if (known) return known;
    const module = this.gpu.createShaderModule({ code });
    const pipeline = this.gpu.createComputePipelineAsync({
      layout: this.#pipelineLayout,
      compute: { module, entryPoint: 'main' },
    });
    this.#pipelines.set(code, pipeline);
    return pipeline;
  }

  /** Forgets pipelines that were only tried. */
  forget(codes: Iterable<string>): void {
    for (const code of codes) this.#pipelines.delete(code);
  }

  /** @throws HushError `engine/out-of-memory` when no buffer of this device can be so large. */
  checkSize(label: string, bytes: number): void {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.gpu.limits;
    if (bytes > Math.min(maxStorageBufferBindingSize, maxBufferSize)) {
      throw outOfMemory(`${label} needs ${bytes} bytes`);
    }
  }

  /** @throws HushError `engine/out-of-memory`. */
  async buffer(label: string, bytes: number, usage: GPUBufferUsageFlags): Promise<GPUBuffer> {
    this.failure.check();
    this.checkSize(label, bytes);
    // Whatever is bound needs a few bytes.
    const size = Math.max(16, 4 * Math.ceil(bytes / 4));
    this.gpu.pushErrorScope('out-of-memory');
    let buffer: GPUBuffer;
    try {
      buffer = this.gpu.createBuffer({ label, size, usage });
    } catch (cause) {
      // Chromium throws for a buffer that is mapped, or much too large.
      void this.gpu.popErrorScope().catch(() => undefined);
      throw outOfMemory(cause instanceof Error ? cause.message : String(cause));
    }
    this.#buffers.add(buffer);
    const error = await this.failure.guard(this.gpu.popErrorScope());
    if (!error) return buffer;
    this.free(buffer);
    throw outOfMemory(`${label} needs ${size} bytes`);
  }

  free(buffer: GPUBuffer): void {
    if (this.#buffers.delete(buffer)) buffer.destroy();
  }

  release(): void {
    this.#released = true;
    this.failure.fail(new HushError('engine/closed', `The ${NAME} engine was closed.`));
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers.clear();
    this.#pipelines.clear();
    this.gpu.destroy();
  }
}

/** Impatient: not when a quick look says that it is slow. @throws HushError `engine/unavailable`, saying why. */
export async function openDevice(patience: Patience): Promise<Device> {
  const gpu = typeof navigator === 'undefined' ? undefined : (navigator.gpu as GPU | undefined);
  if (!gpu) throw unavailable(NAME, 'this browser has no WebGPU');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw unavailable(NAME, 'the browser found no graphics adapter for WebGPU');
  const name = adapterName(adapter.info);
  if (patience === 'impatient' && isSoftware(name)) throw unavailable(NAME, inSoftware(name));
  const device = await deviceOf(adapter);
  if (patience === 'impatient') {
    const rate = await webgpuOperationsPerSecond(device);
    if (rate < MIN_OPERATIONS_PER_SECOND) {
      device.destroy();
      const billions = (rate / 1e9).toFixed(1);
      throw unavailable(
        NAME,
        `its adapter does ${billions} billion operations a second, slower than one processor core`,
      );
    }
  }
  return new Device(device, name);
}

async function deviceOf(adapter: GPUAdapter): Promise<GPUDevice> {
  const buffers = adapter.limits.maxStorageBuffersPerShaderStage;
  if (buffers < BINDINGS.length)
    throw unavailable(NAME, `its adapter binds ${buffers} buffers, not ${BINDINGS.length}`);
  try {
    const requiredLimits = Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]]));
    return await adapter.requestDevice({ requiredLimits });
  } catch (cause) {
    throw unavailable(NAME, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function lost(why: string): HushError {
  return new HushError('engine/lost', `The graphics device was lost: ${why}.`, {
    advice: 'The round goes on without this tab; another engine is chosen for the next one.',
  });
}

const ROOM = 'Close other tabs that use the graphics card, or lower the batch size in the plan.';

function failed(why: string): HushError {
  return new HushError('engine/lost', `The graphics device failed: ${why}`, { advice: ROOM });
}

function outOfMemory(why?: string): HushError {
  const text = why ? `The graphics card has no memory left: ${why}.` : 'The graphics card has no memory left.';
  return new HushError('engine/out-of-memory', text, { advice: ROOM });
}
