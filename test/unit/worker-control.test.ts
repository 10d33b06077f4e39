import { describe, expect, it, vi } from 'vitest';
import type { TrainingProgress } from '../../src/core/engine.ts';
import { turn } from '../../src/engine/turn.ts';
import { TrainControl } from '../../src/worker/trainControl.ts';
import { ManualClock } from '../support/manualClock.ts';

/** A training that counts its steps until it is stopped. */
function counting(control: TrainControl) {
  const steps = { taken: 0 };
  const done = control.during(async () => {
    for (;;) {
      const wait = control.proceed();
      if (wait) await wait;
      steps.taken++;
    }
  });
  return { steps, done };
}

describe('pause, resume and stop', () => {
  it('reach a training that never gives up the thread by itself', async () => {
    const control = new TrainControl(turn, () => undefined);
    const { steps, done } = counting(control);
    await turn();
    control.command('pause');
    await turn();
    const atPause = steps.taken;
    expect(atPause).toBeGreaterThan(0);
    await turn();
    await turn();
    expect(steps.taken).toBe(atPause);

    control.command('resume');
    await vi.waitUntil(() => steps.taken > atPause);
    control.command('stop');
    await expect(done).rejects.toMatchObject({ code: 'engine/stopped' });
  });

  it.each([1, 9, 49])(
    'take hold within a tenth of a second, whatever the share, with steps of %i ms',
    async (stepMs) => {
      for (const share of [100, 50, 10]) {
        const training = paced(stepMs);
        training.control.command({ share });
        await training.pass(500);
        training.control.command('pause');
        const { workedMs } = training.spent;
        await training.pass(500);
        // The command came while it worked or rested; before it is looked at, a stretch of work may end.
        expect(training.spent.workedMs - workedMs).toBeLessThanOrEqual(100);
        expect(training.spent.workedMs / training.spent.waits).toBeLessThan(100);
        training.control.command('stop');
        await expect(training.done).rejects.toMatchObject({ code: 'engine/stopped' });
      }
    },
  );

  it('end a training that is paused, and leave the pause to the next one', async () => {
    const control = new TrainControl(turn, () => undefined);
    control.command('pause');
    const first = counting(control);
    await turn();
    control.command('stop');
    await expect(first.done).rejects.toMatchObject({ code: 'engine/stopped' });
    expect(first.steps.taken).toBe(0);

    const second = counting(control);
    await turn();
    await turn();
    expect(second.steps.taken).toBe(0);
    control.command('resume');
    await vi.waitUntil(() => second.steps.taken > 0);
    control.command('stop');
    await expect(second.done).rejects.toMatchObject({ code: 'engine/stopped' });
  });

  it('forget a stop that came while nothing ran', async () => {
    const control = new TrainControl(turn, () => undefined);
    control.command('stop');
    const work = async (): Promise<string> => {
      await control.proceed();
      return 'done';
    };
    await expect(control.during(work)).resolves.toBe('done');
  });
});

describe('progress', () => {
  it('is reported now and then, and always at the end', () => {
    const reported: TrainingProgress[] = [];
    const control = new TrainControl(turn, (progress) => reported.push(progress));
    for (let i = 1; i <= 1000; i++) {
      control.onProgress({ fraction: i / 1000, epoch: 1, epochs: 1, samplesPerSecond: 10 });
    }
    expect(reported.length).toBeLessThan(100);
    expect(reported.at(-1)?.fraction).toBe(1);
  });
});

/** A training whose steps take `stepMs` on a clock that stands still otherwise; it rests whenever the control says so. */
function paced(stepMs: number, settle?: () => Promise<void>) {
  const clock = new ManualClock();
  const control = new TrainControl(turn, () => undefined, clock);
  const spent = { workedMs: 0, waits: 0 };
  const startMs = clock.nowMs();
  const done = control.during(async () => {
    for (;;) {
      clock.advance(stepMs);
      spent.workedMs += stepMs;
      const wait = control.proceed(settle);
      if (!wait) continue;
      spent.waits++;
      await wait;
    }
  });
  done.catch(() => undefined);
  return {
    clock,
    control,
    spent,
    done,
    /** Time goes on in small steps, so that whatever a timer begins happens in between. */
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed++) {
        clock.advance(1);
        await turn();
      }
    },
    restedMs: () => clock.nowMs() - startMs - spent.workedMs,
  };
}

describe('a share of the time', () => {
  it.each([
    [25, 3],
    [50, 1],
    [10, 9],
    [80, 0.25],
  ])('of %i %% rests %d times as long as it works', async (share, ratio) => {
    const training = paced(60);
    training.control.command({ share });
    await training.pass(20_000);
    const { spent, restedMs } = training;
    expect(spent.waits).toBeGreaterThan(20);
    // The last rest may be unfinished.
    expect(Math.abs(restedMs() - ratio * spent.workedMs)).toBeLessThanOrEqual(60 * ratio + 5);
  });

  it('adds small steps up, and makes up for timers that ring late', async () => {
    const training = paced(7);
    training.control.command({ share: 50 });
    for (let i = 0; i < 400; i++) {
      // Rings only each 3 ms.
      training.clock.advance(3);
      await turn();
    }
    expect(training.restedMs() / training.spent.workedMs).toBeCloseTo(1, 1);
    expect(training.spent.workedMs / training.spent.waits).toBeGreaterThanOrEqual(50);
  });

  it('takes hold in the middle of a rest', async () => {
    const training = paced(100);
    training.control.command({ share: 10 });
    await training.pass(300);
    expect(training.spent.workedMs).toBe(100);
    // 300 of 900 ms are rested; at half of the time 100 are due.
    training.control.command({ share: 50 });
    await turn();
    expect(training.spent.workedMs).toBe(200);
    await training.pass(90);
    expect(training.spent.workedMs).toBe(200);
    await training.pass(12);
    expect(training.spent.workedMs).toBe(300);
  });

  it('is paused and stopped in the middle of a rest, which goes on meanwhile', async () => {
    const training = paced(100);
    training.control.command({ share: 10 });
    await training.pass(300);
    training.control.command('pause');
    await training.pass(2000);
    expect(training.spent.workedMs).toBe(100);
    training.control.command('resume');
    await turn();
    expect(training.spent.workedMs).toBe(200);
    await training.pass(10);
    training.control.command('stop');
    await expect(training.done).rejects.toMatchObject({ code: 'engine/stopped' });
    expect(training.spent.workedMs).toBe(200);
  });

  it('counts what a device has still to do as work', async () => {
    let clock: ManualClock | undefined;
    const device = { settled: 0 };
    const settle = (): Promise<void> => {
      clock?.advance(140);
      device.settled++;
      return Promise.resolve();
    };
    const training = paced(60, settle);
    clock = training.clock;
    await training.pass(10);
    expect(device.settled).toBe(0);
    training.control.command({ share: 50 });
    while (device.settled === 0) await training.pass(1);
    const { waits } = training.spent;
    // 60 ms here and 140 on the device.
    await training.pass(190);
    expect(training.spent.waits).toBe(waits);
    await training.pass(12);
    expect(training.spent.waits).toBe(waits + 1);
  });

  it('stays between a tenth and all', async () => {
    const training = paced(100);
    training.control.command({ share: 0 });
    await training.pass(880);
    expect(training.spent.workedMs).toBe(100);
    await training.pass(30);
    expect(training.spent.workedMs).toBe(200);
    training.control.command({ share: NaN });
    await training.pass(3);
    expect(training.spent.workedMs).toBeGreaterThan(200);
  });
});
