/** Each kind of message is lost once, on the way to everyone or from everyone: nobody waits for it for ever. */
import { describe, expect, it } from 'vitest';
import { Coordinator } from '../../src/federation/coordinator.ts';
import type { CoordinatorEffect } from '../../src/federation/coordinatorState.ts';
import type { MessageType } from '../../src/federation/messages.ts';
import { Participant } from '../../src/federation/participant.ts';
import type { ParticipantEffect } from '../../src/federation/participantState.ts';
import { runSchedule } from '../../tools/simulate/schedule.ts';

const QUIET = { dropRate: 0, duplicateRate: 0, reorderRate: 0, stallRate: 0, closings: [], stopAfterMs: 3000 };

const FROM_COORDINATOR: readonly MessageType[] = [
  'welcome',
  'item',
  'call',
  'cohort',
  'draw',
  'roster',
  'deliver',
  'begin',
  'survivors',
  'agreed',
  'result',
  'record',
  'end',
];

const FROM_PARTICIPANT: readonly MessageType[] = [
  'hello',
  'fetch',
  'progress',
  'advert',
  'reveal',
  'share',
  'masked',
  'agree',
  'unmask',
  'confirm',
];

/** Loses the first message of a kind to each, or from each; `lost` counts them. */
function loser(type: MessageType) {
  const lost = { count: 0 };
  const told = new Set<string>();
  const forgets = (kind: MessageType, whom: string): boolean => {
    if (kind !== type || told.has(whom)) return false;
    told.add(whom);
    lost.count++;
    return true;
  };
  class ForgetfulCoordinator extends Coordinator {
    protected override perform(effect: CoordinatorEffect): void {
      if (effect.effect !== 'send') return super.perform(effect);
      const { message } = effect;
      const to = (effect.to ?? []).filter(
        (channel) => !forgets(message.type, this.state.channels.get(channel) ?? channel),
      );
      if (to.length > 0) super.perform({ ...effect, to });
    }
  }
  class ForgetfulParticipant extends Participant {
    protected override perform(effect: ParticipantEffect): void {
      if (effect.effect === 'send' && forgets(effect.message.type, this.state.own)) return;
      super.perform(effect);
    }
  }
  return { lost, coordinator: ForgetfulCoordinator, participant: ForgetfulParticipant };
}

const PLAN = { participants: 6, group: 5, mode: 'active', params: 60, bits: 12, rounds: 1, seed: 4 } as const;

describe('a message that is lost', () => {
  it.each(FROM_COORDINATOR)('from the coordinator to everyone: %s', async (type) => {
    const { lost, coordinator } = loser(type);
    const outcome = await runSchedule(PLAN, { faults: QUIET, coordinator });
    expect(lost.count).toBeGreaterThanOrEqual(5);
    expect(outcome).toMatchObject({ hung: [], ended: {}, exact: true, sameModel: true });
  });

  it.each(FROM_PARTICIPANT)('from everyone to the coordinator: %s', async (type) => {
    const { lost, participant } = loser(type);
    const outcome = await runSchedule(PLAN, { faults: QUIET, participant });
    expect(lost.count).toBeGreaterThanOrEqual(5);
    expect(outcome).toMatchObject({ hung: [], ended: {}, exact: true, sameModel: true });
  });
});
