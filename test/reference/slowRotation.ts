/** The rotation by its definition: an explicit Hadamard matrix, one entry at a time, and exact fractions in BigInt. */
import { createHash } from 'node:crypto';
import { slowKeystream } from './slowSum.ts';

/** Numerators over this stand for every value that two blocks of at most 4,096 can give from integers. */
export const DENOMINATOR = 4096n;

export function slowRotationSeed(modelHex: string, round: bigint): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(round);
  const tag = createHash('sha256').update('hushgrad/1 rotation').digest();
  return createHash('sha256').update(tag).update(Buffer.from(modelHex, 'hex')).update(number).digest();
}

/** [start, size] of every block, in order: the largest power of four, and a last one that ends where the vector ends. */
export function slowBlocks(length: number, largest = 4096): [start: number, size: number][] {
  const size = [4096, 1024, 256, 64, 16, 4, 1].find((power) => power <= length && power <= largest)!;
  const blocks: [number, number][] = [];
  let start = 0;
  for (; start + size <= length; start += size) blocks.push([start, size]);
  if (start < length) blocks.push([length - size, size]);
  return blocks;
}

/** Undoes the rotation of integers; gives numerators over DENOMINATOR. */
export function slowUnrotate(sums: readonly bigint[], seed: Uint8Array): bigint[] {
  const blocks = slowBlocks(sums.length);
  const size = blocks[0]![1];
  const words = slowKeystream(seed, Math.ceil((blocks.length * size) / 32));
  const values = sums.map((sum) => sum * DENOMINATOR);
  for (let k = blocks.length - 1; k >= 0; k--) {
    const [start] = blocks[k]!;
    const block = values.slice(start, start + size);
    for (let row = 0; row < size; row++) {
      let sum = 0n;
      block.forEach((value, column) => {
        // Entry of Sylvester's matrix: −1 to the number of ones that row and column share.
        sum += parity(row & column) === 0 ? value : -value;
      });
      const bit = k * size + row;
      const flipped = (words[Math.floor(bit / 32)]! >> BigInt(bit % 32)) & 1n;
      values[start + row] = (flipped === 1n ? -sum : sum) / BigInt(Math.sqrt(size));
    }
  }
  return values;
}

function parity(bits: number): number {
  let ones = 0;
  for (let rest = bits; rest > 0; rest >>>= 1) ones += rest & 1;
  return ones % 2;
}
