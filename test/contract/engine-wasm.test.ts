/** The compiled WebAssembly engine, where there is no relaxed SIMD. */
import { openCompiledWasm } from '../../src/engine/wasm/compiledWasm.ts';
import { engineContract } from './engineContract.ts';

engineContract('compiled-wasm', () => openCompiledWasm(), { lacks: ['lstm'], runs: 60 });
