/** Instructions written as expressions: operands first, so that a kernel reads like the formula that it computes. */
import { code, f32x4, f64, float32Bytes, i32, i32x4, i8x16, select, v128 } from '../../core/wasmAssembler.ts';
import type { Code } from '../../core/wasmAssembler.ts';
import type { FunctionBuilder, Local } from '../../core/wasmModule.ts';

type Binary = (a: Code, b: Code) => Code;
type Unary = (a: Code) => Code;
const binary =
  (operation: Code): Binary =>
  (a, b) => [...a, ...b, ...operation];
const unary =
  (operation: Code): Unary =>
  (a) => [...a, ...operation];

/** Addresses and counts. */
export const int = {
  of: (value: number): Code => i32.constant(value),
  add: binary(i32.add),
  subtract: binary(i32.subtract),
  multiply: binary(i32.multiply),
  divide: binary(i32.divideUnsigned),
  remainder: binary(i32.remainderUnsigned),
  and: binary(i32.and),
  below: binary(i32.lessUnsigned),
  atLeast: binary(i32.greaterOrEqualUnsigned),
  smaller: (a: Code, b: Code): Code => code(a, b, a, b, i32.lessUnsigned, select),
  plus: (a: Code, value: number): Code => (value === 0 ? a : [...a, ...i32.constant(value), ...i32.add]),
  times: (a: Code, value: number): Code => (value === 1 ? a : [...a, ...i32.constant(value), ...i32.multiply]),
  load: (address: Code, offset = 0): Code => [...address, ...i32.load(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [...address, ...value, ...i32.store(offset)],
};

const word = (value: number): number[] => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];

/** Four float32 side by side. */
export const vec = {
  of: (value: number): Code => v128.constant([0, 1, 2, 3].flatMap(() => [...float32Bytes(value)])),
  words: (a: number, b: number, c: number, d: number): Code => v128.constant([a, b, c, d].flatMap(word)),
  add: binary(f32x4.add),
  subtract: binary(f32x4.subtract),
  multiply: binary(f32x4.multiply),
  divide: binary(f32x4.divide),
  minimum: binary(f32x4.minimum),
  maximum: binary(f32x4.maximum),
  equal: binary(f32x4.equal),
  greater: binary(f32x4.greater),
  and: binary(v128.and),
  andNot: binary(v128.andNot),
  or: binary(v128.or),
  xor: binary(v128.xor),
  nearest: unary(f32x4.nearest),
  squareRoot: unary(f32x4.squareRoot),
  splat: unary(f32x4.splat),
  load: (address: Code, offset = 0): Code => [...address, ...v128.load(offset)],
  loadSplat: (address: Code, offset = 0): Code => [...address, ...v128.load32Splat(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [...address, ...value, ...v128.store(offset)],
  lane: (a: Code, lane: number): Code => [...a, ...f32x4.lane(lane)],
};

/** Four 32-bit words side by side, modulo 2^32. */
export const words = {
  splat: unary(i32x4.splat),
  add: binary(i32x4.add),
  multiply: binary(i32x4.multiply),
  xor: binary(v128.xor),
  atLeast: binary(i32x4.greaterOrEqualUnsigned),
  shiftLeft: (a: Code, bits: number): Code => code(a, int.of(bits), i32x4.shiftLeft),
  shiftRight: (a: Code, bits: number): Code => code(a, int.of(bits), i32x4.shiftRightUnsigned),
  fromFloats: unary(i32x4.fromFloats),
  toFloats: unary(f32x4.fromIntegers),
};

export const double = {
  of: (value: number): Code => f64.constant(value),
  add: binary(f64.add),
  multiply: binary(f64.multiply),
  divide: binary(f64.divide),
  minimum: binary(f64.minimum),
  load: (address: Code, offset = 0): Code => [...address, ...f64.load(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [...address, ...value, ...f64.store(offset)],
};

const lanes = (...picked: readonly number[]): number[] =>
  picked.flatMap((w) => [4 * w, 4 * w + 1, 4 * w + 2, 4 * w + 3]);

/** Lanes 0–3 are those of `a`, 4–7 those of `b`. */
export function pick(a: Code, b: Code, ...picked: readonly [number, number, number, number]): Code {
  return [...a, ...b, ...i8x16.shuffle(lanes(...picked))];
}

/** `operation` over the four lanes, in every lane; `scratch` is overwritten. */
export function acrossLanes(scratch: Local, value: Code, operation: Binary): Code {
  const { get } = scratch;
  return code(
    scratch.set(value),
    scratch.set(operation(get, pick(get, get, 2, 3, 0, 1))),
    operation(get, pick(get, get, 1, 0, 3, 2)),
  );
}

/** Runs `body` while `at` is below `end`, `at` growing by `step` each time. */
export function whileBelow(at: Local, end: Code, step: number, ...body: readonly Code[]): Code {
  return whileTrue(int.below(at.get, end), ...body, at.set(int.plus(at.get, step)));
}

/** Runs `body` for as long as `condition` holds. */
export function whileTrue(condition: Code, ...body: readonly Code[]): Code {
  return code(code(condition, [0x04, 0x40, 0x03, 0x40]), ...body, code(condition, [0x0d, 0x00, 0x0b, 0x0b]));
}

/** Runs `body` `count` times; `left` counts down to zero. */
export function times(left: Local, count: Code, ...body: readonly Code[]): Code {
  return code(left.set(count), whileTrue(left.get, ...body, left.set(int.plus(left.get, -1))));
}

export function advance(pointer: Local, bytes: number): Code {
  return bytes === 0 ? [] : pointer.set(int.plus(pointer.get, bytes));
}

/** A local that holds `value`. */
export function held(f: FunctionBuilder, type: 'i32' | 'f32' | 'f64' | 'v128', value: Code): Local {
  const local = f.local(type);
  f.append(local.set(value));
  return local;
}
