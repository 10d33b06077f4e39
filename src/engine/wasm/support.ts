/** What the WebAssembly at hand can do. */
import { code, drop, f32x4, v128 } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import { FunctionBuilder, ModuleBuilder } from '../../core/wasmModule.ts';
import type { Arithmetic } from './product.ts';

const ZERO = v128.constant(Array.from({ length: 16 }, () => 0));

function accepts(...body: readonly Code[]): boolean {
  const f = new FunctionBuilder();
  f.append(...body, drop);
  const module = new ModuleBuilder();
  module.define(f);
  return WebAssembly.validate(module.bytes({ pages: 1 }, 'own'));
}

export function hasSimd(): boolean {
  return accepts(code(ZERO, ZERO, f32x4.add));
}

export function arithmetic(): Arithmetic {
  return { fused: accepts(code(ZERO, ZERO, ZERO, f32x4.relaxedMultiplyAdd)) };
}
