/** What comes from the network ends in a checked message or in a refusal with a code, whatever it is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, equalBytes, toHex, utf8 } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import type { FederationId, Hash } from '../../src/core/ids.ts';
import { MAX_FRAME_BYTES } from '../../src/core/ports.ts';
import { createIdentity } from '../../src/crypto/identity.ts';
import { decodeCbor, encodeCbor, encodeList } from '../../src/federation/cbor.ts';
import { CborWriter } from '../../src/federation/cborWriter.ts';
import { openEnvelope, sealEnvelope } from '../../src/federation/envelope.ts';
import type { Expectation } from '../../src/federation/envelope.ts';
import { framesOf, Reassembly } from '../../src/federation/frames.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';

describe('frames', () => {
  const reassemble = (frames: Iterable<Bytes>, maxBytes = 10_000_000): readonly Uint8Array[] => {
    const reassembly = new Reassembly(maxBytes);
    return [...frames].flatMap((frame) => reassembly.push(frame) ?? []);
  };

  test('give back every message, in order', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const messages = lengths.map((length, i) => SeededRandom.of(length, i).bytes(length));
        const frames = messages.flatMap((message, number) => [...framesOf(message, number)]);
        expect(frames.every((frame) => frame.length <= MAX_FRAME_BYTES)).toBe(true);
        expect(reassemble(frames).every((message, i) => equalBytes(message, messages[i]!))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  const message = SeededRandom.of(1).bytes(150_000);
  const [first, second, third] = [...framesOf(message, 7)] as [Bytes, Bytes, Bytes];

  test.each([
    ['too short', [first.subarray(0, 7)], 'frame/too-short'],
    ['one missing', [first, third], 'frame/order'],
    ['in another order', [second], 'frame/order'],
    ['twice', [first, second, second], 'frame/order'],
    ['of two messages mixed', [first, [...framesOf(message, 8)][1]!], 'frame/order'],
  ])('%s are refused', (_name, frames, code) => {
    expect(() => reassemble(frames)).toThrow(expect.objectContaining({ code }));
  });

  test('of a message above the limit are refused at the first one, and a whole message after it is read', () => {
    const reassembly = new Reassembly(1000);
    expect(() => reassembly.push(first)).toThrow(expect.objectContaining({ code: 'frame/too-large' }));
    expect(reassembly.push([...framesOf(utf8('small'), 9)][0]!)).toEqual(utf8('small'));
  });
});

describe('CBOR', () => {
  test.each([
    ['a map out of order', '', 'a2616201616101'],
    ['a key twice', '', 'a2616101616102'],
    ['a length of its own', '', '5f4101ff'],
    ['a long form of a short number', '', '1801'],
    ['something after the end', '', '0101'],
    ['nothing', '', ''],
    ['undefined', '', 'f7'],
  ])('%s is refused', (_name, _empty, hex) => {
    const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    expect(() => decodeCbor(bytes)).toThrow(expect.objectContaining({ code: 'codec/cbor' }));
  });

  test('any bytes are read or refused, and what is read is written the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(encodeCbor(decodeCbor(bytes))).toEqual(new Uint8Array(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: 'codec/cbor' });
        }
      }),
    );
  });
});

describe('a list', () => {
  const lists = fc.array(fc.array(fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.nat(), fc.string())), {
    maxLength: 8,
  });

  test('is written as any value is, into memory that no later one is written into', () => {
    fc.assert(
      fc.property(lists, (values) => {
        const written = values.map((value) => encodeList(value));
        expect(written.map((bytes) => toHex(bytes))).toEqual(values.map((value) => toHex(encodeCbor(value))));
      }),
    );
  });

  test('is in memory of its own size, a long one at most as large again', () => {
    for (const length of [0, 100, 10_000, 400_000]) {
      const written = encodeList([new Uint8Array(length)]);
      expect(written.buffer.byteLength).toBeLessThanOrEqual(length > 2 ** 17 ? 2 * written.length : written.length);
    }
  });

  test('may be written while another is', () => {
    const [outer, inner] = [new CborWriter(), new CborWriter()];
    outer.put(utf8('outer'));
    inner.put(utf8('inner'));
    expect(inner.taken()).toEqual(utf8('inner'));
    outer.put(utf8(' goes on'));
    expect(outer.taken()).toEqual(utf8('outer goes on'));
  });
});

describe('envelopes', async () => {
  const binding = { federation: 'ab'.repeat(16) as FederationId, planHash: 'cd'.repeat(32) as Hash };
  const [alice, bob, mallory] = [await createIdentity(), await createIdentity(), await createIdentity()];
  const expected: Expectation = {
    binding,
    own: bob.id,
    senderRole: 'participant',
    senderKey: alice.publicKey,
    senderId: alice.id,
    lastSeq: 4,
  };
  const body = { reason: 'left' };
  const leave = { type: 'leave', round: 3, to: bob.id, seq: 5, body } as const;

  test('open to what was sealed', async () => {
    const opened = await openEnvelope(await sealEnvelope(alice, binding, leave), expected);
    expect(opened).toEqual({ message: { type: 'leave', round: 3, body }, seq: 5, from: alice.id });
  });

  test.each([
    ['from another sender', { identity: mallory }, 'codec/sender'],
    [
      'for another federation',
      { binding: { ...binding, federation: 'ac'.repeat(16) as FederationId } },
      'codec/binding',
    ],
    ['for another plan', { binding: { ...binding, planHash: 'ce'.repeat(32) as Hash } }, 'codec/binding'],
    ['for somebody else', { outgoing: { ...leave, to: mallory.id } }, 'codec/sender'],
    ['that came before', { outgoing: { ...leave, seq: 4 } }, 'codec/sequence'],
    ['that only a coordinator sends', { outgoing: { ...leave, type: 'end' as const } }, 'codec/direction'],
    ['with a body that is too long', { outgoing: { ...leave, body: { reason: 'x'.repeat(5000) } } }, 'codec/size'],
    ['with a body that is not well formed', { outgoing: { ...leave, body: { reason: '' } } }, 'codec/schema'],
  ])('%s are refused', async (_name, change, code) => {
    const given = { identity: alice, binding, outgoing: leave, ...change };
    const bytes = await sealEnvelope(given.identity, given.binding, given.outgoing as typeof leave);
    await expect(openEnvelope(bytes, expected)).rejects.toMatchObject({ code });
  });

  test('with any one bit changed are refused', async () => {
    const bytes = await sealEnvelope(alice, binding, leave);
    for (let i = 0; i < bytes.length; i++) {
      const changed = new Uint8Array(bytes);
      changed[i] = changed[i]! ^ (1 << (i % 8));
      await expect(openEnvelope(changed, expected), `byte ${i}`).rejects.toMatchObject({
        code: expect.stringMatching(/^codec\//),
      });
    }
  });

  test('of any bytes are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await expect(openEnvelope(concatBytes(bytes), expected)).rejects.toMatchObject({
          code: expect.stringMatching(/^codec\//),
        });
      }),
      { numRuns: 200 },
    );
  });

  test('carry ids and keys as raw bytes', async () => {
    const bytes = await sealEnvelope(alice, binding, leave);
    expect(toHex(bytes)).toContain(alice.id);
    expect(bytes.length).toBeLessThan(300);
  });
});
