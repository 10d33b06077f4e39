/**
 * As much of an assembler for WebAssembly as our kernels need (WebAssembly Core Specification 2.0, section 5; relaxed SIMD
 * and threads as their proposals give them): instructions as bytes, by name. So a kernel is source like any other, and no
 * binary is kept. `wasmModule.ts` makes modules of them.
 */

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

/** IEEE 754 bytes, little-endian. */
export function float32Bytes(value: number): Code {
  return [...new Uint8Array(Float32Array.of(value).buffer)];
}

export const local = {
  get: (index: number): Code => [0x20, ...unsigned(index)],
  set: (index: number): Code => [0x21, ...unsigned(index)],
  tee: (index: number): Code => [0x22, ...unsigned(index)],
};

export const global = {
  get: (index: number): Code => [0x23, ...unsigned(index)],
};

/** The first of three operands where the third is not zero, else the second. */
export const select: Code = [0x1b];

/** Returns from the function. */
export const leave: Code = [0x0f];

/** Throws one operand away. */
export const drop: Code = [0x1a];

export const call = (index: number): Code => [0x10, ...unsigned(index)];

export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  load: (offset: number): Code => [0x28, ...memory(2, offset)],
  load8Unsigned: (offset: number): Code => [0x2d, ...memory(0, offset)],
  store: (offset: number): Code => [0x36, ...memory(2, offset)],
  isZero: [0x45],
  equal: [0x46],
  lessUnsigned: [0x49],
  lessOrEqualUnsigned: [0x4d],
  greaterOrEqualUnsigned: [0x4f],
  add: [0x6a],
  subtract: [0x6b],
  multiply: [0x6c],
  divideUnsigned: [0x6e],
  remainderUnsigned: [0x70],
  and: [0x71],
} satisfies Record<string, Code | ((value: number) => Code)>;

export const f32 = {
  load: (offset: number): Code => [0x2a, ...memory(2, offset)],
  store: (offset: number): Code => [0x38, ...memory(2, offset)],
  constant: (value: number): Code => [0x43, ...float32Bytes(value)],
  less: [0x5d],
  greater: [0x5e],
  squareRoot: [0x91],
  add: [0x92],
  subtract: [0x93],
  multiply: [0x94],
  divide: [0x95],
  minimum: [0x96],
  maximum: [0x97],
  fromInteger: [0xb2],
  fromDouble: [0xb6],
};

export const f64 = {
  load: (offset: number): Code => [0x2b, ...memory(3, offset)],
  store: (offset: number): Code => [0x39, ...memory(3, offset)],
  constant: (value: number): Code => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)],
  squareRoot: [0x9f],
  add: [0xa0],
  subtract: [0xa1],
  multiply: [0xa2],
  divide: [0xa3],
  minimum: [0xa4],
  fromSingle: [0xbb],
};

export const v128 = {
  load: (offset: number): Code => [...simd(0x00), ...memory(4, offset)],
  /** One 32-bit word into all four lanes. */
  load32Splat: (offset: number): Code => [...simd(0x09), ...memory(2, offset)],
  /** One 32-bit word into the first lane, zeros into the others. */
  load32Zero: (offset: number): Code => [...simd(0x5c), ...memory(2, offset)],
  store: (offset: number): Code => [...simd(0x0b), ...memory(4, offset)],
  store32Lane: (offset: number, lane: number): Code => [...simd(0x5a), ...memory(2, offset), lane],
  store64Lane: (offset: number, lane: number): Code => [...simd(0x5b), ...memory(3, offset), lane],
  constant: (bytes: readonly number[]): Code => [...simd(0x0c), ...bytes],
  and: simd(0x4e),
  /** The first operand where the second has no bits. */
  andNot: simd(0x4f),
  or: simd(0x50),
  xor: simd(0x51),
};

export const i8x16 = {
  /** Picks 16 of the 32 bytes of two vectors. */
  shuffle: (lanes: readonly number[]): Code => [...simd(0x0d), ...lanes],
  swizzle: simd(0x0e),
};

export const i16x8 = {
  extendLowUnsigned: simd(0x89),
};

export const i32x4 = {
  splat: simd(0x11),
  greaterOrEqualUnsigned: simd(0x40),
  extendLowUnsigned: simd(0xa9),
  shiftLeft: simd(0xab),
  shiftRightUnsigned: simd(0xad),
  add: simd(0xae),
  subtract: simd(0xb1),
  multiply: simd(0xb5),
  /** Towards zero; what does not fit becomes the nearest integer that does. */
  fromFloats: simd(0xf8),
};

export const f32x4 = {
  splat: simd(0x13),
  lane: (lane: number): Code => [...simd(0x1f), lane],
  equal: simd(0x41),
  greater: simd(0x44),
  nearest: simd(0x6a),
  absolute: simd(0xe0),
  squareRoot: simd(0xe3),
  add: simd(0xe4),
  subtract: simd(0xe5),
  multiply: simd(0xe6),
  divide: simd(0xe7),
  minimum: simd(0xe8),
  maximum: simd(0xe9),
  fromIntegers: simd(0xfa),
  /** a · b + c, rounded once or twice: relaxed SIMD. */
  relaxedMultiplyAdd: simd(0x105),
};

/** Words of a shared memory; addresses are multiples of 4. */
export const atomic = {
  load: (offset: number): Code => [0xfe, 0x10, ...memory(2, offset)],
  store: (offset: number): Code => [0xfe, 0x17, ...memory(2, offset)],
  /** Leaves what was there before. */
  add: (offset: number): Code => [0xfe, 0x1e, ...memory(2, offset)],
  /** Takes address, the value that is expected there, and nanoseconds as i64; sleeps while it is there. */
  wait: (offset: number): Code => [0xfe, 0x01, ...memory(2, offset)],
  /** Takes address and how many may wake up. */
  notify: (offset: number): Code => [0xfe, 0x00, ...memory(2, offset)],
};

export const i64 = {
  /** Of 32 bits. */
  constant: (value: number): Code => [0x42, ...signed(value)],
};

/** Takes target, byte and length. */
export const fillMemory: Code = [0xfc, 0x0b, 0x00];

/** Runs `body` again for as long as it leaves a value other than zero. */
export function repeat(...body: readonly Code[]): Code {
  return code([0x03, 0x40], ...body, [0x0d, 0x00, 0x0b]);
}

/** Runs `body` when `condition` is not zero. */
export function when(condition: Code, ...body: readonly Code[]): Code {
  return code(condition, [0x04, 0x40], ...body, [0x0b]);
}
