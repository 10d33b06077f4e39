import { describe, expect, it, vi } from 'vitest';
import type { TrainingProgress } from '../../src/core/engine.ts';
import { turn } from '../../src/engine/turn.ts';
import { TrainControl } from '../../src/worker/trainControl.ts';

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
