import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import { addKeystream, keystreamWords } from '../../src/crypto/prg.ts';
import vectors from '../vectors/rfc8439.json';

function littleEndianHex(words: Uint32Array): string {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  return toHex(new Uint8Array(view.buffer));
}

describe('ChaCha20', () => {
  it.each(vectors.blocks)('gives block $counter of RFC 8439', ({ key, counter, keystream }) => {
    expect(littleEndianHex(keystreamWords(fromHex(key), 16, 16 * counter))).toBe(keystream);
  });

  it('reads the seed where it lies, at any offset in memory', () => {
    const { key, counter, keystream } = vectors.blocks[3]!;
    const memory = new Uint8Array(64);
    memory.set(fromHex(key), 5);
    expect(littleEndianHex(keystreamWords(memory.subarray(5, 37), 16, 16 * counter))).toBe(keystream);
  });

  it('refuses a seed of another length and a position outside the stream', () => {
    expect(() => keystreamWords(new Uint8Array(31), 1)).toThrow('31 bytes');
    expect(() => keystreamWords(new Uint8Array(32), 1, -1)).toThrow('firstWord');
    expect(() => keystreamWords(new Uint8Array(32), 1, 0.5)).toThrow('firstWord');
    expect(() => addKeystream(new Uint32Array(2), new Uint8Array(32), 1, 2 ** 36 - 17)).toThrow('firstWord');
    expect(keystreamWords(new Uint8Array(32), 1, 2 ** 36 - 17)).toHaveLength(1);
  });
});
