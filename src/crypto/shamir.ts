/**
 * Shamir's secret sharing (Shamir 1979) byte by byte over GF(256) with the AES polynomial; holder i has x = i + 1.
 *
 * Multiplication needs no table. Of its two factors one is always public (an x, or a Lagrange weight, which depends on
 * the x alone) and drives the loop; the secret one, four bytes at a time in a 32-bit word, is only shifted and XORed. So
 * no branch and no memory address depends on a secret, as they would with logarithm tables.
 */
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import { MAX_GROUP } from '../core/plan.ts';
import type { Random } from '../core/ports.ts';

export interface IndexedShare {
  /** The holder's index in the roster, from 0. */
  readonly index: number;
  /** As long as the secret. */
  readonly share: Bytes;
}

/**
 * One share for each holder, in roster order; any `threshold` of them give the secret, fewer tell nothing about it.
 * @throws HushError `crypto/shares` unless 1 ≤ threshold ≤ holders ≤ 255 and the secret is not empty.
 */
export function splitSecret(secret: Bytes, holders: number, threshold: number, random: Random): Bytes[] {
  const counts = Number.isInteger(holders) && Number.isInteger(threshold);
  if (!counts || threshold < 1 || threshold > holders || holders > MAX_GROUP || secret.length === 0) {
    throw new HushError(
      'crypto/shares',
      `Sharing ${secret.length} bytes among ${holders} with threshold ${threshold}: expected at least one byte and ` +
        `1 ≤ threshold ≤ holders ≤ ${MAX_GROUP}.`,
    );
  }
  const words = Math.ceil(secret.length / 4);
  const drawn = random.bytes((threshold - 1) * secret.length);
  // Lowest degree first; the constant term is the secret.
  const tables = Array.from({ length: threshold }, (_, k) =>
    nibbleTable(toWords(k === 0 ? secret : drawn.subarray((k - 1) * secret.length, k * secret.length))),
  );
  drawn.fill(0);
  const shares = Array.from({ length: holders }, (_, index) => {
    const value = new Uint32Array(words);
    let power = 1;
    for (const table of tables) {
      const low = (power & 15) * words;
      const high = (16 + (power >>> 4)) * words;
      for (let w = 0; w < words; w++) value[w] = (value[w] ?? 0) ^ (table[low + w] ?? 0) ^ (table[high + w] ?? 0);
      power = times(power, index + 1);
    }
    return toBytes(value, secret.length);
  });
  for (const table of tables) table.fill(0);
  return shares;
}

/**
 * `words` times 0 to 15, then times 0, 16, … 240, one after the other: what is multiplied by hundreds of public factors
 * needs two look-ups for each, at addresses that are public too.
 */
function nibbleTable(words: Uint32Array): Uint32Array {
  const table = new Uint32Array(32 * words.length);
  for (let nibble = 1; nibble < 16; nibble++) {
    words.forEach((word, w) => {
      table[nibble * words.length + w] = times(word, nibble);
      table[(16 + nibble) * words.length + w] = times(word, nibble << 4);
    });
  }
  return table;
}

/**
 * The secret, from shares of distinct holders; with fewer than the threshold the result is unrelated bytes.
 * @throws HushError `crypto/shares` when there is none, an index is out of range or twice there, or lengths differ.
 */
export function combineShares(shares: readonly IndexedShare[]): Bytes {
  const length = shares[0]?.share.length ?? 0;
  const indices = shares.map(({ index }) => index);
  const inRange = indices.every((index) => Number.isInteger(index) && index >= 0 && index < MAX_GROUP);
  if (length === 0 || !inRange || new Set(indices).size !== indices.length) {
    throw new HushError(
      'crypto/shares',
      `Shares of holders [${indices.slice(0, 8).join(', ')}]: expected at least one, none empty, and distinct holders ` +
        `from 0 to ${MAX_GROUP - 1}.`,
    );
  }
  const odd = shares.find(({ share }) => share.length !== length);
  if (odd) {
    throw new HushError('crypto/shares', `A share has ${odd.share.length} bytes, expected ${length} like the first.`);
  }
  const weights = lagrangeWeights(indices);
  const secret = new Uint32Array(Math.ceil(length / 4));
  shares.forEach(({ share }, i) => {
    const words = toWords(share);
    const weight = weights[i] ?? 0;
    for (let w = 0; w < secret.length; w++) secret[w] = (secret[w] ?? 0) ^ times(words[w] ?? 0, weight);
  });
  return toBytes(secret, length);
}

/** Four products at once: each byte of `word` times the public `factor`, which is one byte. */
function times(word: number, factor: number): number {
  let product = 0;
  let power = word;
  for (let bits = factor; bits !== 0; bits >>>= 1) {
    if ((bits & 1) === 1) product ^= power;
    power = double(power);
  }
  return product;
}

/** Each byte times x, where x⁸ = x⁴ + x³ + x + 1 (FIPS 197 section 4.2). */
function double(word: number): number {
  const high = word & 0x80808080;
  return ((word ^ high) << 1) ^ Math.imul(high >>> 7, 0x1b);
}

/** a^254 = a^(−1) in GF(256). */
function inverse(value: number): number {
  let result = 1;
  let square = value;
  for (let bits = 254; bits !== 0; bits >>>= 1) {
    if ((bits & 1) === 1) result = times(result, square);
    square = times(square, square);
  }
  return result;
}

/** By the holders' indices. They are public. */
const knownWeights = new Map<string, readonly number[]>();
const MAX_KNOWN = 64;

/**
 * Weights of the value at 0: λ_i = Π_{j≠i} x_j / (x_j − x_i). Unmasking combines the shares of one set of holders, or of a
 * few, once for each member, so the weights of the last sets are kept.
 */
function lagrangeWeights(indices: readonly number[]): readonly number[] {
  const key = indices.join();
  const known = knownWeights.get(key);
  if (known !== undefined) return known;
  const weights = indices.map((own) => {
    let numerator = 1;
    let denominator = 1;
    for (const other of indices) {
      if (other === own) continue;
      numerator = times(numerator, other + 1);
      denominator = times(denominator, (other + 1) ^ (own + 1));
    }
    return times(numerator, inverse(denominator));
  });
  if (knownWeights.size >= MAX_KNOWN) knownWeights.clear();
  knownWeights.set(key, weights);
  return weights;
}

/** Four bytes a word; the last word is filled up with zeros. */
function toWords(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  bytes.forEach((byte, i) => {
    words[i >> 2] = (words[i >> 2] ?? 0) | (byte << (8 * (i & 3)));
  });
  return words;
}

function toBytes(words: Uint32Array, length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (words[i >> 2] ?? 0) >>> (8 * (i & 3)));
}
