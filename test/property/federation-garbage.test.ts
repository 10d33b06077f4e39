/**
 * Garbage on a live connection changes no result, is counted by reason, and makes the receiver hold no more than the bound
 * that a link keeps: one message being received and four of the longest waiting.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { deferred } from '../../src/core/async.ts';
import { HushError } from '../../src/core/errors.ts';
import type { ChannelId, FederationId, Hash } from '../../src/core/ids.ts';
import { MAX_FRAME_BYTES } from '../../src/core/ports.ts';
import type { Channel } from '../../src/core/ports.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { createIdentity, identityFrom } from '../../src/crypto/identity.ts';
import { framesOf, Reassembly } from '../../src/federation/frames.ts';
import { Link } from '../../src/federation/link.ts';
import { garbageOf } from '../support/garbage.ts';
import type { Garbage } from '../support/garbage.ts';
import { ManualClock } from '../support/manualClock.ts';
import { planDocument } from '../support/planDocument.ts';
import { frameOf, rawEnvelope } from '../support/rawEnvelope.ts';
import { until } from '../support/room.ts';
import { counted, Stage } from '../support/stage.ts';

const MEBIBYTE = 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of all buffers that are reachable. */
function heldBytes(): number {
  // The second one waits for what the first one still frees in the background.
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}

describe('a running federation', () => {
  let stage: Stage;
  afterEach(() => stage?.close());

  /** Every kind of garbage, shuffled, on the wires of one participant, at every step of the round. */
  test('gives the same sum under garbage from both sides at every step, and counts each piece', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 2 }));
    const { coordinator, room } = stage;
    const { binding, own } = coordinator.state;
    await stage.joinAll(4);
    await stage.greeted();
    const [guest] = room.guests;
    const participant = stage.actors.find(({ id }) => id === guest!.identity.id)!.participant;
    const up = await garbageOf({ identity: guest!.identity, role: 'participant', binding, receiver: own });
    const identity = await identityFrom(room.deed.keyPair);
    const down = await garbageOf({ identity, role: 'coordinator', binding, receiver: guest!.identity.id });
    const random = SeededRandom.of(3);
    const sent = { up: new Map<string, number>(), down: new Map<string, number>() };
    const [wireUp, wireDown] = [stage.wires().up[0]!, stage.wires().down[0]!];
    const throwSome = (list: readonly Garbage[], wire: Channel, counts: Map<string, number>): void => {
      for (let i = 0; i < 20; i++) {
        const { code, frames } = list[random.below(list.length)]!;
        // The frames of one piece stay together: a channel keeps order.
        for (const frame of frames) void wire.send(frame).catch(() => undefined);
        counts.set(code, (counts.get(code) ?? 0) + 1);
      }
    };
    coordinator.hears = (message) => {
      if (sumOf(sent.up) < 800) {
        throwSome(up, wireUp, sent.up);
        throwSome(down, wireDown, sent.down);
      }
      return message;
    };
    await stage.finished();
    for (const round of [1, 2]) {
      const { unmasked, expected } = stage.sums(round);
      expect(unmasked).toEqual(expected);
    }
    expect(coordinator.state.head).toMatchObject({ completed: 2, abandoned: 0 });
    expect(sumOf(sent.up)).toBeGreaterThan(500);
    for (const [told, counts] of [
      [coordinator, sent.up],
      [participant, sent.down],
    ] as const) {
      await until(told, () => [...counts].every(([code, count]) => counted(told, code) === count));
      expect(new Map(told.view().refusals.map(({ reason, count }) => [reason, count]))).toEqual(counts);
    }
  });

  test('lets go of a peer that sends nothing else; the others complete', async () => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
    const { coordinator, room } = stage;
    await stage.joinAll(5);
    await stage.greeted();
    const flooder = room.guests[0]!.participant;
    let closed = false;
    coordinator.hears = (message) => {
      if (message.type === 'masked' && !closed) {
        closed = true;
        for (let i = 0; i < 1100; i++)
          void stage
            .wires()
            .up[0]!.send(new Uint8Array(3))
            .catch(() => undefined);
        flooder.wish('leave');
      }
      return message;
    };
    await stage.finished();
    expect(counted(coordinator, 'frame/too-short')).toBe(1000);
    expect(coordinator.state.head).toMatchObject({ completed: 1, abandoned: 0 });
  });
});

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** A channel whose other side is the test. */
class FakeChannel implements Channel {
  readonly id = 'fake' as ChannelId;
  isOpen = true;
  #take: (frame: Bytes) => void = () => undefined;
  #closed: (reason: string) => void = () => undefined;

