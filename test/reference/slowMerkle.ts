/** RFC 6962 section 2.1 written down as the RFC does: recursion on the largest power of two below the number of leaves. */
import { createHash } from 'node:crypto';

const hash = (...parts: Uint8Array[]): Uint8Array => {
  const state = createHash('sha256');
  for (const part of parts) state.update(part);
  return state.digest();
};

function split(n: number): number {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

export function slowRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return hash();
  if (leaves.length === 1) return hash(Uint8Array.of(0), leaves[0]!);
  const k = split(leaves.length);
  return hash(Uint8Array.of(1), slowRoot(leaves.slice(0, k)), slowRoot(leaves.slice(k)));
}

export function slowPath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...slowPath(leaves.slice(0, k), index), slowRoot(leaves.slice(k))]
    : [...slowPath(leaves.slice(k), index - k), slowRoot(leaves.slice(0, k))];
}
