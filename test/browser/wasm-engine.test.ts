/** The compiled WebAssembly engine in a browser: with relaxed SIMD where there is one, and without. */
import { describe, expect, it } from 'vitest';
import { CompiledWasm, openCompiledWasm } from '../../src/engine/wasm/compiledWasm.ts';
import type { Target } from '../../src/engine/wasm/target.ts';
import { engineContract } from '../contract/engineContract.ts';

const PLAIN: Target = { arithmetic: { fused: false }, threads: 1, spreadsFrom: 0 };

engineContract('compiled-wasm', () => openCompiledWasm(), { lacks: ['lstm'] });

describe('without relaxed SIMD', () => {
  engineContract('compiled-wasm', () => Promise.resolve(new CompiledWasm(PLAIN)), {
    lacks: ['lstm'],
    runs: 10,
  });
});

describe('what it says of itself', () => {
  it('names relaxed SIMD, which Chromium has', async () => {
    const engine = await openCompiledWasm();
    expect(engine.adapter).toContain('WebAssembly with relaxed SIMD');
    engine.close();
    expect(new CompiledWasm(PLAIN).adapter).toContain('WebAssembly with SIMD');
  });
});
