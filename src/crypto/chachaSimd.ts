/**
 * ChaCha20 (RFC 8439 section 2.3, zero nonce) in WebAssembly SIMD: four blocks side by side, each word of the state a vector
 * with one lane a block, and the stream added to the target where it lies, so that it is never written out.
 *
 * The target goes through the module's memory piece by piece, each piece with all of its masks at once while it is in the
 * fastest cache.
 */
import type { Bytes } from '../core/bytes.ts';
import type { MaskSeed } from '../core/localWork.ts';
import { code, i32, i32x4, i8x16, local, repeat, v128 } from '../core/wasmAssembler.ts';
import type { Code } from '../core/wasmAssembler.ts';
import { FunctionBuilder, ModuleBuilder } from '../core/wasmModule.ts';

/** target[i] += Σ sign · word[firstWord + i] modulo 2^32, for a stream of each seed. */
export type KeystreamAdder = (target: Uint32Array, masks: readonly MaskSeed[], firstWord: number) => void;

const BLOCK_WORDS = 16;
/** Four blocks. */
const STEP_BYTES = 256;

// One page: the lower half for seeds, the upper for a piece of the target.
const PAGES = 1;
const SEED_BYTES = 32;
/** The seed, then a word with all bits set where the stream is subtracted; a multiple of 16. */
const ENTRY_BYTES = 48;
const PIECE_AT = 32 * 1024;
const PIECE_WORDS = (32 * 1024) / 4;
const MAX_MASKS = Math.floor(PIECE_AT / ENTRY_BYTES);

// Parameters and locals of the kernel.
const AT = 0;
const END = 1;
const ENTRY = 2;
const LAST_ENTRY = 3;
const FIRST_COUNTER = 4;
const POSITION = 5;
const COUNTER = 6;
const ROUNDS = 7;
const STATE = 8;
const SIGN = 24;
const BY_16 = 25;
const BY_8 = 26;
const HALVES = 27;

const lanes = (...words: readonly number[]): number[] => words.flatMap((w) => [4 * w, 4 * w + 1, 4 * w + 2, 4 * w + 3]);
/** For `swizzle`: the bytes of each word of four, turned. */
const turned = (...bytes: readonly number[]): number[] => [0, 4, 8, 12].flatMap((word) => bytes.map((b) => word + b));

const update = (target: number, source: number, operation: Code): Code =>
  code(local.get(target), local.get(source), operation, local.set(target));

function rotate(word: number, bits: 16 | 12 | 8 | 7): Code {
  // Whole bytes move in one instruction, where other turns take three.
  if (bits === 16 || bits === 8) return update(word, bits === 16 ? BY_16 : BY_8, i8x16.swizzle);
  const left = code(local.get(word), i32.constant(bits), i32x4.shiftLeft);
  const right = code(local.get(word), i32.constant(32 - bits), i32x4.shiftRightUnsigned);
  return code(left, right, v128.or, local.set(word));
}

/** RFC 8439 section 2.1. */
function quarterRound(...words: readonly [number, number, number, number]): Code {
  const [a, b, c, d] = words.map((word) => STATE + word) as [number, number, number, number];
  const half = (first: 16 | 8, second: 12 | 7): Code =>
    code(
      code(update(a, b, i32x4.add), update(d, a, v128.xor), rotate(d, first)),
      code(update(c, d, i32x4.add), update(b, c, v128.xor), rotate(b, second)),
    );
  return code(half(16, 12), half(8, 7));
}

const DOUBLE_ROUND = code(
  ...[0, 1, 2, 3].map((i) => quarterRound(i, 4 + i, 8 + i, 12 + i)),
  ...[0, 1, 2, 3].map((i) => quarterRound(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4))),
);

/** "expand 32-byte k" (RFC 8439 section 2.3). */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/** Puts word `i` of the first state on the stack: constants, key, counters of the four blocks, zeros. */
function initial(i: number): Code {
  const constant = CONSTANTS[i];
  if (constant !== undefined) return code(i32.constant(constant), i32x4.splat);
  if (i < 12) return code(local.get(ENTRY), v128.load32Splat(4 * (i - 4)));
  if (i > 12) return v128.constant(Array.from({ length: 16 }, () => 0));
  const blocks = v128.constant([0, 1, 2, 3].flatMap((block) => [block, 0, 0, 0]));
  return code(local.get(COUNTER), i32x4.splat, blocks, i32x4.add);
}

