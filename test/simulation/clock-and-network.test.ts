/** The virtual clock and the seeded network do what they say, and WebCrypto's work is awaited in a repeatable order. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { MAX_FRAME_BYTES } from '../../src/core/ports.ts';
import type { Channel } from '../../src/core/ports.ts';
import { CryptoBarrier } from '../../tools/simulate/cryptoBarrier.ts';
import { FrameFaults } from '../../tools/simulate/faults.ts';
import type { Fate } from '../../tools/simulate/faults.ts';
import { SimulatedNetwork } from '../../tools/simulate/network.ts';
import { choicesFor, identityOf, seededPort, seedFor } from '../../tools/simulate/seeds.ts';
import { VirtualTime } from '../../tools/simulate/virtualTime.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Takes everything that ever falls due; gives the instants at which something did. */
async function runOut(time: VirtualTime): Promise<number[]> {
  const instants: number[] = [];
  for (let due = time.next(); due.length > 0; due = time.next()) {
    instants.push(time.nowMs);
    for (const { actions } of due) for (const action of actions) action();
    await settled();
  }
  return instants;
}

describe('virtual time', () => {
  it('moves from one instant to the next, in the order of the asking within one', async () => {
    const time = new VirtualTime(1000, 1);
    const seen: string[] = [];
    time.after(0, 50, () => seen.push('late'));
    time.after(0, 20, () => seen.push('first'));
    time.after(0, 20, () => seen.push('second'));
    expect(await runOut(time)).toEqual([1020, 1050]);
    expect(seen).toEqual(['first', 'second', 'late']);
  });

  it('gathers what falls into one tick, and gives it lane by lane', () => {
    const time = new VirtualTime(0, 10);
    for (const [lane, delayMs] of [
      [7, 3],
      [0, 8],
      [7, 9],
    ] as const) {
      time.after(lane, delayMs, () => undefined);
    }
    const due = time.next();
    expect(time.nowMs).toBe(10);
    expect(due.map(({ lane, actions }) => [lane, actions.length])).toEqual([
      [0, 1],
      [7, 2],
    ]);
  });

  it('forgets what was called off, even by something of the same instant', async () => {
    const time = new VirtualTime(0, 1);
    const seen: string[] = [];
    const callOff = time.after(0, 5, () => seen.push('never'));
    time.after(0, 7, () => callOffLate());
    const callOffLate = time.after(0, 7, () => seen.push('never either'));
    callOff();
    expect(await runOut(time)).toEqual([7]);
    expect(seen).toEqual([]);
  });

  it('keeps a thousand random delays in order', async () => {
    const time = new VirtualTime(0, 1);
    const random = choicesFor(1, 'delays');
    const seen: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const delayMs = random.below(300);
      time.after(0, delayMs, () => seen.push(delayMs));
    }
    await runOut(time);
    expect(seen).toHaveLength(1000);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});

async function line(fate?: () => Fate) {
  const time = new VirtualTime(0, 1);
  const network = new SimulatedNetwork({ time, ...(fate && { fate }) });
  const here = { lane: 0, latencyMs: 30 };
  const there = { lane: 1, latencyMs: 0 };
  const a = network.transport('a', here);
  const b = network.transport('b', there);
  await a.open();
  await b.open();
  const offered: Channel[] = [];
  b.onChannel((channel) => offered.push(channel));
  const connecting = a.connect('b');
  await runOut(time);
  const [far] = offered;
  if (far === undefined) throw new Error('no channel was offered');
  const got: string[] = [];
  const ends: string[] = [];
  far.onFrame((frame) => got.push(`${time.nowMs} ${new TextDecoder().decode(frame)}`));
  far.onClose((reason) => ends.push(`${time.nowMs} ${reason}`));
  return { time, network, a, b, here, there, near: await connecting, got, ends };
}

describe('simulated network', () => {
  it('takes there and back again to connect, and one latency for a frame', async () => {
    const { time, near, got } = await line();
    expect(time.nowMs).toBe(60);
    await near.send(utf8('one'));
    await near.send(utf8('two'));
    await runOut(time);
    expect(got).toEqual(['90 one', '90 two']);
  });

  it('refuses an address at which nobody is', async () => {
    const { time, a } = await line();
    const connecting = expect(a.connect('nobody')).rejects.toMatchObject({ code: 'transport/unreachable' });
    await runOut(time);
    await connecting;
  });

  it('drops, doubles, delays and lets overtake, as fate has it', async () => {
    const fates: Fate[] = [
      { extraMs: [], overtaken: false },
      { extraMs: [0, 5], overtaken: true },
      { extraMs: [50], overtaken: true },
      { extraMs: [20], overtaken: false },
      { extraMs: [0], overtaken: false },
    ];
    const { time, near, got } = await line(() => fates.shift() ?? { extraMs: [0], overtaken: false });
    for (const text of ['dropped', 'doubled', 'overtaken', 'held up', 'behind it']) await near.send(utf8(text));
    await runOut(time);
    expect(got).toEqual(['90 doubled', '95 doubled', '110 held up', '110 behind it', '140 overtaken']);
  });

  it('counts bytes on the way, sent and received', async () => {
    const { time, network, near, here, there } = await line();
    await near.send(new Uint8Array(100));
    expect(network.trafficOf(there).onTheWayBytes).toBe(100);
    await runOut(time);
    expect(network.trafficOf(there)).toEqual({ sentBytes: 0, receivedBytes: 100, onTheWayBytes: 0 });
    expect(network.trafficOf(here).sentBytes).toBe(100);
  });

  it('holds a sender back while its window is full', async () => {
    const { time, near, got } = await line();
    let sent = 0;
    void (async () => {
      for (; sent < 40; sent++) await near.send(new Uint8Array(MAX_FRAME_BYTES));
    })();
    await settled();
    expect(sent).toBeLessThan(10);
    await runOut(time);
    expect(sent).toBe(40);
    expect(got).toHaveLength(40);
  });

  it('tells the other side of a goodbye after what was sent before it', async () => {
    const { time, near, got, ends } = await line();
    await near.send(utf8('last words'));
    near.close();
    await runOut(time);
    expect(got).toEqual(['90 last words']);
    expect(ends).toEqual(['90 the other side closed it']);
    await expect(near.send(utf8('more'))).rejects.toMatchObject({ code: 'transport/closed' });
  });

  it('loses what is on the way when a tab vanishes, and tells the other side late', async () => {
    const { time, near, a, got, ends } = await line();
    await near.send(utf8('lost'));
    a.vanish(45_000);
    await runOut(time);
    expect(got).toEqual([]);
    expect(ends).toEqual(['45060 the other side has shown no sign of life for 45 s']);
  });

  it('draws the same faults from the same seed', () => {
    const mix = { dropRate: 0.2, duplicateRate: 0.2, reorderRate: 0.2, stallRate: 0.1, closings: [], stopAfterMs: 0 };
    const draws = (seed: number): Fate[] => {
      const faults = new FrameFaults(mix, choicesFor(seed, 'frames'));
      return Array.from({ length: 200 }, () => faults.draw());
    };
    expect(draws(5)).toEqual(draws(5));
    expect(draws(5)).not.toEqual(draws(6));
    expect(draws(5).filter(({ extraMs }) => extraMs.length === 0).length).toBeGreaterThan(10);
    expect(draws(5).filter(({ extraMs }) => extraMs.length === 2).length).toBeGreaterThan(10);
  });
});

describe('crypto barrier', () => {
  function installed(): CryptoBarrier {
    const barrier = new CryptoBarrier();
    barrier.install();
    onTestFinished(() => barrier.uninstall());
    return barrier;
  }

  it('hands results out in the order of the asking, whichever is ready first', async () => {
    const barrier = installed();
    const order: string[] = [];
    const large = new Uint8Array(8 * 2 ** 20);
    void crypto.subtle.digest('SHA-256', large).then(() => order.push('large'));
    void crypto.subtle.digest('SHA-256', new Uint8Array(1)).then(() => order.push('small'));
    await barrier.idle();
    expect(order).toEqual(['large', 'small']);
  });

  it('is idle only when whatever follows from a result is done too', async () => {
    const barrier = installed();
    let rounds = 0;
    const again = async (): Promise<void> => {
      await crypto.subtle.digest('SHA-256', new Uint8Array(100));
      await Promise.resolve();
      if (++rounds < 20) await again();
    };
    void again();
    await barrier.idle();
    expect(rounds).toBe(20);
  });

  it('hands errors on', async () => {
    const barrier = installed();
    const failing = expect(crypto.subtle.digest('no such hash', new Uint8Array(1))).rejects.toThrow();
    await barrier.idle();
    await failing;
  });

  it('gives WebCrypto back', async () => {
    const barrier = new CryptoBarrier();
    barrier.install();
    expect(Object.hasOwn(crypto.subtle, 'digest')).toBe(true);
    barrier.uninstall();
    expect(Object.hasOwn(crypto.subtle, 'digest')).toBe(false);
    expect(await crypto.subtle.digest('SHA-256', new Uint8Array(1))).toHaveProperty('byteLength', 32);
  });
});

describe('seeds', () => {
  it('give the same identity again, whose signatures verify under WebCrypto', async () => {
    const seed = seedFor(1, 'person', 3);
    const [one, two] = [await identityOf(seed), await identityOf(seed)];
    expect(one.publicKey).toBe(two.publicKey);
    const message = utf8('hello');
    const signature = await one.sign(message);
    expect(await two.sign(message)).toBe(signature);
    const valid = crypto.subtle.verify('Ed25519', two.keyPair.publicKey, Buffer.from(signature, 'hex'), message);
    expect(await valid).toBe(true);
  });

  it('give bytes that do not depend on how many are asked for at once, nor repeat', () => {
    const draws = (lengths: readonly number[]): string[] => {
      const port = seededPort(seedFor(1, 'bytes'));
      return lengths.map((length) => Buffer.from(port.bytes(length)).toString('hex'));
    };
    expect(draws([16, 32, 5000, 16])).toEqual(draws([16, 32, 5000, 16]));
    const [a, b, , c] = draws([16, 16, 5000, 16]);
    expect(new Set([a, b, c]).size).toBe(3);
    expect(draws([5001])[0]).toHaveLength(10_002);
  });
});
