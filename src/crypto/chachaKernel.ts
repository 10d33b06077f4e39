/**
 * The kernel of ChaCha20 (RFC 8439 section 2.3, zero nonce) in WebAssembly SIMD: four blocks to a vector, each word of the
 * state a vector with one lane a block, and the stream added to the target where it lies, so that it is never written out.
 *
 * One such quad is a chain of operations that wait for each other, so several take turns, a round each. Their states lie in
 * memory and not in locals: 16 registers hold less than one of them, and what a compiler makes of 64 vectors that it must
 * keep somewhere is slower (1.72 GB/s against 1.38 with two quads, 1.83 with four, 1.22 with one in locals; Zen 5).
 */
import type { Bytes } from '../core/bytes.ts';
import { code, i32, i32x4, i8x16, local, repeat, v128 } from '../core/wasmAssembler.ts';
import type { Code } from '../core/wasmAssembler.ts';
import { FunctionBuilder, ModuleBuilder } from '../core/wasmModule.ts';

/** Where things lie in the kernel's memory, in bytes. */
export interface KernelLayout {
  /** Four 32-bit words that the caller writes: `CHACHA_CONSTANTS`. */
  readonly constantsAt: number;
  /** `SCRATCH_BYTES` of the kernel's own: keys and streams pass through it. */
  readonly scratchAt: number;
  readonly pages: number;
}

/** What the module exports. Ends are behind the last byte; at least one step and one seed. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  /** Adds the streams of the seeds from `seed` to `lastSeed` to the words from `at` to `end`: a multiple of `STEP_BYTES`. */
  run(at: number, end: number, seed: number, lastSeed: number, firstBlock: number): void;
  /** Turns every bit from `at` to `end`, a multiple of 16. */
  complement(at: number, end: number): void;
}

/** "expand 32-byte k" (RFC 8439 section 2.3). */
export const CHACHA_CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;
export const BLOCK_WORDS = 16;
export const SEED_BYTES = 32;

/** Of four blocks each. */
const QUADS = 4;
const QUAD_BYTES = 256;
export const STEP_BYTES = QUADS * QUAD_BYTES;

const STATE_BYTES = BLOCK_WORDS * 16;
/** A state a quad, and one of the seed. */
export const SCRATCH_BYTES = (QUADS + 1) * STATE_BYTES;

// Parameters and locals.
const AT = 0;
const END = 1;
const SEED = 2;
const LAST_SEED = 3;
const FIRST_BLOCK = 4;
const POSITION = 5;
const COUNTER = 6;
const ROUNDS = 7;
const STATE = 8;
const BY_16 = 24;
const BY_8 = 25;
const HALVES = 26;

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

/** Puts the word of a state on the stack. */
type Word = (word: number) => Code;

/** RFC 8439 section 2.1, from anywhere to the words of a state in memory. */
function quarterRound(words: readonly number[], from: Word, to: (word: number) => number): Code {
  const [a, b, c, d] = words.map((word) => STATE + word) as [number, number, number, number];
  const half = (first: 16 | 8, second: 12 | 7): Code =>
    code(
      code(update(a, b, i32x4.add), update(d, a, v128.xor), rotate(d, first)),
      code(update(c, d, i32x4.add), update(b, c, v128.xor), rotate(b, second)),
    );
  return code(
    ...words.map((word) => code(from(word), local.set(STATE + word))),
    code(half(16, 12), half(8, 7)),
    ...words.map((word) => code(i32.constant(0), local.get(STATE + word), v128.store(to(word)))),
  );
}

const FOUR = [0, 1, 2, 3];
const COLUMNS = FOUR.map((i) => [i, 4 + i, 8 + i, 12 + i]);
const DIAGONALS = FOUR.map((i) => [i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4)]);
const EACH_QUAD = Array.from({ length: QUADS }, (_, quad) => quad);

const advance = (index: number, by: number): Code => code(local.get(index), i32.constant(by), i32.add);

