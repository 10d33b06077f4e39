/** Web Locks in a real browser, and the stand-in of a browser without them: the same behaviour. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { deferred } from '../../src/core/async.ts';
import { createLocks } from '../../src/platform/locks.ts';

afterEach(() => vi.unstubAllGlobals());

function freshName(): string {
  return `lock-${crypto.randomUUID()}`;
}

describe.each(['Web Locks', 'without Web Locks'])('%s', (kind) => {
  function locks() {
    if (kind === 'without Web Locks') vi.stubGlobal('navigator', {});
    return createLocks();
  }

  test('a name is held by one at a time', async () => {
    const held = locks();
    const name = freshName();
    const release = await held.tryHold(name);
    expect(release).toBeTypeOf('function');
    expect(await held.tryHold(name)).toBeUndefined();
    expect(await held.tryHold(freshName())).toBeTypeOf('function');
    release?.();
    await held.exclusive(name, async () => undefined);
    expect(await held.tryHold(name)).toBeTypeOf('function');
  });

  test('exclusive actions run one after the other, also after one that failed', async () => {
    const held = locks();
    const name = freshName();
    const order: string[] = [];
    const gate = deferred<void>();
    const first = held.exclusive(name, async () => {
      order.push('first begins');
      await gate.promise;
      order.push('first fails');
      throw new Error('on purpose');
    });
    const second = held.exclusive(name, async () => {
      order.push('second');
      return 2;
    });
    const failure = expect(first).rejects.toThrow('on purpose');
    gate.resolve();
    await failure;
    expect(await second).toBe(2);
    expect(order).toEqual(['first begins', 'first fails', 'second']);
  });
});
