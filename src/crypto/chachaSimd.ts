/**
 * Masks by the SIMD kernel. The target goes through the kernel's memory piece by piece, each piece with all of its masks at
 * once while it is in the fastest cache.
 */
import type { MaskSeed } from '../core/localWork.ts';
import {
  BLOCK_WORDS,
  CHACHA_CONSTANTS,
  chachaKernelBytes,
  SCRATCH_BYTES,
  SEED_BYTES,
  STEP_BYTES,
} from './chachaKernel.ts';
import type { Kernel } from './chachaKernel.ts';

/** target[i] += Σ sign · word[firstWord + i] modulo 2^32, for a stream of each seed. */
export type KeystreamAdder = (target: Uint32Array, masks: readonly MaskSeed[], firstWord: number) => void;

// One page: the lower half for seeds and the kernel's own, the upper for a piece of the target.
const PIECE_AT = 32 * 1024;
const PIECE_WORDS = (32 * 1024) / 4;
const SCRATCH_AT = PIECE_AT - SCRATCH_BYTES;
const CONSTANTS_AT = SCRATCH_AT - 4 * CHACHA_CONSTANTS.length;
const MAX_MASKS = Math.floor(CONSTANTS_AT / SEED_BYTES);

/** Undefined where WebAssembly, its SIMD, or compiling while the thread waits is missing. */
export function openChachaSimd(): KeystreamAdder | undefined {
  try {
    const bytes = chachaKernelBytes({ constantsAt: CONSTANTS_AT, scratchAt: SCRATCH_AT, pages: 1 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    return adderOver(exports as unknown as Kernel);
  } catch {
    return undefined;
  }
}

function adderOver(kernel: Kernel): KeystreamAdder {
  const { buffer } = kernel.memory;
  const seeds = new Uint8Array(buffer, 0, CONSTANTS_AT);
  const constants = new Uint32Array(buffer, CONSTANTS_AT, CHACHA_CONSTANTS.length);
  const scratch = new Uint8Array(buffer, SCRATCH_AT, SCRATCH_BYTES);
  const piece = new Uint32Array(buffer, PIECE_AT, PIECE_WORDS);

  const addSome: KeystreamAdder = (target, masks, firstWord) => {
    constants.set(CHACHA_CONSTANTS);
    const added = masks.filter(({ sign }) => sign === 1);
    const subtracted = masks.filter(({ sign }) => sign === -1);
    [...added, ...subtracted].forEach(({ seed }, i) => seeds.set(seed, i * SEED_BYTES));
    const addedEnd = added.length * SEED_BYTES;
    const addToPiece = (end: number, firstBlock: number): void => {
      if (added.length > 0) kernel.run(PIECE_AT, end, 0, addedEnd, firstBlock);
      if (subtracted.length === 0) return;
      // x − w = ¬(¬x + w).
      kernel.complement(PIECE_AT, end);
      kernel.run(PIECE_AT, end, addedEnd, masks.length * SEED_BYTES, firstBlock);
      kernel.complement(PIECE_AT, end);
    };
    // A piece begins with a whole block: what its first words and last step hold besides is thrown away.
    let lead = firstWord % BLOCK_WORDS;
    let block = (firstWord - lead) / BLOCK_WORDS;
    for (let at = 0; at < target.length; block += PIECE_WORDS / BLOCK_WORDS, lead = 0) {
      const count = Math.min(PIECE_WORDS - lead, target.length - at);
      const length = Math.ceil((4 * (lead + count)) / STEP_BYTES) * STEP_BYTES;
      piece.set(target.subarray(at, at + count), lead);
      addToPiece(PIECE_AT + length, block | 0);
      target.set(piece.subarray(lead, lead + count), at);
      at += count;
    }
  };
  return (target, masks, firstWord) => {
    try {
      for (let i = 0; i < masks.length; i += MAX_MASKS) addSome(target, masks.slice(i, i + MAX_MASKS), firstWord);
    } finally {
      // Neither seeds nor what they hide stay behind.
      seeds.fill(0, 0, Math.min(masks.length, MAX_MASKS) * SEED_BYTES);
      constants.fill(0);
      scratch.fill(0);
      piece.fill(0);
    }
  };
}
