/** What a plan means for people, the chart's axes, what a phase says, and which runs a tab holds. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import type { RunPhase } from '../../src/core/runView.ts';
import { scaleTo } from '../../src/ui/chartScale.ts';
import { phaseNote } from '../../src/ui/phaseText.ts';
import { fewestSummed, maskedUpdateBytes, planFacts } from '../../src/ui/planFacts.ts';
import { createSession, inTheMiddle } from '../../src/ui/session.ts';
import { fakeApplication, FEDERATION, FRAGMENT } from '../gallery/fakeApplication.ts';
import { coordinating, running } from '../gallery/fixtures.ts';
import { coordinatorStates, participantStates } from '../gallery/fixtureStates.ts';
import { plan, spiralPlan } from '../gallery/fixturePlans.ts';

describe('a plan', () => {
  it('says how many updates are summed at the least, by security mode and cohort minimum', () => {
    expect(fewestSummed(plan, 8)).toBe(6);
    expect(fewestSummed(plan, 4)).toBe(4);
    expect(fewestSummed(spiralPlan, 4)).toBe(3);
    expect(fewestSummed(spiralPlan, 10)).toBe(6);
  });

  it('says what one masked update weighs: words of b + ceil(log2 n) bits, packed', () => {
    const words = wordCount(trainingSumSpec(plan, 784 * 128 + 128 + 128 * 10 + 10));
    expect(maskedUpdateBytes(plan, 8)).toBe(Math.ceil((words * 19) / 8));
    const value = (name: string): string | undefined =>
      planFacts(plan)
        .find((fact) => fact.name === name)
        ?.value.replaceAll('\u00a0', ' ');
    expect(value('Masked update')).toBe('243 kB from each person, each round');
    expect(value('Model')).toBe('784–128–10, relu (mlp)');
    expect(value('People needed')).toBe('4 at least, 8 wanted');
  });
});

it('gives an axis that covers its values in few, even, readable ticks', () => {
  expect(scaleTo(2.3, 4)).toEqual({ max: 3, ticks: [0, 1, 2, 3], digits: 0 });
  expect(scaleTo(30, 6, true).ticks).toEqual([0, 5, 10, 15, 20, 25, 30]);
  expect(scaleTo(1, 6, true).ticks).toEqual([0, 1]);
  fc.assert(
    fc.property(
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      fc.integer({ min: 2, max: 8 }),
      fc.boolean(),
      (max, parts, integer) => {
        const { max: end, ticks, digits } = scaleTo(max, parts, integer);
        expect(end).toBeGreaterThanOrEqual(max * (1 - 1e-9));
        expect(ticks.length).toBeLessThanOrEqual(parts + 2);
        expect(new Set(ticks.map((tick) => tick.toFixed(digits))).size).toBe(ticks.length);
      },
    ),
  );
});

it('tells people what to do in every phase but a running one', () => {
  for (const view of [...Object.values(coordinatorStates), ...Object.values(participantStates)]) {
    const silent: readonly RunPhase[] = ['running'];
    expect(phaseNote(view)?.text ?? '').toMatch(silent.includes(view.phase) ? /^$/ : /\.$/);
  }
  expect(phaseNote(coordinatorStates['empty']!)?.text).toContain('With 4 more you can start');
  expect(phaseNote(coordinatorStates['waiting']!)?.text).toContain('You can start now');
});

describe('the runs of a tab', () => {
  it('starts one run however often it is asked for, follows it, and lets it go when closed', async () => {
    const application = fakeApplication();
    const session = createSession(application);
    const [first, second] = await Promise.all([session.resume(FEDERATION), session.resume(FEDERATION)]);
    expect(first).toBe(second);
    expect(application.calls).toEqual([`resume ${FEDERATION}`]);
    expect(inTheMiddle(session)).toBe(true);
    application.runs[0]?.show({ ...coordinating, phase: 'finished' });
    expect(first.view.value.phase).toBe('finished');
    expect(inTheMiddle(session)).toBe(false);
    first.close();
    expect(session.runs.value.size).toBe(0);
    expect(application.runs[0]?.closed).toBe(true);
    application.runs[0]?.show(running);
    expect(first.view.value.phase).toBe('finished');
  });

  it('keeps nothing of a start that failed, so that it can be tried again', async () => {
    const application = fakeApplication({ resumeFails: true });
    const session = createSession(application);
    await expect(session.resume(FEDERATION)).rejects.toMatchObject({ code: 'run/open-elsewhere' });
    await expect(session.resume(FEDERATION)).rejects.toMatchObject({ code: 'run/open-elsewhere' });
    expect(application.calls).toHaveLength(2);
    expect(session.runs.value.size).toBe(0);
  });

  it('closes everything together', async () => {
    const application = fakeApplication();
    const session = createSession(application);
    await session.join(FRAGMENT);
    const [trial, same] = await Promise.all([session.tryHere(4), session.tryHere(4)]);
    expect(trial).toBe(same);
    expect(trial.participants).toHaveLength(4);
    session.closeAll();
    expect(session.trial.value).toBeUndefined();
    expect(session.runs.value.size).toBe(0);
    expect(application.calls.at(-1)).toBe('end the trial');
  });
});
