/** Data sets that lie on the device as long as they are used: each is uploaded once. */
import type { Examples } from '../../core/dataset.ts';
import type { PlacedNetwork } from '../../core/layerShapes.ts';
import type { Device } from './device.ts';
import { rowStride } from './wgsl.ts';
import type { DataKind } from './wgsl.ts';

/** A participant has three parts, and something may be measured besides. */
const MOST = 4;
const CHUNK_ROWS = 4096;

export interface Resident {
  readonly kind: DataKind;
  /** Values from one row to the next. */
  readonly stride: number;
  readonly inputs: GPUBuffer;
  readonly labels: GPUBuffer;
}

export function dataKind({ inputs }: Examples): DataKind {
  if (inputs instanceof Uint8Array) return 'bytes';
  return inputs instanceof Float32Array ? 'floats' : 'integers';
}

export class Datasets {
  readonly #device: Device;
  readonly #placed: PlacedNetwork;
  /** In the order of their last use. */
  readonly #resident = new Map<Examples, Resident>();

  constructor(device: Device, placed: PlacedNetwork) {
    this.#device = device;
    this.#placed = placed;
  }

  /** @throws HushError `engine/out-of-memory`. */
  async of(examples: Examples): Promise<Resident> {
    const known = this.#resident.get(examples);
    if (known) {
      this.#resident.delete(examples);
      this.#resident.set(examples, known);
      return known;
    }
    for (const [oldest] of this.#resident) {
      if (this.#resident.size < MOST) break;
      this.#forget(oldest);
    }
    const resident = await this.#upload(examples);
    this.#resident.set(examples, resident);
    return resident;
  }

  /** How many buffers they take. */
  get buffers(): number {
    return 2 * this.#resident.size;
  }

  clear(): void {
    for (const examples of this.#resident.keys()) this.#forget(examples);
  }

  #forget(examples: Examples): void {
    const resident = this.#resident.get(examples);
    this.#resident.delete(examples);
    if (!resident) return;
    this.#device.free(resident.inputs);
    this.#device.free(resident.labels);
  }

  async #upload(examples: Examples): Promise<Resident> {
    const { count, width, labels } = examples;
    const kind = dataKind(examples);
    const stride = rowStride(kind, width);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const { queue } = this.#device.gpu;
    const inputs = await this.#device.buffer('data set', count * stride * (kind === 'bytes' ? 1 : 4), usage);
    try {
      const classes = this.#placed.network.loss === 'softmax-cross-entropy';
      const targets = classes ? Uint32Array.from(labels) : Float32Array.from(labels);
      const buffer = await this.#device.buffer('labels', targets.byteLength, usage);
      queue.writeBuffer(buffer, 0, targets);
      if (stride === width) queue.writeBuffer(inputs, 0, examples.inputs as Float32Array<ArrayBuffer>);
      else this.#uploadPadded(examples, stride, inputs);
      return { kind, stride, inputs, labels: buffer };
    } catch (thrown) {
      this.#device.free(inputs);
      throw thrown;
    }
  }

  /** Rows of bytes that do not end at a whole word. */
  #uploadPadded({ count, width, inputs }: Examples, stride: number, to: GPUBuffer): void {
    for (let from = 0; from < count; from += CHUNK_ROWS) {
      const rows = Math.min(CHUNK_ROWS, count - from);
      const chunk = new Uint8Array(rows * stride);
      for (let i = 0; i < rows; i++) {
        chunk.set(inputs.subarray((from + i) * width, (from + i + 1) * width), i * stride);
      }
      this.#device.gpu.queue.writeBuffer(to, from * stride, chunk);
    }
  }
}