/** Turns words 4g to 4g + 3 from a lane a block into a vector a block, and adds those to the target. */
function addWords(g: number): Code {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => STATE + 4 * g + i) as [number, number, number, number];
  const pick = (u: number, w: number, ...picked: number[]): Code =>
    code(local.get(u), local.get(w), i8x16.shuffle(lanes(...picked)));
  const halves = [pick(a, b, 0, 4, 1, 5), pick(c, d, 0, 4, 1, 5), pick(a, b, 2, 6, 3, 7), pick(c, d, 2, 6, 3, 7)];
  const added = [0, 1, 2, 3].map((block) => {
    const half = HALVES + (block < 2 ? 0 : 2);
    const words = pick(half, half + 1, ...(block % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7]));
    // −x = (x XOR all ones) − all ones; with zero in their place it stays x.
    const signed = code(words, local.get(SIGN), v128.xor, local.get(SIGN), i32x4.subtract);
    const offset = 4 * BLOCK_WORDS * block + 16 * g;
    return code(
      code(local.get(POSITION), local.get(POSITION), v128.load(offset)),
      code(signed, i32x4.add, v128.store(offset)),
    );
  });
  return code(...halves.map((half, i) => code(half, local.set(HALVES + i))), ...added);
}

const STATE_WORDS = Array.from({ length: BLOCK_WORDS }, (_, i) => i);

const advance = (index: number, by: number): Code => code(local.get(index), i32.constant(by), i32.add);

const FOUR_BLOCKS = code(
  ...STATE_WORDS.map((i) => code(initial(i), local.set(STATE + i))),
  code(i32.constant(10), local.set(ROUNDS)),
  repeat(DOUBLE_ROUND, local.get(ROUNDS), i32.constant(1), i32.subtract, local.tee(ROUNDS)),
  ...STATE_WORDS.map((i) => code(local.get(STATE + i), initial(i), i32x4.add, local.set(STATE + i))),
  ...[0, 1, 2, 3].map(addWords),
);

const ONE_SEED = code(
  code(local.get(ENTRY), v128.load32Splat(SEED_BYTES), local.set(SIGN)),
  code(local.get(AT), local.set(POSITION), local.get(FIRST_COUNTER), local.set(COUNTER)),
  repeat(
    FOUR_BLOCKS,
    code(advance(COUNTER, 4), local.set(COUNTER), advance(POSITION, STEP_BYTES), local.tee(POSITION)),
    code(local.get(END), i32.lessUnsigned),
  ),
);

/** run(at, end, entry, lastEntry, firstCounter): ends are behind the last byte; at least one step and one entry. */
function kernelBytes(): Bytes {
  const body = code(
    code(v128.constant(turned(2, 3, 0, 1)), local.set(BY_16)),
    code(v128.constant(turned(3, 0, 1, 2)), local.set(BY_8)),
    repeat(ONE_SEED, advance(ENTRY, ENTRY_BYTES), local.tee(ENTRY), local.get(LAST_ENTRY), i32.lessUnsigned),
  );
  const run = new FunctionBuilder(['i32', 'i32', 'i32', 'i32', 'i32']);
  for (let i = POSITION; i < STATE; i++) run.local('i32');
  for (let i = STATE; i < HALVES + 4; i++) run.local('v128');
  run.append(body);
  const module = new ModuleBuilder();
  module.define(run, 'run');
  return module.bytes({ pages: PAGES }, 'own');
}

/** Undefined where WebAssembly, its SIMD, or compiling while the thread waits is missing. */
export function openChachaSimd(): KeystreamAdder | undefined {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(kernelBytes()));
    const { buffer } = exports['memory'] as WebAssembly.Memory;
    return adderOver(buffer, exports['run'] as (...parameters: number[]) => void);
  } catch {
    return undefined;
  }
}

function adderOver(memory: ArrayBuffer, run: (...parameters: number[]) => void): KeystreamAdder {
  const seeds = new Uint8Array(memory, 0, PIECE_AT);
  const signs = new Int32Array(memory, 0, PIECE_AT / 4);
  const piece = new Uint32Array(memory, PIECE_AT, PIECE_WORDS);
  const addSome: KeystreamAdder = (target, masks, firstWord) => {
    masks.forEach(({ seed, sign }, i) => {
      seeds.set(seed, i * ENTRY_BYTES);
      signs[(i * ENTRY_BYTES + SEED_BYTES) / 4] = sign === 1 ? 0 : -1;
    });
    // A piece begins with a whole block: what its first words and last step hold besides is thrown away.
    let lead = firstWord % BLOCK_WORDS;
    let counter = (firstWord - lead) / BLOCK_WORDS;
    for (let at = 0; at < target.length; counter += PIECE_WORDS / BLOCK_WORDS, lead = 0) {
      const count = Math.min(PIECE_WORDS - lead, target.length - at);
      const length = Math.ceil((4 * (lead + count)) / STEP_BYTES) * STEP_BYTES;
      piece.set(target.subarray(at, at + count), lead);
      run(PIECE_AT, PIECE_AT + length, 0, masks.length * ENTRY_BYTES, counter | 0);
      target.set(piece.subarray(lead, lead + count), at);
      at += count;
    }
  };
  return (target, masks, firstWord) => {
    try {
      for (let i = 0; i < masks.length; i += MAX_MASKS) addSome(target, masks.slice(i, i + MAX_MASKS), firstWord);
    } finally {
      // Neither seeds nor what they hide stay behind.
      seeds.fill(0, 0, Math.min(masks.length, MAX_MASKS) * ENTRY_BYTES);
      piece.fill(0);
    }
  };
}