  async send(): Promise<void> {}

  onFrame(handler: (frame: Bytes) => void): void {
    this.#take = handler;
  }

  onClose(handler: (reason: string) => void) {
    this.#closed = handler;
    return () => undefined;
  }

  close(): void {
    this.isOpen = false;
    this.#closed('closed');
  }

  push(frame: Bytes): void {
    this.#take(frame);
  }
}

const binding = { federation: '12'.repeat(16) as FederationId, planHash: '34'.repeat(32) as Hash };
const [here, there] = [await createIdentity(), await createIdentity()];

interface Opened {
  readonly link: Link;
  readonly channel: FakeChannel;
  readonly refused: Map<string, number>;
  messages: number;
  ended: string | undefined;
}

/** A link that has met its peer and reads messages of up to `maxBytes`. */
function openLink(maxBytes: number | undefined): Opened {
  const channel = new FakeChannel();
  const refused = new Map<string, number>();
  const opened: Omit<Opened, 'link'> & { link?: Link } = { channel, refused, messages: 0, ended: undefined };
  opened.link = new Link({
    channel,
    clock: new ManualClock(),
    binding,
    own: here.id,
    peerRole: 'participant',
    peerKey: there.publicKey,
    handlers: {
      onMessage: () => opened.messages++,
      onRefused: ({ code }) => refused.set(code, (refused.get(code) ?? 0) + 1),
      onClosed: (reason) => (opened.ended = reason),
    },
  });
  if (maxBytes !== undefined) opened.link.readUpTo(maxBytes);
  return opened as Opened;
}

/** Lets everything that waits for WebCrypto or a microtask come to its end. */
async function settled(opened: Opened, expected: () => boolean): Promise<void> {
  while (!expected() && opened.ended === undefined) {
    const turn = deferred<void>();
    setImmediate(() => turn.resolve());
    await turn.promise;
  }
}

