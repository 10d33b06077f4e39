/** WebGPU on a device of our own: tfjs neither survives a missing adapter nor notices a lost device. */
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { env } from '@tensorflow/tfjs-core';
import { HushError } from '../../core/errors.ts';
import { unavailable } from '../availability.ts';
import type { Patience } from '../availability.ts';
import { install } from './backend.ts';
import type { Backend } from './backend.ts';
import type { Failure } from '../failure.ts';
import { adapterName, inSoftware, isSoftware } from '../graphicsAdapter.ts';
import { webgpuOperationsPerSecond } from '../webgpuArithmetic.ts';

/** WebAssembly does 3e10 on one core: an adapter below this is one in software. */
const MIN_OPERATIONS_PER_SECOND = 1e10;

/** A step of a small model is bound by submissions, 15 dispatches each by default; more would hold more memory. */
const DISPATCHES_PER_SUBMIT = 100;

const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

export async function openWebgpu(failure: Failure, patience: Patience): Promise<Backend> {
  const gpu = typeof navigator === 'undefined' ? undefined : (navigator.gpu as GPU | undefined);
  if (!gpu) throw unavailable('webgpu', 'this browser has no WebGPU');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw unavailable('webgpu', 'the browser found no graphics adapter for WebGPU');
  const name = adapterName(adapter.info);
  if (patience === 'impatient' && isSoftware(name)) throw unavailable('webgpu', inSoftware(name));
  const device = await deviceOf(adapter);
  if (patience === 'impatient') {
    const rate = await webgpuOperationsPerSecond(device);
    if (rate < MIN_OPERATIONS_PER_SECOND) {
      device.destroy();
      const billions = (rate / 1e9).toFixed(1);
      throw unavailable(
        'webgpu',
        `its adapter does ${billions} billion operations a second, slower than one processor core`,
      );
    }
  }
  let released = false;
  void device.lost.then((info) => {
    if (released) return;
    failure.fail(
      new HushError('engine/lost', `The graphics device was lost: ${info.message || info.reason}.`, {
        advice: 'The round goes on without this tab; another engine is chosen for the next one.',
      }),
    );
  });
  device.addEventListener('uncapturederror', ({ error }) => {
    const outOfMemory = error instanceof GPUOutOfMemoryError;
    failure.fail(
      new HushError(
        outOfMemory ? 'engine/out-of-memory' : 'engine/lost',
        outOfMemory ? 'The graphics card has no memory left.' : `The graphics device failed: ${error.message}`,
        { advice: 'Close other tabs that use the graphics card, or lower the batch size in the plan.' },
      ),
    );
  });
  env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', DISPATCHES_PER_SUBMIT);
  await install('webgpu', new WebGPUBackend(device, adapter.info));
  return {
    name: 'webgpu',
    adapter: name,
    copiesTransposed: false,
    failure,
    release: () => {
      released = true;
      device.destroy();
    },
  };
}

async function deviceOf(adapter: GPUAdapter): Promise<GPUDevice> {
  try {
    const requiredLimits = Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]]));
    return await adapter.requestDevice({ requiredLimits });
  } catch (cause) {
    throw unavailable('webgpu', cause instanceof Error ? cause.message : String(cause), cause);
  }
}
