/** A spent round run again with one member fewer: refused for the same round, counted as spent, shown. */
import { afterEach, describe, expect, test } from 'vitest';
import { seedCommitmentOf } from '../../src/federation/dealing.ts';
import type { Body } from '../../src/federation/messages.ts';
import { secretOf } from '../support/insider.ts';
import { claiming } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { counted, logged, Stage } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

describe('once its shares are out', () => {
  test('every message of the round, said again without the first one, is refused', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    const { coordinator } = stage;
    await stage.joinAll(4);
    await stage.recorded(1);
    const gone = stage.actors[0]!.id;
    const others = stage.actors.slice(1);
    const ids = others.map(({ id }) => id);
    const said = coordinator.journal;
    const roster = said.saidOf('roster', 1)[0]!.body;
    const without = <T extends readonly unknown[]>(list: readonly T[]): T[] => list.filter(([id]) => id !== gone);
    coordinator.say('call', 1, { deadlineMs: 1000 }, ids);
    const adverts = roster.adverts.filter(({ publicKey }) => publicKey !== stage.actors[0]!.identity.publicKey);
    coordinator.say('roster', 1, { ...roster, adverts }, ids);
    for (const [i, id] of ids.entries()) {
      const { dealings, boxes } = said.saidOf('deliver', 1).find(({ who }) => who[0] === id)!.body;
      coordinator.say('deliver', 1, { dealings: without(dealings), boxes: without(boxes) }, [ids[i]!]);
    }
    coordinator.say('begin', 1, said.saidOf('begin', 1)[0]!.body, ids);
    coordinator.say('survivors', 1, { survivors: without(said.saidOf('survivors', 1)[0]!.body.survivors) }, ids);
    coordinator.say('agreed', 1, { signatures: without(said.saidOf('agreed', 1)[0]!.body.signatures) }, ids);
    coordinator.say('result', 1, said.saidOf('result', 1)[0]!.body, ids);
    const codes = (await stage.refusedLate(1, others)).map(({ code }) => code);
    expect(codes).toEqual(['round/replayed', 'round/replayed', 'round/replayed']);
    for (const { participant } of others) {
      await until(participant, () => counted(participant, 'round/unexpected-agreement') === 1);
      for (const reason of ['roster', 'delivery', 'survivors', 'agreement']) {
        expect(counted(participant, `round/unexpected-${reason}`), reason).toBe(1);
      }
      for (const type of ['advert', 'share', 'masked', 'agree', 'unmask'] as const) {
        expect(participant.journal.saidOf(type, 1), type).toHaveLength(1);
      }
    }
    expect(counted(coordinator, 'round/replayed')).toBe(3);
  });

  test('a second request while the sum is on its way is refused as well', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    const { coordinator } = stage;
    coordinator.lies = [
      (message, to) => {
        if (message.type !== 'result' || message.round !== 1) return [[message, to]];
        const [list] = coordinator.journal.saidOf('survivors', 1);
        const [agreed] = coordinator.journal.saidOf('agreed', 1);
        const survivors = { ...list!, body: { survivors: list!.body.survivors.slice(1) } };
        return [
          [survivors, to],
          [{ ...agreed! }, to],
          [message, to],
        ];
      },
    ];
    await stage.joinAll(4);
    await stage.finished();
    expect(stage.unmaskings(1)).toBe(4);
    for (const { participant } of stage.actors) {
      expect(counted(participant, 'round/unexpected-survivors')).toBe(1);
      expect(counted(participant, 'round/unexpected-agreement')).toBe(1);
    }
  });
});

test('with the shares the keys are gone: every secret of the round is wiped where it was drawn', async () => {
  stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
  await stage.joinAll(4);
  await stage.recorded(1);
  for (const { random, participant } of stage.actors) {
    await until(participant, () => participant.journal.saidOf('unmask', 1).length === 1);
    const { boxKey, maskKey } = participant.journal.saidOf('advert', 1)[0]!.body;
    const { seedCommitment } = participant.journal.saidOf('share', 1)[0]!.body;
    const secrets = [
      await secretOf(random, boxKey),
      await secretOf(random, maskKey),
      random.drawn.find((bytes) => seedCommitmentOf(bytes) === seedCommitment)!,
    ];
    for (const secret of secrets) {
      const at = random.drawn.indexOf(secret);
      expect(random.given[at]).toEqual(new Uint8Array(32));
    }
  }
});

describe('a round that is given up after its shares were asked for', () => {
  const spentRecord = { status: 'abandoned', spent: true, round: 1 };

  test('counts as spent in the ledger, for everyone; the next one has a higher number', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    // Two of four do not confirm: the sum is known, and stands for nothing.
    await stage.joinAll(4, ({ participant }, i) => {
      if (i < 2)
        participant.lies = [
          claiming('confirm', (body, round): Body<'confirm'> =>
            round === 1 ? { ...body, sumHash: '00'.repeat(32) as never, signature: '00'.repeat(64) as never } : body,
          ),
        ];
    });
    await stage.finished();
    const { coordinator, actors } = stage;
    expect(coordinator.records[0]!.body).toMatchObject(spentRecord);
    expect(coordinator.view().ledger).toMatchObject({ abandoned: 1 });
    expect(logged(coordinator, 'Round 1 was given up')).toBe(true);
    for (const { participant } of actors) {
      await until(participant, () => participant.state.head?.recordHash === coordinator.state.head.recordHash);
      expect(participant.view().ledger).toMatchObject({ abandoned: 1 });
      expect(logged(participant, 'Round 1 was given up')).toBe(true);
      const record = participant.journal.heardOf('abandon', 1)[0]!.body.record;
      expect(record!.body).toMatchObject(spentRecord);
    }
    expect(coordinator.records[1]!.body).toMatchObject({ status: 'complete', round: 2 });
  });

  test.each([
    ['before anyone was asked', 'agree', false],
    ['after the first answer', 'unmask', true],
  ] as const)('by a coordinator that closes %s: opened again, it remembers', async (_name, moment, spent) => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    const first = stage.coordinator;
    first.hears = (message) => {
      if (message.round === 1 && message.type === moment) {
        first.close();
        return undefined;
      }
      return message;
    };
    await stage.joinAll(4);
    await until(first, () => first.journal.heardOf(moment, 1).length > 0);
    await stage.room.openCoordinator();
    await stage.finished();
    expect(stage.coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent, round: 1 });
    expect(stage.coordinator.records[1]!.body).toMatchObject({ status: 'complete' });
    expect(stage.coordinator.records[1]!.body.round).toBeGreaterThan(1);
    expect(stage.room.summer.sums.has(1)).toBe(false);
  });
});