describe('a million frames', () => {
  const { stackTraceLimit } = Error;
  afterEach(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  /** Headers near what is valid, so that they get far: small numbers, few frames, in and out of order. */
  function randomFrame(random: SeededRandom, pool: readonly Bytes[], at: number): Bytes {
    const kind = random.below(10);
    if (kind === 0) return random.bytes(random.below(12));
    const header =
      kind === 1
        ? { number: random.below(2 ** 32), index: random.below(2 ** 16), count: random.below(2 ** 16) }
        : { number: at % 3, index: random.below(4), count: 1 + random.below(4) };
    return frameOf(pool[random.below(pool.length)]!, header);
  }

  test('make a reassembly hold no more than its longest message, and end in frame/… refusals alone', () => {
    const maxBytes = 4 * MEBIBYTE;
    const reassembly = new Reassembly(maxBytes);
    const random = SeededRandom.of(5);
    const payloads = [0, 1, 50, 300].map((length) => random.bytes(length));
    const pool = Array.from({ length: 20_011 }, (_, i) => randomFrame(random, payloads, i));
    const counts = new Map<string, number>();
    let messages = 0;
    const before = heldBytes();
    let most = 0;
    // Half a million refusals: nobody reads where each was thrown.
    Error.stackTraceLimit = 0;
    for (let i = 0; i < 920_000; i++) {
      // Now and then as large as a frame can be, so that the bound is reached; the others in an order that does not repeat.
      const frame =
        i % 10_000 < 65
          ? frameOf(new Uint8Array(MAX_FRAME_BYTES - 8), { number: 1, index: i % 10_000, count: 65 })
          : pool[(i * i + 97 * Math.floor(i / pool.length)) % pool.length]!;
      try {
        const message = reassembly.push(frame);
        if (message !== undefined) {
          messages++;
          if (message.length > maxBytes) throw new Error(`a message of ${message.length} bytes`);
        }
      } catch (error) {
        if (!(error instanceof HushError) || !error.code.startsWith('frame/')) throw error;
        counts.set(error.code, (counts.get(error.code) ?? 0) + 1);
      }
      if (i % 200_000 === 60) most = Math.max(most, heldBytes() - before);
    }
    expect(most).toBeGreaterThan(maxBytes / 2);
    // What else the process allocates meanwhile is in the figure too.
    expect(most).toBeLessThan(maxBytes + MEBIBYTE);
    expect([...counts.keys()].sort()).toEqual(['frame/index', 'frame/order', 'frame/too-large', 'frame/too-short']);
    // All that was thrown is accounted for: a whole message, a part of one, or a refusal.
    expect(messages).toBeGreaterThan(10_000);
    // And what comes after it is read as if nothing had been.
    const honest = random.bytes(200_000);
    const read = [...framesOf(honest, 1)].flatMap((frame) => reassembly.push(frame) ?? []);
    expect(read).toEqual([honest]);
  });

  test('of every kind, on link after link: each is counted, none becomes a message, and each link ends after 1,000', async () => {
    const kinds = await garbageOf({ identity: there, role: 'participant', binding, receiver: here.id });
    // What needs no signature to be refused is cheap enough for many.
    const cheap = kinds.filter(({ code }) => code !== 'codec/signature');
    const random = SeededRandom.of(6);
    let frames = 0;
    const before = heldBytes();
    while (frames < 80_000) {
      const opened = openLink(MEBIBYTE);
      const { channel, refused } = opened;
      // An old message is one only after a newer one.
      channel.push(
        frameOf(await rawEnvelope(there, binding, { type: 'leave', round: 0, seq: 5, body: { reason: 'left' } })),
      );
      await settled(opened, () => opened.messages === 1);
      const counts = new Map<string, number>();
      let pieces = 0;
      while (pieces < 999) {
        for (let i = 0; i < 100 && pieces < 999; i++, pieces++) {
          const { code, frames: list } = cheap[random.below(cheap.length)]!;
          for (const frame of list) channel.push(frame);
          frames += list.length;
          counts.set(code, (counts.get(code) ?? 0) + 1);
        }
        await settled(opened, () => sumOf(refused) === pieces);
      }
      expect(refused).toEqual(counts);
      expect(opened.messages).toBe(1);
      expect(opened.ended).toBeUndefined();
      channel.push(new Uint8Array(1));
      expect(opened.ended).toBe('too many refused messages');
      expect(channel.isOpen).toBe(false);
    }
    expect(heldBytes() - before).toBeLessThan(2 * MEBIBYTE);
  });
});

describe('what a peer can make a link hold', () => {
  const maxBytes = 2 * MEBIBYTE;
  const bound = maxBytes + 4 * maxBytes + MEBIBYTE;
  const part = (index: number, count: number) =>
    frameOf(new Uint8Array(MAX_FRAME_BYTES - 8), { number: 1, index, count });

  test('before it has said who it is: one message of 8 KiB', () => {
    const opened = openLink(undefined);
    const before = heldBytes();
    for (let i = 0; i < 500; i++) opened.channel.push(part(i % 4, 5));
    expect(heldBytes() - before).toBeLessThan(MEBIBYTE);
    expect(sumOf(opened.refused)).toBe(500);
  });

  test('with a message that never ends: the longest message', () => {
    const opened = openLink(maxBytes);
    const before = heldBytes();
    const count = Math.floor(maxBytes / (MAX_FRAME_BYTES - 8)) + 1;
    for (let index = 0; index < count - 1; index++) opened.channel.push(part(index, count));
    const held = heldBytes() - before;
    expect(held).toBeGreaterThan(maxBytes / 2);
    expect(held).toBeLessThan(maxBytes + MEBIBYTE);
    opened.channel.push(part(count - 1, count));
    expect(opened.refused).toEqual(new Map([['frame/too-large', 1]]));
    expect(heldBytes() - before).toBeLessThan(MEBIBYTE);
  });

  test('with long messages faster than they are checked: four of the longest, then it is let go', async () => {
    const opened = openLink(maxBytes);
    const before = heldBytes();
    const count = Math.floor(maxBytes / (MAX_FRAME_BYTES - 8));
    for (let message = 0; message < 20; message++) {
      for (let index = 0; index < count; index++) opened.channel.push(part(index, count));
    }
    expect(opened.ended).toBe('too many messages at once');
    const held = heldBytes() - before;
    expect(held).toBeGreaterThan(2 * maxBytes);
    expect(held).toBeLessThan(bound);
  });

  test('with small messages faster than they are checked: 256 of them, then it is let go', () => {
    const opened = openLink(maxBytes);
    for (let i = 0; i < 300; i++) opened.channel.push(frameOf(new Uint8Array(200)));
    expect(opened.ended).toBe('too many messages at once');
  });
});
