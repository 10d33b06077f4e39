/** Whatever becomes of a worker, every call to it comes to an end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HushError } from '../../src/core/errors.ts';
import { WorkerHost } from '../../src/platform/workerHost.ts';
import type { CrashingApi } from './crashing.worker.ts';

const spawn = (): Worker => new Worker(new URL('./crashing.worker.ts', import.meta.url), { type: 'module' });

describe('a worker host', () => {
  let host: WorkerHost<CrashingApi>;
  let failures: HushError[];

  beforeEach(() => {
    host = new WorkerHost<CrashingApi>({ what: 'test worker', spawn });
    failures = [];
    host.onFailure((error) => failures.push(error));
    host.start();
  });
  afterEach(() => host.close());

  it('answers calls that were made before the worker had loaded', async () => {
    const answers = ['a', 'b', 'c'].map((value) => host.call((api) => api.echo(value)));
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
  });

  it('gives errors back as they were, with code and advice', async () => {
    await expect(host.call((api) => api.refuse())).rejects.toMatchObject({
      name: 'HushError',
      code: 'test/refused',
      message: 'No.',
      advice: 'Ask again.',
    });
    expect(failures).toEqual([]);
  });

  it.each([
    ['throws outside of a call', 'throwUncaught', /thrown on purpose/],
    ['forgets a rejected promise', 'rejectUncaught', /rejected on purpose/],
  ] as const)('fails every call when the worker %s, once, and starts anew', async (_, deed, message) => {
    const hanging = host.call((api) => api.hang());
    const deadly = host.call((api) => api[deed]());
    const crashed = { code: 'worker/crashed', message: expect.stringMatching(message) };
    await expect(deadly).rejects.toMatchObject(crashed);
    await expect(hanging).rejects.toMatchObject(crashed);
    expect(failures).toEqual([expect.objectContaining(crashed)]);

    await expect(host.call((api) => api.echo('x'))).rejects.toMatchObject({ code: 'worker/crashed' });
    host.start();
    expect(await host.call((api) => api.echo('again'))).toBe('again');
  });

  it('fails what waits when it is closed', async () => {
    const hanging = host.call((api) => api.hang());
    host.close();
    await expect(hanging).rejects.toMatchObject({ code: 'worker/closed' });
    await expect(host.call((api) => api.echo('x'))).rejects.toMatchObject({ code: 'worker/closed' });
    expect(() => host.start()).toThrow(expect.objectContaining({ code: 'worker/closed' }));
    expect(failures).toEqual([]);
  });
});

it('a worker that cannot be loaded is a crash', async () => {
  const host = new WorkerHost<CrashingApi>({
    what: 'missing worker',
    spawn: () => new Worker('/no-such-worker.js', { type: 'module' }),
  });
  host.start();
  await expect(host.call((api) => api.echo('x'))).rejects.toMatchObject({ code: 'worker/crashed' });
  host.close();
});

it('work before the worker was opened is refused', async () => {
  const host = new WorkerHost<CrashingApi>({ what: 'idle worker', spawn });
  await expect(host.call((api) => api.echo('x'))).rejects.toMatchObject({ code: 'worker/order' });
  host.close();
});
