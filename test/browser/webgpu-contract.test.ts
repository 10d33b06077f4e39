/** The compiled engine for WebGPU against the contract of engines, and beside plain JavaScript. */
import { openCompiledWebgpu } from '../../src/engine/webgpu/engine.ts';
import { engineContract } from '../contract/engineContract.ts';

// Without a card each random network takes two seconds to compile.
engineContract('compiled-webgpu', () => openCompiledWebgpu('patient', 'register-4x8'), { lacks: ['lstm'], runs: 12 });
