/**
 * Which values a dropout layer keeps: a function of the round's seed, the step, the layer and the place alone, simple
 * enough that every engine computes the same on its own device.
 */
import type { Bytes } from './bytes.ts';

export const GOLDEN = 0x9e3779b9;

/** A permutation of 32-bit words without visible bias (Wellons 2018, "lowbias32"). */
export function mixWord(word: number): number {
  let x = word >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** One word that stands for a local training's seed. */
export function dropoutSeed(seed: Bytes): number {
  return seed.reduce((word, byte) => mixWord(word ^ byte), 0);
}

/** `step` counts from 0 over the whole local training; `layer` is the layer's index in the network. */
export function dropoutKey(seed: number, step: number, layer: number): number {
  return mixWord((mixWord((seed + step) >>> 0) + layer) >>> 0);
}

/** The value at `index` of the batch's output, flat, is kept when this is true. */
export function isKept(key: number, index: number, rate: number): boolean {
  return mixWord((key + Math.imul(index, GOLDEN)) >>> 0) >= dropoutLimit(rate);
}

/** Words below this are dropped. */
export function dropoutLimit(rate: number): number {
  return Math.min(2 ** 32 - 1, Math.round(rate * 2 ** 32));
}
