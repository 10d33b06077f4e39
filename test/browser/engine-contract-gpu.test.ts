/** The engines on tfjs that use a graphics card keep the contract of an engine. */
import type { EngineName } from '../../src/core/engine.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { engineContract } from '../contract/engineContract.ts';

/** Where the browser has WebGL 2 for it; WebGPU must be there. */
const WEBGL: readonly EngineName[] = new OffscreenCanvas(1, 1).getContext('webgl2', {
  failIfMajorPerformanceCaveat: true,
})
  ? ['webgl']
  : [];

for (const name of ['webgpu', ...WEBGL] as const) {
  // A third of the layers, and gradients alone: without a card each new shape is compiled and computed in software.
  engineContract(name, () => openEngine(name), { runs: 1, curves: false });
}
