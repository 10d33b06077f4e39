/** Plain JavaScript: slow, everywhere, and the reference for the others. */
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { install } from './backend.ts';
import type { Backend } from './backend.ts';
import { registerCpuKernels } from './cpuKernels.ts';
import type { Failure } from '../failure.ts';

export async function openCpu(failure: Failure): Promise<Backend> {
  registerCpuKernels();
  await install('cpu', new MathBackendCPU());
  return { name: 'cpu', adapter: 'JavaScript, one core', copiesTransposed: false, failure, release: () => undefined };
}
