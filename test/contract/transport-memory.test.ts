/** The in-memory transport in Node: the contract, and the faults that it can be told to have. */
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/core/ports.ts';
import { MemoryNetwork } from '../../src/transport/memory.ts';
import { memoryPair } from './memoryPair.ts';
import { transportContract } from './transportContract.ts';

transportContract('memory', memoryPair);

describe('a memory network', () => {
  test('delays frames by its clock, in order', async () => {
    const timers: { atMs: number; action: () => void }[] = [];
    const clock: Clock = {
      nowMs: () => 0,
      after: (delayMs, action) => {
        timers.push({ atMs: delayMs, action });
        return () => undefined;
      },
    };
    const network = new MemoryNetwork({ clock, delayMs: 40 });
    const [a, b] = [network.transport('a'), network.transport('b')];
    await Promise.all([a.open(), b.open()]);
    const received: number[] = [];
    b.onChannel((channel) => channel.onFrame((frame) => received.push(frame[0]!)));
    const channel = await a.connect('b');
    await channel.send(Uint8Array.of(1));
    await channel.send(Uint8Array.of(2));
    await Promise.resolve();
    expect(received).toEqual([]);
    expect(timers.map((timer) => timer.atMs)).toEqual([40]);
    timers[0]!.action();
    expect(received).toEqual([1, 2]);
  });

  test('loses channels without a goodbye when it is cut', async () => {
    const network = new MemoryNetwork();
    const [a, b] = [network.transport(), network.transport()];
    await Promise.all([a.open(), b.open()]);
    const there = new Promise<string>((resolve) => b.onChannel((channel) => channel.onClose(resolve)));
    const channel = await a.connect(b.address);
    const received: number[] = [];
    const here = new Promise<string>((resolve) => channel.onClose(resolve));
    await channel.send(Uint8Array.of(1));
    network.cut(b.address);
    expect(await here).toBe('the connection was lost');
    expect(await there).toBe('the connection was lost');
    expect(received).toEqual([]);
  });

  test('lets nobody take an address twice', async () => {
    const network = new MemoryNetwork();
    await network.transport('a').open();
    await expect(network.transport('a').open()).rejects.toMatchObject({ code: 'transport/unreachable' });
  });
});
