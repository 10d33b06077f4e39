/**
 * As much of an assembler for WebAssembly as one kernel needs (WebAssembly Core Specification 2.0, section 5): opcodes by
 * name, and a module of one function and its memory. So the kernel is source like any other, and no binary is kept.
 */
import { utf8 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';

/** Instructions as bytes, ready to be joined. */
export type Code = readonly number[];

export function code(...parts: readonly Code[]): Code {
  return parts.flat();
}

/** LEB128 (section 5.2.2). */
export function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value >>> 0;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

export function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value | 0;
  // The last byte's bit 6 is the sign.
  for (; rest < -0x40 || rest > 0x3f; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest & 0x7f];
}

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
/** log2 of the alignment that is promised, and the offset in bytes. */
const memory = (align: number, offset: number): Code => [align, ...unsigned(offset)];

export const local = {
  get: (index: number): Code => [0x20, ...unsigned(index)],
  set: (index: number): Code => [0x21, ...unsigned(index)],
  tee: (index: number): Code => [0x22, ...unsigned(index)],
};

export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  lessUnsigned: [0x49],
  add: [0x6a],
  subtract: [0x6b],
} satisfies Record<string, Code | ((value: number) => Code)>;

export const v128 = {
  load: (offset: number): Code => [...simd(0x00), ...memory(4, offset)],
  /** One 32-bit word into all four lanes. */
  load32Splat: (offset: number): Code => [...simd(0x09), ...memory(2, offset)],
  store: (offset: number): Code => [...simd(0x0b), ...memory(4, offset)],
  constant: (bytes: readonly number[]): Code => [...simd(0x0c), ...bytes],
  or: simd(0x50),
  xor: simd(0x51),
};

export const i8x16 = {
  /** Picks 16 of the 32 bytes of two vectors. */
  shuffle: (lanes: readonly number[]): Code => [...simd(0x0d), ...lanes],
  swizzle: simd(0x0e),
};

export const i32x4 = {
  splat: simd(0x11),
  shiftLeft: simd(0xab),
  shiftRightUnsigned: simd(0xad),
  add: simd(0xae),
  subtract: simd(0xb1),
};

/** Runs `body` again for as long as it leaves a value other than zero. */
export function repeat(...body: readonly Code[]): Code {
  return code([0x03, 0x40], ...body, [0x0d, 0x00, 0x0b]);
}

const I32 = 0x7f;
const V128 = 0x7b;
const EMPTY_MODULE: Code = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const name = (text: string): Code => [text.length, ...utf8(text)];

export interface Kernel {
  /** How many i32 it takes; they are its first locals. */
  readonly parameters: number;
  /** Locals after the parameters: first those of i32, then those of v128. */
  readonly i32Locals: number;
  readonly v128Locals: number;
  readonly body: Code;
}

/** A module that exports the function `run` and `memory`, of `pages` times 64 KiB. */
export function moduleOf({ parameters, i32Locals, v128Locals, body }: Kernel, pages: number): Bytes {
  const locals = [2, ...unsigned(i32Locals), I32, ...unsigned(v128Locals), V128];
  const whole = [...locals, ...body, 0x0b];
  const type = [0x60, parameters, ...Array.from({ length: parameters }, () => I32), 0];
  return Uint8Array.from([
    ...EMPTY_MODULE,
    ...section(1, [1, ...type]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('run'), 0, 0]),
    ...section(10, [1, ...unsigned(whole.length), ...whole]),
  ]);
}
