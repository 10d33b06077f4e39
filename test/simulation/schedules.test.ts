/** Fault schedules: nobody hangs, sums are exact; and what would hang or be wrong is found. */
import { describe, expect, it } from 'vitest';
import { Participant } from '../../src/federation/participant.ts';
import type { ParticipantEffect } from '../../src/federation/participantState.ts';
import { runSchedule } from '../../tools/simulate/schedule.ts';
import type { FaultMix } from '../../tools/simulate/faults.ts';
import { readOptions } from '../../tools/simulate/options.ts';
import { runSchedules } from '../../tools/simulate/schedules.ts';

const SMALL = { participants: 6, group: undefined, mode: 'active', params: 200, bits: 12, rounds: 1 } as const;

const NO_FAULTS: FaultMix = {
  dropRate: 0,
  duplicateRate: 0,
  reorderRate: 0,
  stallRate: 0,
  closings: [],
  stopAfterMs: 3000,
};

/** Takes part up to its masked update, and then says nothing more, although its tab stays open. */
class Silent extends Participant {
  protected override perform(effect: ParticipantEffect): void {
    const kept = ['agree', 'unmask', 'confirm', 'share'];
    if (effect.effect === 'send' && kept.includes(effect.message.type)) return;
    super.perform(effect);
  }
}

/** Never sends anything: not even its hello. */
class Mute extends Participant {
  protected override perform(effect: ParticipantEffect): void {
    if (effect.effect !== 'send') super.perform(effect);
  }
}

describe('fault schedules', () => {
  it('end without anybody hanging, with exact sums, most of their rounds complete', async () => {
    const report = await runSchedules(readOptions(['--participants', '6', '--params', '200', '--rounds', '1']), 40);
    expect(report).toMatchObject({ schedules: 40, hung: 0, exact: true, sameModel: true, failing: [] });
    expect(report.completed).toBeGreaterThanOrEqual(report.rounds / 2);
    const abandoned = Object.values(report.abandoned).reduce((sum, count) => sum + count, 0);
    expect(report.completed + abandoned).toBe(report.rounds);
    // Schedules in which nothing ever went wrong would show nothing.
    expect(abandoned).toBeGreaterThan(0);
  });

  it('give the same trace for the same seed, and another for another', async () => {
    const first = await runSchedule({ ...SMALL, seed: 77 });
    expect(await runSchedule({ ...SMALL, seed: 77 })).toEqual(first);
    expect((await runSchedule({ ...SMALL, seed: 78 })).trace).not.toBe(first.trace);
  });

  it('also end in groups, and in the weaker mode', async () => {
    for (const mode of ['active', 'honest-but-curious'] as const) {
      const outcome = await runSchedule({ ...SMALL, mode, participants: 12, group: 6, seed: 5 });
      expect(outcome).toMatchObject({ hung: [], exact: true, sameModel: true });
      expect(outcome.completed).toBeGreaterThan(0);
    }
  });

  it('complete everything where nothing goes wrong', async () => {
    const outcome = await runSchedule({ ...SMALL, rounds: 2, seed: 3 }, { faults: NO_FAULTS });
    expect(outcome).toMatchObject({ rounds: 3, completed: 3, abandoned: {}, hung: [], ended: {}, exact: true });
  });
});

describe('what is wrong', () => {
  it('is found in a sum of which one word is changed', async () => {
    const spoil = (words: Uint32Array): void => {
      words[7] = (words[7] ?? 0) + 1;
    };
    const outcome = await runSchedule({ ...SMALL, seed: 3 }, { faults: NO_FAULTS, spoil });
    expect(outcome.exact).toBe(false);
    expect(outcome.problems[0]).toMatch(/^round 1, group 0: word 7 is \d+, expected \d+$/);
  });

  it('is found where everybody stops answering: the coordinator never finishes', async () => {
    const outcome = await runSchedule({ ...SMALL, seed: 3 }, { faults: NO_FAULTS, participant: Silent });
    expect(outcome.completed).toBe(0);
    expect(outcome.hung.some((line) => line.startsWith('coordinator:'))).toBe(true);
    expect(outcome.hung).toHaveLength(7);
  });

  it('is found where people never greet', async () => {
    const outcome = await runSchedule({ ...SMALL, seed: 3 }, { faults: NO_FAULTS, participant: Mute });
    expect(outcome.hung).toHaveLength(7);
    expect(outcome.hung[1]).toMatch(/^person 0: .*not met/);
  });
});
