/** Kernels timed on buffers of their own: what they compute is of no use to anybody. */
import type { Device } from './device.ts';
import { columnKernel, rowKernel, variantsFor } from './kernels.ts';
import type { Product, Variant } from './kernels.ts';
import type { Emission } from './product.ts';
import { BINDINGS, gridOf, shader } from './wgsl.ts';
import type { Binding, DataKind } from './wgsl.ts';

/** How long one look at one kernel may take; a slower one is started once. */
const LOOK_MS = 4;
const MAX_REPEATS = 64;
const CONTROL_BYTES = 1024;

export interface TuningTask {
  readonly products: readonly Product[];
  /** Values of the arena in which the products' tensors have their places. */
  readonly arena: number;
  readonly parameters: number;
  readonly rows: number;
  /** Values of one row of the data set. */
  readonly stride: number;
  readonly kind: DataKind;
}

type Wanted = (variant: Variant) => boolean;

export class TuningBench {
  readonly #device: Device;
  readonly #task: TuningTask;
  readonly #arena: number;
  readonly #buffers: readonly GPUBuffer[];
  readonly #bindGroup: GPUBindGroup;
  readonly #codes = new Set<string>();
  /** What all looks together took. */
  timedMs = 0;

  private constructor(device: Device, task: TuningTask, arena: number, buffers: readonly GPUBuffer[]) {
    this.#device = device;
    this.#task = task;
    this.#arena = arena;
    this.#buffers = buffers;
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    this.#bindGroup = device.gpu.createBindGroup({ layout: device.layout, entries });
  }

  /** @throws HushError `engine/out-of-memory`. */
  static async open(device: Device, task: TuningTask, products: readonly Product[]): Promise<TuningBench> {
    const results = products.map((product) => product.n * (product.kind === 'rows' ? product.m : product.k + 1));
    const arena = Math.max(task.arena, ...results);
    const bytes: Partial<Record<Binding, number>> = {
      params: 4 * task.parameters,
      arena: 4 * arena,
      data: 4 * task.stride,
      order: 4 * task.rows,
      control: CONTROL_BYTES,
    };
    const buffers: GPUBuffer[] = [];
    try {
      for (const name of BINDINGS) buffers.push(await device.buffer(name, bytes[name] ?? 0, GPUBufferUsage.STORAGE));
    } catch (thrown) {
      for (const buffer of buffers) device.free(buffer);
      throw thrown;
    }
    return new TuningBench(device, task, arena, buffers);
  }

  async compile(products: readonly Product[], wanted: Wanted): Promise<void> {
    await this.#device.pipelines(
      products.flatMap((product) =>
        variantsFor(product)
          .filter(wanted)
          .map((variant) => this.#kernel(product, variant).code),
      ),
    );
  }

  /** Milliseconds of each kernel that computes the product. */
  async times(product: Product, wanted: Wanted): Promise<Map<Variant, number>> {
    await this.compile([product], wanted);
    const times = new Map<Variant, number>();
    for (const variant of variantsFor(product).filter(wanted)) {
      const { code, grid } = this.#kernel(product, variant);
      const [pipeline] = await this.#device.pipelines([code]);
      if (!pipeline) continue;
      // The first start of a pipeline is not like the others.
      const firstMs = Math.min(await this.#timed(pipeline, grid, 1), await this.#timed(pipeline, grid, 1));
      const repeats = Math.min(MAX_REPEATS, Math.floor(LOOK_MS / firstMs));
      times.set(variant, repeats > 1 ? (await this.#timed(pipeline, grid, repeats)) / repeats : firstMs);
    }
    return times;
  }

  close(): void {
    for (const buffer of this.#buffers) this.#device.free(buffer);
    this.#device.forget(this.#codes);
  }

  #kernel(product: Product, variant: Variant): { readonly code: string; readonly grid: readonly [number, number] } {
    const { n } = product;
    const put = (row: string): string =>
      [0, 1, 2, 3]
        .map((lane) => `arena[min(${row} * ${n}u + n + ${lane}u, ${this.#arena - 1}u)] = value[${lane}];`)
        .join(' ');
    const emission: Emission = {
      label: 'timed',
      tensors: [],
      declarations: () => `fn emit(m: u32, n: u32, value: vec4<f32>) { ${put('m')} }
fn emitBias(n: u32, value: vec4<f32>) { ${put('0u')} }`,
    };
    const kernel =
      product.kind === 'rows' ? rowKernel(product, variant, emission) : columnKernel(product, variant, emission, 1);
    const { kind, rows } = this.#task;
    const code = shader(kernel, 'middle', kind, rows, true);
    this.#codes.add(code);
    return { code, grid: gridOf(kernel.workgroups) };
  }

  async #timed(pipeline: GPUComputePipeline, grid: readonly [number, number], repeats: number): Promise<number> {
    const { gpu, failure } = this.#device;
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.#bindGroup);
    for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(grid[0], grid[1]);
    pass.end();
    const startMs = performance.now();
    gpu.queue.submit([encoder.finish()]);
    await failure.guard(gpu.queue.onSubmittedWorkDone());
    const tookMs = performance.now() - startMs;
    this.timedMs += tookMs;
    return tookMs;
  }
}
