import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import type { MaskSeed } from '../../src/core/localWork.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { addByNoble } from '../../src/crypto/chachaNoble.ts';
import { openChachaSimd } from '../../src/crypto/chachaSimd.ts';
import { addKeystreams } from '../../src/crypto/prg.ts';
import { slowKeystream } from '../reference/slowSum.ts';
import vectors from '../vectors/rfc8439.json';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => new Uint8Array(b));
const masks: fc.Arbitrary<MaskSeed[]> = fc.array(fc.record({ seed: bytes32, sign: fc.constantFrom<1 | -1>(1, -1) }), {
  maxLength: 5,
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

function simd() {
  const adder = openChachaSimd();
  if (adder === undefined) throw new Error('This machine has no SIMD in WebAssembly.');
  return adder;
}

describe.each([
  ['WebAssembly SIMD', simd()],
  ['@noble', addByNoble],
])('ChaCha20 in %s', (_name, add) => {
  it.each(vectors.blocks)('gives block $counter of RFC 8439', ({ key, counter, keystream }) => {
    const words = new Uint32Array(16);
    add(words, [{ seed: fromHex(key), sign: 1 }], 16 * counter);
    const view = new DataView(new ArrayBuffer(64));
    words.forEach((word, i) => view.setUint32(4 * i, word, true));
    expect(toHex(new Uint8Array(view.buffer))).toBe(keystream);
  });

  it('adds and subtracts any number of streams, of any length, from any word on', () => {
    const lengths = fc.oneof(fc.nat({ max: 200 }), fc.integer({ min: 8100, max: 8300 }));
    fc.assert(
      fc.property(masks, lengths, fc.nat({ max: 300 }), fc.nat(), (given, length, firstWord, start) => {
        const random = SeededRandom.of(start);
        const target = Uint32Array.from({ length }, () => random.below(2 ** 32));
        const streams = given.map(({ seed }) => slowKeystream(seed, firstWord + length).slice(firstWord));
        const expected = [...target].map((word, i) =>
          Number(
            BigInt.asUintN(
              32,
              given.reduce((sum, { sign }, k) => sum + BigInt(sign) * streams[k]![i]!, BigInt(word)),
            ),
          ),
        );
        add(target, given, firstWord);
        expect([...target]).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('is the same however the target is cut, over more than one piece and more masks than fit at once', () => {
    const random = SeededRandom.of(7);
    const many = Array.from({ length: 700 }, (_, i): MaskSeed => ({
      seed: random.bytes(32),
      sign: i % 3 === 0 ? -1 : 1,
    }));
    for (const given of [many, many.slice(0, 3)]) {
      const length = given === many ? 300 : 40_000;
      const whole = new Uint32Array(length + 5);
      add(whole, given, 0);
      for (const cut of [1, 16, 17, 255, Math.floor(length / 2)]) {
        // Also where the target does not begin at its memory's beginning.
        const memory = new Uint32Array(length + 6);
        const target = memory.subarray(1);
        add(target.subarray(0, cut), given, 0);
        add(target.subarray(cut), given, cut);
        expect(target).toEqual(whole);
        expect(memory[0]).toBe(0);
      }
    }
  });

  it('reaches the end of the stream, where the counter is 2^32 − 2', () => {
    const seed = SeededRandom.of(8).bytes(32);
    const last = new Uint32Array(16);
    add(last, [{ seed, sign: 1 }], 2 ** 36 - 32);
    const tail = new Uint32Array(3);
    add(tail, [{ seed, sign: 1 }], 2 ** 36 - 19);
    expect(tail).toEqual(last.subarray(13));
    expect(last.some((word) => word !== 0)).toBe(true);
  });
});

describe('both ways', () => {
  it('agree far into the stream', () => {
    const add = simd();
    fc.assert(
      fc.property(masks, fc.integer({ min: 0, max: 2 ** 36 - 116 }), (given, firstWord) => {
        const [fast, slow] = [new Uint32Array(100), new Uint32Array(100)];
        add(fast, given, firstWord);
        addByNoble(slow, given, firstWord);
        expect(fast).toEqual(slow);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['there is no WebAssembly', undefined],
    [
      'compiling is refused',
      {
        Module: function refused() {
          throw new RangeError('no SIMD');
        },
      },
    ],
  ])('give the same where %s', async (_why, stub) => {
    const given: MaskSeed[] = [{ seed: SeededRandom.of(9).bytes(32), sign: -1 }];
    const expected = new Uint32Array(50);
    addKeystreams(expected, given, 3);
    vi.stubGlobal('WebAssembly', stub);
    vi.resetModules();
    const { openChachaSimd: openHere } = await import('../../src/crypto/chachaSimd.ts');
    expect(openHere()).toBeUndefined();
    const fresh = await import('../../src/crypto/prg.ts');
    const target = new Uint32Array(50);
    fresh.addKeystreams(target, given, 3);
    expect(target).toEqual(expected);
  });

  it('leave no seed in the module’s memory', () => {
    const memories: ArrayBuffer[] = [];
    const { Instance } = WebAssembly;
    vi.stubGlobal('WebAssembly', {
      ...Object.fromEntries(Object.getOwnPropertyNames(WebAssembly).map((key) => [key, Reflect.get(WebAssembly, key)])),
      Instance: function watched(module: WebAssembly.Module) {
        const instance = new Instance(module);
        memories.push((instance.exports['memory'] as WebAssembly.Memory).buffer);
        return instance;
      },
    });
    simd()(new Uint32Array(9000).fill(5), [{ seed: new Uint8Array(32).fill(7), sign: 1 }], 0);
    expect(memories).toHaveLength(1);
    expect(new Uint8Array(memories[0]!).every((byte) => byte === 0)).toBe(true);
  });
});
