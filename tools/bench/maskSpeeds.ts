/** Times masking against copying and against @noble alone. Runs in Node and, bundled, in a browser's worker. */
import { chacha20 } from '@noble/ciphers/chacha.js';
import { addKeystream, addKeystreams } from '../../src/crypto/prg.ts';

/** Masks in one call; a round has one for each member of the group. */
const MASKS = 8;

/** In 10^6 bytes of the target a second, for each mask; medians. */
export interface MaskSpeeds {
  readonly memcpyMBps: number;
  /** A mask generated and added, as in a round: several in one call. */
  readonly maskMBps: number;
  /** The same with a single mask in a call, which alone pays for the way through the module's memory. */
  readonly oneMaskMBps: number;
  /** The same mask through @noble/ciphers: a stream as long as the target, then added to it. */
  readonly nobleMBps: number;
  /** How much longer than copying masking takes. */
  readonly ratio: number;
}

/** Each repeat times all, so that whatever else the machine does falls on all of them. */
export function measureMasks(words: number, repeats: number): MaskSpeeds {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const masks = Array.from({ length: MASKS }, (_, i) => ({ seed, sign: i % 2 === 0 ? 1 : -1 }) as const);
  const target = new Uint32Array(words).fill(1);
  const copy = new Uint32Array(words).fill(2);
  const zeros = new Uint8Array(4 * words);
  const bytes = new Uint8Array(4 * words);
  const stream = new Uint32Array(bytes.buffer);
  const nonce = new Uint8Array(12);
  const actions = {
    memcpy: () => copy.set(target),
    mask: () => addKeystreams(target, masks),
    oneMask: () => addKeystream(target, seed, 1),
    noble: () => {
      chacha20(seed, nonce, zeros, bytes);
      for (let i = 0; i < words; i++) copy[i] = (copy[i] ?? 0) + (stream[i] ?? 0);
    },
  };
  const timed = (action: () => void, times = 1): number => {
    const startMs = performance.now();
    action();
    return (4 * words * times) / 1000 / (performance.now() - startMs);
  };
  for (const action of Object.values(actions)) action();
  if (copy.some((word, i) => word !== target[i])) throw new Error('The masks of both ways differ.');
  const runs = Array.from({ length: repeats }, () => ({
    memcpy: timed(actions.memcpy),
    mask: timed(actions.mask, MASKS),
    oneMask: timed(actions.oneMask),
    noble: timed(actions.noble),
  }));
  const median = (name: keyof typeof actions): number => {
    const sorted = runs.map((run) => run[name]).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  const memcpyMBps = median('memcpy');
  const maskMBps = median('mask');
  return {
    memcpyMBps,
    maskMBps,
    oneMaskMBps: median('oneMask'),
    nobleMBps: median('noble'),
    ratio: memcpyMBps / maskMBps,
  };
}
