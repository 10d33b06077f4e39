/** Different survivor sets, rosters or sum specs shown to different people: no tuple gathers t signatures, nothing is unmasked. */
import { afterEach, describe, expect, test } from 'vitest';
import type { ParticipantId, Signature } from '../../src/core/ids.ts';
import { createIdentity } from '../../src/crypto/identity.ts';
import { consistencyStatement } from '../../src/federation/statements.ts';
import { checkAdvert } from '../../src/federation/roster.ts';
import { advertOf } from '../support/insider.ts';
import { telling } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { counted, logged, Stage } from '../support/stage.ts';
import type { Actor } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

/**
 * The coordinator's own machine hears no more of step 4: whatever it would make of the answers, the liar goes on, and shows
 * every signature that it has got to everyone.
 */
async function collectAndGoOn(
  answers: number,
  more: (signer: Actor) => Promise<Signature> | undefined = () => undefined,
) {
  const { coordinator, actors } = stage;
  await until(coordinator, () => coordinator.journal.heardOf('agree', 1).length === answers);
  const given = coordinator.journal.heardOf('agree', 1).map(({ who, body }) => [who[0]!, body.signature] as const);
  const made = await Promise.all(actors.map(async (actor) => [actor.id, await more(actor)] as const));
  const signatures = new Map<ParticipantId, Signature>(given);
  for (const [id, signature] of made) if (signature !== undefined) signatures.set(id, signature);
  const sorted = [...signatures].sort(([a], [b]) => (a < b ? -1 : 1));
  coordinator.say(
    'agreed',
    1,
    { signatures: sorted },
    actors.map(({ id }) => id),
  );
}

function deafTo(...types: readonly string[]): void {
  stage.coordinator.hears = (message) => (message.round === 1 && types.includes(message.type) ? undefined : message);
}

/** Honest again: whoever refused round 1 takes part in the next one. */
async function goesOn(): Promise<void> {
  stage.coordinator.lies = [];
  await stage.finished();
  expect(stage.coordinator.state.head.completed).toBe(1);
  expect(stage.unmaskings(1)).toBe(0);
  expect(stage.room.summer.sums.has(1)).toBe(false);
}

describe('survivors', () => {
  test.each([
    ['in two halves', 7, (i: number) => i < 3],
    ['to one alone', 4, (i: number) => i === 1],
  ])('shown otherwise %s', async (_name, n, first) => {
    stage = await Stage.open(planDocument({ people: n, rounds: 1 }));
    deafTo('agree');
    stage.coordinator.lies = [
      telling('survivors', ({ survivors }, to) => {
        const one = first(stage.actors.findIndex(({ id }) => id === to));
        // Nobody finds itself missing: who is left out is on the other side.
        return { survivors: one ? survivors.slice(0, -1) : n === 7 ? survivors.slice(1) : survivors };
      }),
    ];
    await stage.joinAll(n);
    const threshold = Math.floor((2 * n) / 3) + 1;
    await collectAndGoOn(n);
    const codes = await stage.refusals(1, n === 7 ? stage.actors : [stage.actors[1]!], 'unmask');
    expect(new Set(codes)).toEqual(new Set(['round/agreement']));
    if (n === 7) return goesOn();
    // The others, who are at least t, saw one and the same list: they may unmask it, and it alone.
    await until(stage.coordinator, () => stage.unmaskings(1) === n - 1);
    expect(n - 1).toBeGreaterThanOrEqual(threshold);
  });

  test('of whom an update was exchanged after it was signed for', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    deafTo('agree');
    stage.coordinator.lies = [
      telling('survivors', ({ survivors }, to) => ({
        survivors: survivors.map(([id, root], i) => [
          id,
          id === to || i !== stage.actors.findIndex((a) => a.id === to) - 1 ? root : survivors[(i + 1) % 4]![1],
        ]),
      })),
    ];
    await stage.joinAll(4);
    await collectAndGoOn(4);
    expect(new Set(await stage.refusals(1, stage.actors, 'unmask'))).toEqual(new Set(['round/agreement']));
    await goesOn();
  });
});

