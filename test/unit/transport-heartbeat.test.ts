/** Signs of life against a clock that the test moves. */
import { beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../src/core/ports.ts';
import { DEAD_AFTER_MS, Heartbeat, PING_EVERY_MS } from '../../src/transport/heartbeat.ts';

let nowMs = 0;
let timer: { atMs: number; action: () => void } | undefined;
let pings: number[] = [];
let deadAtMs: number | undefined;

const clock: Clock = {
  nowMs: () => nowMs,
  after(delayMs, action) {
    const mine = { atMs: nowMs + delayMs, action };
    timer = mine;
    return () => {
      if (timer === mine) timer = undefined;
    };
  },
};

/** Time passes; the timer fires when it is due, or `lateMs` later as in a throttled tab. */
function passUntil(endMs: number, lateMs = 0): void {
  for (let next = timer; next && next.atMs + lateMs <= endMs; next = timer) {
    timer = undefined;
    nowMs = next.atMs + lateMs;
    next.action();
  }
  nowMs = endMs;
}

function start(): Heartbeat {
  return new Heartbeat(clock, { ping: () => pings.push(nowMs), dead: () => (deadAtMs = nowMs) });
}

beforeEach(() => {
  nowMs = 0;
  timer = undefined;
  pings = [];
  deadAtMs = undefined;
});

test('asks a silent peer every 5 s and gives it up after 45 s', () => {
  start();
  passUntil(200_000);
  expect(pings).toEqual([5, 10, 15, 20, 25, 30, 35, 40].map((seconds) => seconds * 1000));
  expect(deadAtMs).toBe(DEAD_AFTER_MS);
  expect(timer).toBeUndefined();
});

test('asks nothing while the peer is heard, and never gives it up', () => {
  const heartbeat = start();
  for (let atMs = 1000; atMs <= 300_000; atMs += 1000) {
    passUntil(atMs);
    heartbeat.heard();
  }
  expect(pings).toEqual([]);
  expect(deadAtMs).toBeUndefined();
});

test('any sign of life starts the 45 s anew', () => {
  const heartbeat = start();
  passUntil(44_000);
  heartbeat.heard();
  passUntil(44_000 + DEAD_AFTER_MS - 1);
  expect(deadAtMs).toBeUndefined();
  passUntil(44_000 + DEAD_AFTER_MS + PING_EVERY_MS);
  expect(deadAtMs).toBeGreaterThanOrEqual(44_000 + DEAD_AFTER_MS);
});

test('a tab that was frozen for ten minutes asks once more before it gives anyone up', () => {
  const heartbeat = start();
  passUntil(600_000, 595_000);
  expect(pings).toEqual([600_000]);
  expect(deadAtMs).toBeUndefined();
  // The answers that queued while the tab was frozen come after its timer.
  heartbeat.heard();
  passUntil(600_000 + DEAD_AFTER_MS - 1);
  expect(deadAtMs).toBeUndefined();
});

test('timers throttled to one a minute still find a dead peer', () => {
  start();
  passUntil(300_000, 55_000);
  expect(deadAtMs).toBe(120_000);
});

test('nothing happens after stop', () => {
  start().stop();
  passUntil(100_000);
  expect([pings, deadAtMs]).toEqual([[], undefined]);
});
