/** One id as survivor and as dropout; a dropout list sent: refused, reported by name. */
import { afterEach, describe, expect, test } from 'vitest';
import type { ParticipantId } from '../../src/core/ids.ts';
import { identityFrom } from '../../src/crypto/identity.ts';
import type { Body, OpenedShare } from '../../src/federation/messages.ts';
import { sharesHeld } from '../support/insider.ts';
import { claiming, during, telling } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { frameOf, rawEnvelope } from '../support/rawEnvelope.ts';
import { until } from '../support/room.ts';
import { counted, logged, Stage } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

type Survivors = Body<'survivors'>['survivors'];
const OUTSIDER = 'ff'.repeat(16) as ParticipantId;

describe('a coordinator that shows a list', () => {
  test.each<[string, (list: Survivors, to: ParticipantId) => Survivors]>([
    ['with one id twice', ([first, ...rest]) => [first!, first!, ...rest]],
    [
      'with one id twice, of another update',
      ([first, second, ...rest]) => [first!, [first![0], second![1]], second!, ...rest],
    ],
    ['out of order', (list) => [...list].reverse()],
    ['with somebody who never shared', (list) => [...list, [OUTSIDER, list[0]![1]]]],
    ['below the quorum', (list, to) => list.filter(([id], i) => id === to || i < 2)],
    ['without the receiver', (list, to) => list.filter(([id]) => id !== to)],
    [
      'with another update in the name of the receiver',
      (list, to) => list.map(([id, root], i) => [id, id === to ? list[(i + 1) % 5]![1] : root]),
    ],
  ])('%s is refused by everyone; nothing is unmasked, and the next round completes', async (_name, change) => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
    stage.coordinator.lies = [
      during(
        1,
        telling('survivors', ({ survivors }, to) => ({ survivors: change(survivors, to) })),
      ),
    ];
    await stage.joinAll(5);
    expect(new Set(await stage.refusals(1, stage.actors, 'unmask'))).toEqual(new Set(['round/survivors']));
    await stage.finished();
    expect(stage.unmaskings(1)).toBe(0);
    expect(stage.room.summer.sums.has(1)).toBe(false);
    expect(counted(stage.coordinator, 'round/refused')).toBe(5);
    expect(stage.coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent: false, round: 1 });
    expect(stage.coordinator.state.head).toMatchObject({ completed: 1, abandoned: 1 });
  });

  test('with one id twice is refused by name', async () => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
    stage.coordinator.lies = [
      during(
        1,
        telling('survivors', ({ survivors: [first, ...rest] }) => ({ survivors: [first!, first!, ...rest] })),
      ),
    ];
    await stage.joinAll(5);
    await stage.refusals(1);
    await stage.finished();
    const twice = stage.actors[0]!.id;
    for (const { participant } of stage.actors) expect(logged(participant, 'survivors', twice)).toBe(true);
    expect(logged(stage.coordinator, 'refuses round 1', twice)).toBe(true);
  });
});

describe.each(['active', 'honest-but-curious'] as const)('a coordinator that asks twice, %s', (mode) => {
  test('for the seed and then for the key of one person gets the first alone', async () => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1, mode }));
    const { coordinator } = stage;
    // As soon as one has agreed, and again as soon as one has answered, everyone is told that the first one dropped out.
    coordinator.hears = (message, from) => {
      const [list] = coordinator.journal.saidOf('survivors', 1);
      const twice = message.round === 1 && (message.type === 'agree' || message.type === 'unmask');
      if (twice && list !== undefined && from === stage.actors[1]!.id) {
        const others = stage.actors.slice(1).map(({ id }) => id);
        coordinator.say('survivors', 1, { survivors: list.body.survivors.slice(1) }, others);
        const [agreed] = coordinator.journal.saidOf('agreed', 1);
        if (agreed !== undefined) coordinator.say('agreed', 1, agreed.body, others);
      }
      return message;
    };
    await stage.joinAll(5);
    await stage.finished();
    expect(stage.unmaskings(1)).toBe(5);
    for (const actor of stage.actors) {
      const [answer] = actor.participant.journal.saidOf('unmask', 1);
      expect(answer!.body.selfShares.map(([dealer]) => dealer)).toEqual(stage.actors.map(({ id }) => id));
      expect(answer!.body.keyShares).toEqual([]);
      if (actor !== stage.actors[0])
        expect(counted(actor.participant, 'round/unexpected-survivors')).toBeGreaterThan(0);
    }
    const { unmasked, expected } = stage.sums(1);
    expect(unmasked).toEqual(expected);
  });
});

test('a list of dropouts has no place in a message: dropped, counted, and the round goes on', async () => {
  stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
  const { coordinator } = stage;
  const identity = await identityFrom(stage.room.deed.keyPair);
  let injected: Promise<unknown> | undefined;
  coordinator.lies = [
    during(
      1,
      telling('survivors', (body, to) => {
        const dropouts = [body.survivors[0]![0]];
        injected ??= rawEnvelope(identity, coordinator.state.binding, {
          type: 'survivors',
          round: 1,
          seq: 2 ** 40,
          body: { survivors: [], dropouts },
        }).then((envelope) => Promise.all(stage.wires().down.map((wire) => wire.send(frameOf(envelope)))));
        void injected.then(() => coordinator.say('survivors', 1, body, [to]));
        return undefined;
      }),
    ),
  ];
  // What it says itself goes out as it is.
  await stage.joinAll(4);
  await stage.finished();
  for (const { participant } of stage.actors) expect(counted(participant, 'codec/schema')).toBe(1);
  const { unmasked, expected } = stage.sums(1);
  expect(unmasked).toEqual(expected);
});

describe('a holder that opens', () => {
  const both = async (holder: number, dealer: ParticipantId): Promise<OpenedShare> => {
    const { key, keySalt, path } = await sharesHeld(stage.actors[holder]!, dealer, 1);
    return [dealer, new Uint8Array(key), new Uint8Array(keySalt), path.map((hash) => new Uint8Array(hash))];
  };

  test.each([
    [
      'the key of a survivor beside its seed',
      'A share that was not asked for',
      (body: Body<'unmask'>, share: OpenedShare) => ({ ...body, keyShares: [share] }),
    ],
    [
      'the seed of a survivor twice',
      'Two shares of one secret',
      (body: Body<'unmask'>) => ({ ...body, selfShares: [body.selfShares[0]!, ...body.selfShares] }),
    ],
    [
      'a share of somebody who is not in the round',
      'A share that was not asked for',
      (body: Body<'unmask'>, share: OpenedShare) => ({
        ...body,
        keyShares: [[OUTSIDER, ...share.slice(1)] as unknown as OpenedShare],
      }),
    ],
  ])('%s is left out, with both names; the others unmask', async (_name, text, change) => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
    await stage.joinAll(5);
    const [dealer, holder] = [stage.actors[0]!, stage.actors[1]!];
    let opened: Promise<OpenedShare> | undefined;
    holder.participant.lies = [
      claiming('unmask', (body, round) => {
        if (round !== 1) return body;
        opened = both(1, dealer.id);
        void opened.then((share) => {
          holder.participant.lies = [];
          holder.participant.say('unmask', 1, change(body, share));
        });
        return undefined;
      }),
    ];
    await until(stage.coordinator, () => counted(stage.coordinator, 'round/unmask') === 1);
    await stage.finished();
    expect(logged(stage.coordinator, text, holder.id)).toBe(true);
    const { unmasked, expected } = stage.sums(1);
    expect(unmasked).toEqual(expected);
  });
});
