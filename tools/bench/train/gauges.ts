/** What a thread's engines do behind their interface: dispatches, memory, and the time that JavaScript takes. */

/** Bytes of one device's buffers that were not given back. */
interface Device {
  bytes: number;
}

export class GpuGauge {
  dispatches = 0;
  /** A dispatch of no workgroups costs JavaScript what any other does, and the device nothing. */
  emptyDispatches = false;
  #bytes = 0;
  #peakBytes = 0;
  readonly #buffers = new WeakMap<GPUBuffer, { readonly device: Device; readonly size: number }>();
  readonly #devices = new WeakMap<GPUDevice, Device>();

  get bytes(): number {
    return this.#bytes;
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** To be called before any device is asked for; does nothing where there is no WebGPU. */
  install(): void {
    if (typeof GPUDevice === 'undefined') return;
    wrap(
      GPUDevice.prototype,
      'createBuffer',
      (device, create: (made: GPUBufferDescriptor) => GPUBuffer, [descriptor]) => {
        const buffer = create(descriptor);
        this.#created(device, buffer, descriptor.size);
        return buffer;
      },
    );
    wrap(GPUBuffer.prototype, 'destroy', (buffer, destroy: () => undefined) => {
      this.#destroyed(buffer);
      return destroy();
    });
    wrap(GPUDevice.prototype, 'destroy', (gpu, destroy: () => undefined) => {
      const device = this.#devices.get(gpu);
      if (device) {
        this.#bytes -= device.bytes;
        device.bytes = 0;
      }
      return destroy();
    });
    wrap(
      GPUComputePassEncoder.prototype,
      'dispatchWorkgroups',
      (_pass, dispatch: (x: number, y?: number, z?: number) => undefined, size) => {
        this.dispatches++;
        return this.emptyDispatches ? dispatch(0) : dispatch(...size);
      },
    );
  }

  #created(gpu: GPUDevice, buffer: GPUBuffer, size: number): void {
    const device = this.#devices.get(gpu) ?? { bytes: 0 };
    this.#devices.set(gpu, device);
    device.bytes += size;
    this.#bytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    this.#buffers.set(buffer, { device, size });
  }

  #destroyed(buffer: GPUBuffer): void {
    const known = this.#buffers.get(buffer);
    if (!known || !this.#buffers.delete(buffer) || known.device.bytes === 0) return;
    known.device.bytes -= known.size;
    this.#bytes -= known.size;
  }
}

/** Puts `around` in the place of a method of all objects of a class; it is given the method, bound to its object. */
function wrap<This extends object, Args extends unknown[], Result>(
  prototype: This,
  name: keyof This & string,
  around: (self: This, method: (...args: Args) => Result, args: Args) => Result,
): void {
  const method = prototype[name] as (...args: Args) => Result;
  Object.defineProperty(prototype, name, {
    configurable: true,
    writable: true,
    value(this: This, ...args: Args): Result {
      return around(this, (...given) => method.apply(this, given), args);
    },
  });
}

/** The linear memories of this thread's WebAssembly modules, which never shrink. */
export class WasmGauge {
  readonly #memories = new Set<WebAssembly.Memory>();

  get bytes(): number {
    return [...this.#memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  }

  /** To be called before any module is instantiated. */
  install(): void {
    const memories = this.#memories;
    const note = ({ exports }: WebAssembly.Instance): void => {
      for (const value of Object.values(exports)) if (value instanceof WebAssembly.Memory) memories.add(value);
    };
    WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
      construct(target, args: [WebAssembly.MemoryDescriptor]) {
        const memory = new target(...args);
        memories.add(memory);
        return memory;
      },
    });
    WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
      construct(target, args: [WebAssembly.Module, WebAssembly.Imports?]) {
        const instance = new target(...args);
        note(instance);
        return instance;
      },
    });
    for (const name of ['instantiate', 'instantiateStreaming'] as const) {
      const instantiate = WebAssembly[name] as (source: unknown, imports?: WebAssembly.Imports) => Promise<Made>;
      Object.assign(WebAssembly, {
        async [name](source: unknown, imports?: WebAssembly.Imports): Promise<Made> {
          const made = await instantiate(source, imports);
          note('instance' in made ? made.instance : made);
          return made;
        },
      });
    }
  }
}

type Made = WebAssembly.Instance | { readonly instance: WebAssembly.Instance };

const CALIBRATION_MS = 150;

/**
 * Milliseconds during which this thread ran JavaScript while `work` was under way. The thread sends itself a message over
 * and over: what its way takes longer than on an idle thread was something else's time. Whatever an engine awaits, a
 * read-back or its turn, costs nothing; the same for every engine.
 */
export async function busyMs(work: () => Promise<unknown>): Promise<number> {
  const idle = await pinged(new Promise((resolve) => setTimeout(resolve, CALIBRATION_MS)));
  const busy = await pinged(work());
  return Math.max(0, busy.tookMs - (busy.pings * idle.tookMs) / idle.pings);
}

async function pinged(until: Promise<unknown>): Promise<{ readonly tookMs: number; readonly pings: number }> {
  const startMs = performance.now();
  let pings = 0;
  let over = false;
  const end = (): void => {
    over = true;
  };
  until.then(end, end);
  await new Promise<void>((resolve) => {
    // Node handles up to a thousand messages of a port before anything else gets its turn.
    const channel = typeof setImmediate === 'function' ? undefined : new MessageChannel();
    const again = (): void => {
      pings++;
      if (!over) return send();
      channel?.port1.close();
      resolve();
    };
    const send = (): void => {
      if (channel) channel.port2.postMessage(null);
      else setImmediate(again);
    };
    channel?.port1.addEventListener('message', again);
    channel?.port1.start();
    send();
  });
  await until;
  return { tookMs: performance.now() - startMs, pings };
}
