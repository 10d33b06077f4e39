/**
 * Masks, shares and the sum of one round (PROTOCOL.md, steps 2 to 6) in plain arithmetic: BigInt, tables of GF(256), HKDF of
 * node:crypto, X25519 and ChaCha20 of @noble. Slow, and short enough to be seen to be right.
 */
import { createHash, hkdfSync } from 'node:crypto';
import { x25519 } from '@noble/curves/ed25519.js';
import { slowRoot } from './slowMerkle.ts';
import { slowKeystream } from './slowSum.ts';

/** A member as it knows itself. Ids and hashes are lower-case hexadecimal. */
export interface SlowMember {
  readonly id: string;
  readonly maskSecret: Uint8Array;
  readonly selfSecret: Uint8Array;
  readonly vector: readonly bigint[];
}

export interface SlowBinding {
  readonly planHash: string;
  readonly modelHash: string;
  readonly rosterRoot: string;
  readonly u1Root: string;
  readonly sumSpecHash: string;
  readonly round: number;
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const sha256 = (...parts: Uint8Array[]): Uint8Array => {
  const state = createHash('sha256');
  for (const part of parts) state.update(part);
  return state.digest();
};

/** SHA-256(SHA-256(tag) ‖ Merkle root over the leaves). */
export function slowSetRoot(tag: string, leaves: readonly string[]): string {
  const root = slowRoot(leaves.map(bytes));
  return Buffer.from(sha256(sha256(Buffer.from(tag)), root)).toString('hex');
}

/** seed_ij of a pair, and the seed of a self mask: HKDF under the salt that binds both to what they are for. */
function slowSeed(secret: Uint8Array, binding: SlowBinding, label: string, ids: readonly string[]): Uint8Array {
  const { planHash, modelHash, rosterRoot, u1Root, sumSpecHash, round } = binding;
  const salt = sha256(...[planHash, modelHash, rosterRoot, u1Root, sumSpecHash].map(bytes));
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(round));
  const info = Buffer.concat([Buffer.from(`hushgrad/1 ${label}`), ...ids.map(bytes), number]);
  return new Uint8Array(hkdfSync('sha256', secret, salt, info, 32));
}

function slowPairMask(own: Uint8Array, other: Uint8Array, a: string, b: string, binding: SlowBinding, count: number) {
  const shared = x25519.getSharedSecret(own, x25519.getPublicKey(other));
  return slowKeystream(slowSeed(shared, binding, 'pair', [a, b].sort()), count);
}

function slowSelfMask(selfSecret: Uint8Array, id: string, binding: SlowBinding, count: number): bigint[] {
  return slowKeystream(slowSeed(selfSecret, binding, 'self', [id]), count);
}

const modulo = (value: bigint, ringBits: number): bigint => {
  const modulus = 1n << BigInt(ringBits);
  return ((value % modulus) + modulus) % modulus;
};

/** y_i = x_i + PRG(b_i) + Σ_{i<j} PRG(seed_ij) − Σ_{i>j} PRG(seed_ij) mod 2^R, over the others of U1. */
export function slowMasked(
  own: SlowMember,
  u1: readonly SlowMember[],
  binding: SlowBinding,
  ringBits: number,
): bigint[] {
  const count = own.vector.length;
  const total = slowSelfMask(own.selfSecret, own.id, binding, count).map((word, i) => word + own.vector[i]!);
  for (const other of u1) {
    if (other.id === own.id) continue;
    const mask = slowPairMask(own.maskSecret, other.maskSecret, own.id, other.id, binding, count);
    for (let i = 0; i < count; i++) total[i] = total[i]! + (own.id < other.id ? mask[i]! : -mask[i]!);
  }
  return total.map((word) => modulo(word, ringBits));
}

/** Powers of the generator 3 modulo x⁸ + x⁴ + x³ + x + 1, and the way back. */
const EXP: number[] = [1];
for (let i = 1; i < 255; i++) {
  const before = EXP[i - 1]!;
  const doubled = before & 0x80 ? (before << 1) ^ 0x11b : before << 1;
  EXP.push(doubled ^ before);
}
const LOG = new Map(EXP.map((value, power) => [value, power]));

function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : EXP[(LOG.get(a)! + LOG.get(b)!) % 255]!;
}

function dividedBy(a: number, b: number): number {
  return a === 0 ? 0 : EXP[(LOG.get(a)! - LOG.get(b)! + 255) % 255]!;
}

export interface SlowShare {
  /** Roster index + 1. */
  readonly x: number;
  readonly share: Uint8Array;
}

/** The value at `at` of the polynomial through the shares, byte by byte, as Lagrange wrote it; the secret is at 0. */
export function slowInterpolate(shares: readonly SlowShare[], at = 0): Uint8Array {
  return Uint8Array.from({ length: shares[0]!.share.length }, (_, byte) => {
    let sum = 0;
    for (const { x, share } of shares) {
      let term = share[byte]!;
      for (const other of shares) {
        if (other.x !== x) term = dividedBy(times(term, at ^ other.x), x ^ other.x);
      }
      sum ^= term;
    }
    return sum;
  });
}

export interface SlowAnswers {
  /** Opened shares of the self secrets of survivors, and of the mask keys of dropouts, by id. */
  readonly selfShares: ReadonlyMap<string, readonly SlowShare[]>;
  readonly keyShares: ReadonlyMap<string, readonly SlowShare[]>;
}

/** What the coordinator gets: the sum of what it was sent, less every mask that it puts together from shares. */
export function slowUnmask(
  masked: ReadonlyMap<string, readonly bigint[]>,
  maskKeys: ReadonlyMap<string, Uint8Array>,
  { selfShares, keyShares }: SlowAnswers,
  binding: SlowBinding,
  ringBits: number,
): bigint[] {
  const [first] = masked.values();
  const total = first!.map(() => 0n);
  const add = (words: readonly bigint[], sign: bigint): void => {
    words.forEach((word, i) => {
      total[i] = total[i]! + sign * word;
    });
  };
  for (const words of masked.values()) add(words, 1n);
  for (const [id, shares] of selfShares) add(slowSelfMask(slowInterpolate(shares), id, binding, total.length), -1n);
  for (const [dropout, shares] of keyShares) {
    const secret = slowInterpolate(shares);
    for (const survivor of masked.keys()) {
      const shared = x25519.getSharedSecret(secret, maskKeys.get(survivor)!);
      const seed = slowSeed(shared, binding, 'pair', [dropout, survivor].sort());
      // The survivor added it where its id is the smaller one.
      add(slowKeystream(seed, total.length), survivor < dropout ? -1n : 1n);
    }
  }
  return total.map((word) => modulo(word, ringBits));
}