test('those who shared, shown otherwise to some: the roots in the tuple differ', async () => {
  stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
  deafTo('agree');
  const last = (to: ParticipantId) => stage.actors.findIndex(({ id }) => id === to) >= 3;
  const absent = () => stage.actors[0]!.id;
  stage.coordinator.lies = [
    telling('deliver', ({ dealings, boxes }, to) =>
      last(to)
        ? { dealings: dealings.filter(([id]) => id !== absent()), boxes: boxes.filter(([id]) => id !== absent()) }
        : { dealings, boxes },
    ),
    telling('survivors', ({ survivors }, to) => (to === absent() ? undefined : { survivors: survivors.slice(1) })),
  ];
  await stage.joinAll(5);
  await collectAndGoOn(4);
  expect(new Set(await stage.refusals(1, stage.actors.slice(1), 'unmask'))).toEqual(new Set(['round/agreement']));
  expect(stage.unmaskings()).toBe(0);
});

test('rosters that differ in the keys of a colluder: what was dealt for one is not signed for the other', async () => {
  stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
  const { coordinator } = stage;
  deafTo('share', 'refuse');
  const { plan, binding } = coordinator.state;
  const context = { binding, plan, secret: stage.room.deed.secret, round: 1 };
  let other: Promise<unknown> | undefined;
  const colluder = () => stage.actors[0]!;
  coordinator.lies = [
    (message, to) => {
      if (message.type !== 'roster' || message.round !== 1 || other !== undefined) return [[message, to]];
      const place = (id: ParticipantId) => stage.actors.findIndex((actor) => actor.id === id);
      const [first, second] = [to.filter((id) => place(id) < 3), to.filter((id) => place(id) >= 3)];
      other = advertOf(colluder().identity, context).then(async (advert) => {
        await checkAdvert(context, advert);
        const adverts = message.body.adverts.map((own) => (own.publicKey === advert.publicKey ? advert : own));
        coordinator.say('roster', 1, { ...message.body, adverts }, second);
      });
      return [[message, first]];
    },
  ];
  await stage.joinAll(5);
  await until(coordinator, () => coordinator.journal.heardOf('share', 1).length === 5);
  const shares = [...coordinator.journal.heardOf('share', 1)].sort((a, b) => (a.who[0]! < b.who[0]! ? -1 : 1));
  for (const { id } of stage.actors) {
    const dealings = shares.map(
      ({ who, body }) => [who[0]!, body.shareRoot, body.seedCommitment, body.signature] as const,
    );
    const boxes = shares.flatMap(({ who, body }) => {
      const box = body.boxes.find(([holder]) => holder === id);
      return box === undefined ? [] : [[who[0]!, new Uint8Array(box[1])] as [ParticipantId, Uint8Array<ArrayBuffer>]];
    });
    coordinator.say('deliver', 1, { dealings: dealings.map((dealing) => [...dealing]), boxes }, [id]);
  }
  expect(new Set(await stage.refusals(1, stage.actors, 'unmask'))).toEqual(new Set(['share/signature']));
  for (const { participant } of stage.actors)
    expect(logged(participant, 'The shares of', 'are not signed by it')).toBe(true);
  expect(coordinator.journal.heardOf('masked', 1)).toEqual([]);
  expect(stage.unmaskings()).toBe(0);
});

test('sum specs: who is asked to measure when training is due masks nothing', async () => {
  stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
  const asked = () => stage.actors.slice(2);
  stage.coordinator.lies = [
    telling('begin', (body, to, round) =>
      round === 1 && asked().some(({ id }) => id === to) ? { ...body, kind: 'evaluate' } : body,
    ),
  ];
  await stage.joinAll(4);
  expect(await stage.refusals(1, asked(), 'masked')).toEqual(['round/kind', 'round/kind']);
  for (const { participant } of asked()) expect(participant.journal.saidOf('masked', 1)).toEqual([]);
  await goesOn();
});

