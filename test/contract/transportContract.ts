/** What every Transport must do, whatever carries it. Runs in Node and in a browser. */
import { describe, expect, test } from 'vitest';
import { deferred } from '../../src/core/async.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { MAX_FRAME_BYTES } from '../../src/core/ports.ts';
import type { Channel, Reachability, Transport } from '../../src/core/ports.ts';

export interface TransportPair {
  /** Both are open. */
  readonly a: Transport;
  readonly b: Transport;
  /** Takes the way to be found away from `a` and gives it back, once it has noticed. */
  interrupt(): void;
  close(): void;
}

/** Each test has a pair of its own. */
export function transportContract(name: string, makePair: () => Promise<TransportPair>): void {
  const onPair = (what: string, body: (pair: TransportPair) => Promise<void>) =>
    test(what, async () => {
      const pair = await makePair();
      try {
        await body(pair);
      } finally {
        pair.close();
      }
    });

  describe(`${name} keeps the contract of a transport`, () => {
    onPair('frames arrive once, whole and in order', async ({ a, b }) => {
      const [here, there] = await connected(a, b);
      const lengths = [0, 1, 2, 1000, MAX_FRAME_BYTES, 3, MAX_FRAME_BYTES - 1, 0, 7];
      const received = collect(there, lengths.length);
      await Promise.all(lengths.map((length, i) => here.send(pattern(length, i))));
      expect(await received).toEqual(lengths.map((length, i) => pattern(length, i)));
    });

    onPair('frames go both ways at once', async ({ a, b }) => {
      const [here, there] = await connected(a, b);
      const atThere = collect(there, 50);
      const atHere = collect(here, 50);
      for (let i = 0; i < 50; i++) await Promise.all([here.send(pattern(100, i)), there.send(pattern(200, i))]);
      expect((await atThere).map((frame) => frame.length)).toEqual(Array.from({ length: 50 }, () => 100));
      expect((await atHere).map((frame) => frame[0])).toEqual(Array.from({ length: 50 }, (_, i) => pattern(1, i)[0]));
    });

    onPair('the sender may change a frame once it is handed over', async ({ a, b }) => {
      const [here, there] = await connected(a, b);
      const received = collect(there, 1);
      const frame = pattern(10, 1);
      await here.send(frame);
      frame.fill(0);
      expect(await received).toEqual([pattern(10, 1)]);
    });

    onPair('5 MB pass, and a sender that does not wait is held back', async ({ a, b }) => {
      const [here, there] = await connected(a, b);
      const frames = 80;
      const received: Bytes[] = [];
      let handedOver = 0;
      let mostAhead = 0;
      const all = deferred<void>();
      there.onFrame((frame) => {
        received.push(frame);
        if (received.length === frames) all.resolve();
      });
      const sends = Array.from({ length: frames }, async (_, i) => {
        await here.send(pattern(MAX_FRAME_BYTES, i));
        handedOver++;
        mostAhead = Math.max(mostAhead, handedOver - received.length);
      });
      await Promise.all([...sends, all.promise]);
      expect(received.every((frame, i) => frame.length === MAX_FRAME_BYTES && frame[0] === pattern(1, i)[0])).toBe(
        true,
      );
      // 1 MiB in the buffer is 16 frames; a browser has some more of them on the way.
      expect(mostAhead).toBeLessThanOrEqual(frames / 2);
    });

    onPair('frames that come before a handler are kept', async ({ a, b }) => {
      const [here, there] = await connected(a, b);
      for (let i = 0; i < 200; i++) await here.send(pattern(4, i));
      // The last one must be there before the handler is: an answer on a second channel says that it is.
      const [ask, answer] = await connected(b, a);
      await answer.send(pattern(1, 0));
      await collect(ask, 1);
      expect(await collect(there, 200)).toEqual(Array.from({ length: 200 }, (_, i) => pattern(4, i)));
    });

    onPair('more than 256 unheard frames close the channel', async ({ a, b }) => {
      const [here, there] = await connected(a, b);
      const reasons = Promise.all([closed(here), closed(there)]);
      await Promise.allSettled(Array.from({ length: 400 }, (_, i) => here.send(pattern(4, i))));
      expect((await reasons)[1]).toContain('256 frames');
      expect([here.isOpen, there.isOpen]).toEqual([false, false]);
    });

    onPair('the other side hears of a close, after what was sent before', async ({ a, b }) => {
      const [here, there] = await connected(a, b);
      const heard: string[] = [];
      there.onFrame((frame) => heard.push(`frame ${frame[0]}`));
      const reason = closed(there);
      for (let i = 1; i <= 3; i++) await here.send(Uint8Array.of(i));
      here.close();
      expect(here.isOpen).toBe(false);
      expect(await reason).toBe('the other side closed it');
      expect(heard).toEqual(['frame 1', 'frame 2', 'frame 3']);
      expect(await closed(here)).toBe('this side closed it');
      // Said to whoever asks later, too.
      expect(await closed(there)).toBe('the other side closed it');
    });

    onPair('closing twice says so once', async ({ a, b }) => {
      const [here, there] = await connected(a, b);
      let calls = 0;
      here.onClose(() => calls++);
      const unwanted = here.onClose(() => (calls += 100));
      unwanted();
      here.close();
      here.close();
      await closed(there);
      expect(calls).toBe(1);
    });

    onPair('sending after a close fails with transport/closed, and so does what still waits', async ({ a, b }) => {
      const [here] = await connected(a, b);
      const waiting = Array.from({ length: 60 }, (_, i) => here.send(pattern(MAX_FRAME_BYTES, i)));
      const settled = Promise.allSettled(waiting);
      here.close();
      await expect(here.send(pattern(1, 0))).rejects.toMatchObject({ code: 'transport/closed' });
      const last = (await settled).at(-1);
      expect(last).toMatchObject({ status: 'rejected', reason: { code: 'transport/closed' } });
    });

    onPair('a frame that is too long is refused, and the channel lives on', async ({ a, b }) => {
      const [here, there] = await connected(a, b);
      await expect(here.send(pattern(MAX_FRAME_BYTES + 1, 0))).rejects.toMatchObject({ code: 'frame/too-large' });
      const received = collect(there, 1);
      await here.send(pattern(5, 5));
      expect(await received).toEqual([pattern(5, 5)]);
    });

    onPair('calling nobody, or oneself, fails with transport/unreachable', async ({ a }) => {
      await expect(a.connect('0123456789abcdef0123456789abcdef')).rejects.toMatchObject({
        code: 'transport/unreachable',
      });
      await expect(a.connect(a.address)).rejects.toMatchObject({ code: 'transport/unreachable' });
    });

    onPair('many channels at once have ids of their own and do not mix', async ({ a, b }) => {
      // Whoever is at the far end of a channel answers with what it was sent.
      const echoes: Promise<void>[] = [];
      b.onChannel((there) => there.onFrame((frame) => echoes.push(there.send(frame))));
      const channels = await Promise.all(Array.from({ length: 12 }, () => a.connect(b.address)));
      expect(new Set(channels.map((channel) => channel.id)).size).toBe(12);
      const received = channels.map((channel) => collect(channel, 1));
      await Promise.all(channels.map((channel, i) => channel.send(pattern(64, i))));
      expect(await Promise.all(received)).toEqual(channels.map((_, i) => [pattern(64, i)]));
      await Promise.all(echoes);
    });

    onPair('closing the transport closes its channels, for good', async ({ a, b }) => {
      const channels = [await connected(a, b), await connected(b, a)];
      const reasons = Promise.all(channels.flatMap(([here, there]) => [closed(here), closed(there)]));
      const states: Reachability[] = [];
      a.onReachability((state) => states.push(state));
      a.close();
      expect(await reasons).toHaveLength(4);
      expect(states).toEqual(['closed']);
      await expect(b.connect(a.address)).rejects.toMatchObject({ code: 'transport/unreachable' });
      await expect(a.connect(b.address)).rejects.toMatchObject({ code: 'transport/unreachable' });
      await expect(a.open()).rejects.toMatchObject({ code: 'transport/unreachable' });
    });

    onPair('losing the way to be found leaves open channels alone, and comes back', async (pair) => {
      const { a, b } = pair;
      const [here, there] = await connected(a, b);
      const states: Reachability[] = [];
      const back = deferred<void>();
      a.onReachability((state) => {
        states.push(state);
        if (state === 'online') back.resolve();
      });
      const address = a.address;
      pair.interrupt();
      await back.promise;
      expect(states).toEqual(['offline', 'online']);
      expect(a.address).toBe(address);
      expect([here.isOpen, there.isOpen]).toEqual([true, true]);
      const received = Promise.all([collect(there, 1), collect(here, 1)]);
      await Promise.all([here.send(pattern(9, 1)), there.send(pattern(9, 2))]);
      expect(await received).toEqual([[pattern(9, 1)], [pattern(9, 2)]]);
      const [again] = await connected(b, a);
      expect(again.isOpen).toBe(true);
    });
  });
}

/** Both ends of a new channel, the caller's first. One call at a time: channels do not say who called. */
async function connected(from: Transport, to: Transport): Promise<[Channel, Channel]> {
  const answered = deferred<Channel>();
  const stop = to.onChannel((channel) => answered.resolve(channel));
  const here = await from.connect(to.address);
  const there = await answered.promise;
  stop();
  return [here, there];
}

/** The next `count` frames. */
async function collect(channel: Channel, count: number): Promise<readonly Bytes[]> {
  const all = deferred<void>();
  const frames: Bytes[] = [];
  channel.onFrame((frame) => {
    frames.push(frame);
    if (frames.length === count) all.resolve();
  });
  await all.promise;
  return frames;
}

function closed(channel: Channel): Promise<string> {
  return new Promise((resolve) => channel.onClose(resolve));
}

/** `length` bytes that tell frames apart. */
function pattern(length: number, seed: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7 + 1) & 0xff);
}
