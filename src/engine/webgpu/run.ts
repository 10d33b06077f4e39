/** Steps of one program on one data set, in submits that are short enough, until they are done or stopped. */
import { HushError } from '../../core/errors.ts';
import { Cadence } from './cadence.ts';
import type { Device } from './device.ts';
import type { Dispatch } from './program.ts';
import { CONTROL } from './wgsl.ts';

export interface Ready {
  readonly dispatches: readonly Dispatch[];
  readonly pipelines: readonly GPUComputePipeline[];
  /** Dispatches of a submit when the last run ended. */
  cadence: number;
}

const REPORT_EVERY_MS = 500;

/** A run is at least so many submits, so that it can be paused and stopped. */
const MIN_SUBMITS = 8;

export interface RunOptions {
  readonly device: Device;
  readonly ready: Ready;
  readonly bindGroup: GPUBindGroup;
  readonly control: GPUBuffer;
  readonly steps: number;
  /** Before each submit: waits while paused, throws when stopped. `settle` resolves when all that was submitted is done. */
  readonly proceed: (settle: () => Promise<void>) => Promise<void> | void;
  /** How many steps may go out at once from this one on, at least 1; what they need is written before it returns. */
  readonly prepare: (step: number) => number;
  /** About twice a second. */
  readonly report: (steps: number) => void;
}

export interface RunCost {
  readonly encodeMs: number;
  readonly submits: number;
}

/** @throws HushError `engine/not-finite` as soon as a loss was seen that is no number; whatever `proceed` throws. */
export async function runSteps(options: RunOptions): Promise<RunCost> {
  const { device, ready, bindGroup, steps, proceed, prepare, report } = options;
  const { queue } = device.gpu;
  const perStep = ready.dispatches.length;
  const cadence = new Cadence(() => device.failure.guard(queue.onSubmittedWorkDone()), perStep, ready.cadence);
  const watch = new Watch(options);
  const settle = (): Promise<void> => cadence.settle();
  let encodeMs = 0;
  let submits = 0;
  let reportAtMs = performance.now() + REPORT_EVERY_MS;
  const submit = async (size: number, from: number, to: number, count: number): Promise<void> => {
    const wait = proceed(settle);
    if (wait) await wait;
    device.failure.check();
    watch.check();
    const startMs = performance.now();
    queue.submit([encode(device, ready, bindGroup, from, to, count)]);
    encodeMs += performance.now() - startMs;
    submits++;
    await cadence.submitted(size, to === perStep);
  };
  try {
    for (let step = 0; step < steps;) {
      const { size } = cadence;
      const whole = Math.floor(size / perStep);
      const count = Math.min(Math.max(1, whole), prepare(step), Math.ceil(steps / MIN_SUBMITS), steps - step);
      if (whole > 0) await submit(count * perStep, 0, perStep, count);
      else for (let from = 0; from < perStep; from += size) await submit(size, from, Math.min(from + size, perStep), 1);
      step += count;
      if (performance.now() < reportAtMs) continue;
      reportAtMs = performance.now() + REPORT_EVERY_MS;
      report(step);
      watch.look();
    }
    await cadence.settle();
    ready.cadence = cadence.size;
    return { encodeMs, submits };
  } finally {
    // After a stop too, nothing of this run may still be on its way.
    await cadence.settle().catch(() => undefined);
    await watch.close();
  }
}

/** The dispatches of a step from `from` up to `to`, `count` times. */
function encode(
  device: Device,
  { dispatches, pipelines }: Ready,
  bindGroup: GPUBindGroup,
  from: number,
  to: number,
  count: number,
): GPUCommandBuffer {
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setBindGroup(0, bindGroup);
  for (let step = 0; step < count; step++) {
    for (let i = from; i < to; i++) {
      const [dispatch, pipeline] = [dispatches[i], pipelines[i]];
      if (!dispatch || !pipeline) continue;
      pass.setPipeline(pipeline);
      pass.dispatchWorkgroups(dispatch.grid[0], dispatch.grid[1]);
    }
  }
  pass.end();
  return encoder.finish();
}

/** Looks now and then, without holding the run up, whether a loss was not finite. */
class Watch {
  readonly #options: RunOptions;
  #buffer: GPUBuffer | undefined;
  #looking: Promise<void> | undefined;
  #broken = false;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  check(): void {
    if (!this.#broken) return;
    throw new HushError('engine/not-finite', 'Training diverged: the loss became infinite or no number.', {
      advice: 'Lower the learning rate in the plan.',
    });
  }

  look(): void {
    this.#looking ??= this.#look()
      .catch(() => undefined)
      .finally(() => {
        this.#looking = undefined;
      });
  }

  async #look(): Promise<void> {
    const { device, control } = this.#options;
    this.#buffer ??= await device.buffer('watch', 4, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    const encoder = device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(control, 4 * CONTROL.broken, this.#buffer, 0, 4);
    device.gpu.queue.submit([encoder.finish()]);
    await device.failure.guard(this.#buffer.mapAsync(GPUMapMode.READ));
    this.#broken = new Uint32Array(this.#buffer.getMappedRange())[0] === 1;
    this.#buffer.unmap();
  }

  async close(): Promise<void> {
    await this.#looking;
    if (this.#buffer) this.#options.device.free(this.#buffer);
  }
}