describe('signatures under the survivors', () => {
  const tupleOf = ({ participant }: Actor) => participant.state.rounds[1]!.tuple!;

  test.each<
    [
      string,
      number,
      string,
      (list: readonly (readonly [ParticipantId, Signature])[]) => (readonly [ParticipantId, Signature])[],
    ]
  >([
    ['one less than the threshold', 4, 'round/agreement', (list) => list.slice(0, 2)],
    ['one of them three times', 4, 'set/order', ([first]) => [first!, first!, first!]],
    [
      'one of them under three names',
      4,
      'round/agreement',
      (list) => list.slice(0, 3).map(([id]) => [id, list[0]![1]]),
    ],
    ['out of order', 4, 'set/order', (list) => [...list].reverse()],
    ['none', 4, 'round/agreement', () => []],
  ])('%s: nothing is unmasked', async (_name, n, code, change) => {
    stage = await Stage.open(planDocument({ people: n, rounds: 1 }));
    stage.coordinator.lies = [
      telling('agreed', ({ signatures }, _to, round) => ({
        signatures: round === 1 ? change(signatures).map(([id, signature]) => [id, signature]) : signatures,
      })),
    ];
    await stage.joinAll(n);
    expect(new Set(await stage.refusals(1, stage.actors, 'unmask'))).toEqual(new Set([code]));
    await goesOn();
    // The shares were asked for: whatever came of it, the round counts as spent.
    expect(stage.coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent: true });
  });

  test('over another sum spec count for nothing', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    const { binding } = stage.coordinator.state;
    deafTo('agree');
    await stage.joinAll(4);
    await collectAndGoOn(4, (signer) => {
      if (!stage.actors.slice(2).includes(signer)) return undefined;
      const tuple = tupleOf(signer);
      return signer.identity.sign(consistencyStatement(binding, 1, { ...tuple, sumSpecHash: tuple.modelHash }));
    });
    expect(new Set(await stage.refusals(1, stage.actors, 'unmask'))).toEqual(new Set(['round/agreement']));
    await goesOn();
  });

  test('of a dropout and of a stranger count for nothing', async () => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
    const { coordinator } = stage;
    deafTo('agree');
    const stranger = await createIdentity();
    coordinator.lies = [
      // The last one is made a dropout, and two of the survivors say nothing.
      telling('survivors', ({ survivors }, to) =>
        to === stage.actors[4]!.id ? undefined : { survivors: survivors.slice(0, 4) },
      ),
    ];
    await stage.joinAll(5);
    await until(coordinator, () => coordinator.journal.heardOf('agree', 1).length === 4);
    const [signer, , , , dropout] = stage.actors;
    const statement = consistencyStatement(coordinator.state.binding, 1, tupleOf(signer!));
    const honest = coordinator.journal
      .heardOf('agree', 1)
      .slice(0, 3)
      .map(({ who, body }) => [who[0]!, body.signature] as const);
    const forged = [dropout!.identity, stranger].map(async (who) => [who.id, await who.sign(statement)] as const);
    const all = [...honest, ...(await Promise.all(forged))].sort(([a], [b]) => (a < b ? -1 : 1));
    coordinator.say(
      'agreed',
      1,
      { signatures: all.map(([id, signature]) => [id, signature]) },
      stage.actors.map(({ id }) => id),
    );
    const survivors = stage.actors.slice(0, 4);
    expect(new Set(await stage.refusals(1, survivors, 'unmask'))).toEqual(new Set(['round/agreement']));
    expect(stage.unmaskings()).toBe(0);
  });

  test('over another list than the coordinator has are refused by it and counted; the others unmask', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    stage.coordinator.lies = [
      telling('survivors', ({ survivors }, to, round) => ({
        survivors: round === 1 && to === stage.actors[0]!.id ? survivors.slice(0, 3) : survivors,
      })),
    ];
    await stage.joinAll(4);
    await stage.finished();
    expect(counted(stage.coordinator, 'round/agreement')).toBe(1);
    const { unmasked, expected } = stage.sums(1);
    expect(unmasked).toEqual(expected);
  });
});