function runFunction({ constantsAt, scratchAt }: KernelLayout): FunctionBuilder {
  const load = (address: number): Code => code(i32.constant(0), v128.load(address));
  const inState = (quad: number, word: number): number => scratchAt + STATE_BYTES * quad + 16 * word;
  const inSeed = (word: number): number => inState(QUADS, word);

  /** A word of a quad's first state: constants, key, counters of its blocks, zeros. */
  const initial = (quad: number, word: number): Code => {
    if (word < 4) return code(i32.constant(0), v128.load32Splat(constantsAt + 4 * word));
    if (word < 12) return code(local.get(SEED), v128.load32Splat(4 * (word - 4)));
    if (word > 12) return v128.constant(Array.from({ length: 16 }, () => 0));
    const blocks = v128.constant(FOUR.flatMap((block) => [4 * quad + block, 0, 0, 0]));
    return code(local.get(COUNTER), i32x4.splat, blocks, i32x4.add);
  };
  const round = (quarters: readonly (readonly number[])[], from = inState): Code =>
    code(
      ...EACH_QUAD.flatMap((quad) =>
        quarters.map((words) =>
          quarterRound(
            words,
            (word) => load(from(quad, word)),
            (word) => inState(quad, word),
          ),
        ),
      ),
    );

  /** Turns a quad's words 4g to 4g + 3 from a lane a block into a vector a block, and adds those to the target. */
  const addWords = (quad: number, g: number): Code => {
    const words = FOUR.map((i) => 4 * g + i);
    const [a, b, c, d] = words.map((word) => STATE + word) as [number, number, number, number];
    const sums = words.map((word) => {
      const mixed = load(inState(quad, word));
      return code(word > 12 ? mixed : code(mixed, initial(quad, word), i32x4.add), local.set(STATE + word));
    });
    const pick = (u: number, w: number, ...picked: number[]): Code =>
      code(local.get(u), local.get(w), i8x16.shuffle(lanes(...picked)));
    const halves = [pick(a, b, 0, 4, 1, 5), pick(c, d, 0, 4, 1, 5), pick(a, b, 2, 6, 3, 7), pick(c, d, 2, 6, 3, 7)];
    const added = FOUR.map((block) => {
      const half = HALVES + (block < 2 ? 0 : 2);
      const row = pick(half, half + 1, ...(block % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7]));
      const offset = QUAD_BYTES * quad + 4 * BLOCK_WORDS * block + 16 * g;
      return code(
        code(local.get(POSITION), local.get(POSITION), v128.load(offset)),
        code(row, i32x4.add, v128.store(offset)),
      );
    });
    return code(...sums, ...halves.map((half, i) => code(half, local.set(HALVES + i))), ...added);
  };

  // Of the columns only the first has the counter in it: what the first round makes of the others is the seed's.
  const [counted, ...rest] = COLUMNS as [number[], ...number[][]];
  const firstRoundOfSeed = code(...rest.map((words) => quarterRound(words, (word) => initial(0, word), inSeed)));
  const step = code(
    ...EACH_QUAD.map((quad) =>
      quarterRound(
        counted,
        (word) => initial(quad, word),
        (word) => inState(quad, word),
      ),
    ),
    round(DIAGONALS, (quad, word) => (counted.includes(word) ? inState(quad, word) : inSeed(word))),
    code(i32.constant(9), local.set(ROUNDS)),
    repeat(round(COLUMNS), round(DIAGONALS), local.get(ROUNDS), i32.constant(1), i32.subtract, local.tee(ROUNDS)),
    ...EACH_QUAD.flatMap((quad) => FOUR.map((g) => addWords(quad, g))),
  );
  const oneSeed = code(
    code(local.get(AT), local.set(POSITION), local.get(FIRST_BLOCK), local.set(COUNTER)),
    firstRoundOfSeed,
    repeat(
      step,
      code(advance(COUNTER, 4 * QUADS), local.set(COUNTER), advance(POSITION, STEP_BYTES), local.tee(POSITION)),
      code(local.get(END), i32.lessUnsigned),
    ),
  );
  const run = new FunctionBuilder(['i32', 'i32', 'i32', 'i32', 'i32']);
  for (let i = POSITION; i < STATE; i++) run.local('i32');
  for (let i = STATE; i < HALVES + 4; i++) run.local('v128');
  run.append(
    code(v128.constant(turned(2, 3, 0, 1)), local.set(BY_16)),
    code(v128.constant(turned(3, 0, 1, 2)), local.set(BY_8)),
    repeat(oneSeed, advance(SEED, SEED_BYTES), local.tee(SEED), local.get(LAST_SEED), i32.lessUnsigned),
  );
  return run;
}

function complementFunction(): FunctionBuilder {
  const allOnes = v128.constant(Array.from({ length: 16 }, () => 0xff));
  const complement = new FunctionBuilder(['i32', 'i32']);
  complement.append(
    repeat(
      code(local.get(AT), local.get(AT), v128.load(0), allOnes, v128.xor, v128.store(0)),
      code(advance(AT, 16), local.tee(AT), local.get(END), i32.lessUnsigned),
    ),
  );
  return complement;
}

/** A module with a memory of its own; see `Kernel`. */
export function chachaKernelBytes(layout: KernelLayout): Bytes {
  const module = new ModuleBuilder();
  module.define(runFunction(layout), 'run');
  module.define(complementFunction(), 'complement');
  return module.bytes({ pages: layout.pages }, 'own');
}
