/**
 * Advert of an unadmitted or duplicated identity, duplicate keys, small-order points, threshold below the rule, n below
 * minCohort: refused by participants, not only by the coordinator.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { FederationId, ParticipantId, PublicKey, Signature } from '../../src/core/ids.ts';
import { createIdentity } from '../../src/crypto/identity.ts';
import type { Identity } from '../../src/crypto/identity.ts';
import type { AdvertBody } from '../../src/federation/messages.ts';
import { checkAdvert } from '../../src/federation/roster.ts';
import type { AdmissionContext } from '../../src/federation/roster.ts';
import { advertOf } from '../support/insider.ts';
import { claiming, during, telling } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { counted, logged, Stage } from '../support/stage.ts';
import smallOrder from '../vectors/x25519-small-order.json';

let stage: Stage;
afterEach(() => stage?.close());

const outsider = await createIdentity();
const forge =
  (change: Partial<AdvertBody>, other: Partial<AdmissionContext> = {}) =>
  (context: AdmissionContext) =>
    advertOf(outsider, { ...context, ...other }, change);
const KEY = smallOrder.otherOrder[0] as PublicKey;
const topBit = (key: PublicKey) =>
  (key.slice(0, 62) + (Number.parseInt(key.slice(62), 16) | 0x80).toString(16)) as PublicKey;

async function contextOf(round: number): Promise<AdmissionContext> {
  const { binding, plan } = stage.coordinator.state;
  return { binding, plan, secret: stage.room.deed.secret, round };
}

type Adverts = readonly AdvertBody[];
type Change = (adverts: Adverts, to: ParticipantId) => Adverts;

/** Round 1 with rosters that were tampered with; all refuse, nobody deals, and the next round completes. */
async function refusedRoster(people: number, plan: object, change: Change): Promise<readonly string[]> {
  stage = await Stage.open(plan);
  stage.coordinator.lies = [
    ...stage.coordinator.lies,
    during(
      1,
      telling('roster', (body, to) => ({ ...body, adverts: [...change(body.adverts, to)] })),
    ),
  ];
  await stage.joinAll(people);
  const codes = await stage.refusals(1);
  await stage.finished();
  for (const { participant } of stage.actors) expect(participant.journal.saidOf('share', 1)).toEqual([]);
  expect(counted(stage.coordinator, 'round/refused')).toBe(people);
  expect(stage.coordinator.state.head.completed).toBe(1);
  return codes;
}

describe('a coordinator that puts one more advert in the roster', () => {
  test.each<[string, string, (context: AdmissionContext, adverts: Adverts) => Promise<AdvertBody>]>([
    ['of somebody without the link', 'advert/credential', forge({}, { secret: new Uint8Array(16) })],
    ['with a credential of another round', 'advert/credential', forge({}, { round: 2 })],
    [
      'of one identity twice',
      'roster/duplicate',
      () =>
        advertOf(stage.actors[0]!.identity, {
          binding: stage.coordinator.state.binding,
          plan: stage.plan,
          secret: stage.room.deed.secret,
          round: 1,
        }),
    ],
    [
      'with the box key of another',
      'roster/duplicate',
      (context, [first]) => forge({ boxKey: first!.boxKey })(context),
    ],
    [
      'with the mask key of another',
      'roster/duplicate',
      (context, [first]) => forge({ maskKey: first!.maskKey })(context),
    ],
    [
      'with the mask key of another as box key',
      'roster/duplicate',
      (context, [first]) => forge({ boxKey: first!.maskKey })(context),
    ],
    ['with one key for boxes and masks', 'advert/duplicate-key', forge({ boxKey: KEY, maskKey: KEY })],
    ['with a mask key in another encoding', 'advert/encoding', forge({ maskKey: topBit(KEY) })],
    ['with a box key in another encoding', 'advert/encoding', forge({ boxKey: topBit(KEY) })],
    ['without a signature', 'advert/signature', forge({ signature: '00'.repeat(64) as Signature })],
    [
      'signed for another round',
      'advert/signature',
      async (context) => ({
        ...(await forge({})(context)),
        signature: (await forge({}, { round: 2 })(context)).signature,
      }),
    ],
    [
      'signed for another federation',
      'advert/signature',
      async (context) => {
        const binding = { ...context.binding, federation: 'ab'.repeat(16) as FederationId };
        return { ...(await forge({})(context)), signature: (await forge({}, { binding })(context)).signature };
      },
    ],
  ])('%s is refused by everyone', async (_name, code, make) => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    const { coordinator } = stage;
    coordinator.lies = [
      (message, to) => {
        if (message.type !== 'roster' || message.round !== 1) return [[message, to]];
        const { adverts } = message.body;
        void contextOf(1)
          .then((context) => make(context, adverts))
          .then((more) => {
            coordinator.lies = [];
            coordinator.say('roster', 1, { ...message.body, adverts: [...adverts, more] }, to);
          });
        return [];
      },
    ];
    await stage.joinAll(4);
    expect(await stage.refusals(1)).toEqual([code, code, code, code]);
    await stage.finished();
    for (const { participant } of stage.actors) expect(participant.journal.saidOf('share', 1)).toEqual([]);
    expect(counted(coordinator, 'round/refused')).toBe(4);
    expect(coordinator.state.head.completed).toBe(1);
  });

  test.each(['boxKey', 'maskKey'] as const)(
    'with any point of small order as %s is refused by everyone',
    async (field) => {
      stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
      const { coordinator } = stage;
      await stage.joinAll(2);
      // Rounds that fail wait longer and longer: two points stand for the list, which is checked whole below.
      const points = smallOrder.smallOrder.slice(0, 2) as PublicKey[];
      coordinator.lies = [
        (message, to) => {
          const point = points[message.round - 1];
          if (message.type !== 'roster' || point === undefined) return [[message, to]];
          const { adverts } = message.body;
          void contextOf(message.round)
            .then((context) => advertOf(outsider, context, { [field]: point }))
            .then((more) => {
              coordinator.lies = coordinator.lies.slice(-1);
              coordinator.say('roster', message.round, { ...message.body, adverts: [...adverts, more] }, to);
            });
          return [];
        },
      ];
      await stage.joinAll(1);
      for (let round = 1; round <= points.length; round++) {
        expect(new Set(await stage.refusals(round))).toEqual(new Set(['advert/small-order']));
      }
      await stage.finished();
    },
  );
});

test.each(smallOrder.smallOrder)('the point %s is in no roster, whoever makes it', async (point) => {
  stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
  const context = await contextOf(1);
  for (const field of ['boxKey', 'maskKey'] as const) {
    const forged = await advertOf(outsider, context, { [field]: point as PublicKey });
    await expect(checkAdvert(context, forged)).rejects.toMatchObject({ code: 'advert/small-order' });
  }
});

describe('a coordinator that shows a roster', () => {
  const isOwn = (to: ParticipantId) => {
    const { identity } = stage.actors.find(({ id }) => id === to)!;
    return ({ publicKey }: AdvertBody) => publicKey === identity.publicKey;
  };
  const changeOwn =
    (change: (advert: AdvertBody) => AdvertBody): Change =>
    (adverts, to) =>
      adverts.map((advert) => (isOwn(to)(advert) ? change(advert) : advert));

  test.each<[string, string, Change]>([
    ['without the receiver', 'roster/own', (adverts, to) => adverts.filter((advert) => !isOwn(to)(advert))],
    ['with the receiver twice', 'roster/own', (adverts, to) => [...adverts, adverts.find(isOwn(to))!]],
    ['with another mask key for the receiver', 'roster/own', changeOwn((advert) => ({ ...advert, maskKey: KEY }))],
    ['with another box key for the receiver', 'roster/own', changeOwn((advert) => ({ ...advert, boxKey: KEY }))],
    [
      'with somebody else twice',
      'roster/duplicate',
      (adverts, to) => [...adverts, adverts.find((advert) => !isOwn(to)(advert))!],
    ],
    [
      'with a changed commitment',
      'advert/credential',
      (adverts) => adverts.map((advert) => ({ ...advert, commitment: 'ab'.repeat(32) as never })),
    ],
    [
      'of two',
      'roster/too-small',
      (adverts, to) => [adverts.find(isOwn(to))!, adverts.find((advert) => !isOwn(to)(advert))!],
    ],
  ])('%s is refused by everyone', async (_name, code, change) => {
    expect(new Set(await refusedRoster(4, planDocument({ people: 4, rounds: 1 }), change))).toEqual(new Set([code]));
  });

  test("below the plan's minimum is refused by everyone", async () => {
    const plan = planDocument({ people: 5, rounds: 1 });
    const stricter = { ...plan, aggregation: { ...plan.aggregation, cohort: { minimum: 5, target: 5 } } };
    const codes = await refusedRoster(5, stricter, (adverts, to) => [
      adverts.find(isOwn(to))!,
      ...adverts.filter((advert) => !isOwn(to)(advert)).slice(0, 3),
    ]);
    expect(new Set(codes)).toEqual(new Set(['roster/too-small']));
  });
});

describe('a coordinator that goes on with too few, or with others', () => {
  test.each<[string, string, (own: ParticipantId, id: ParticipantId, i: number) => boolean]>([
    ['less than the threshold', 'round/delivery', (own, id, i) => id === own || i < 2],
    ['none but the receiver', 'round/delivery', (own, id) => id === own],
    ['all but the receiver', 'round/delivery', (own, id) => id !== own],
  ])('delivering the shares of %s is refused', async (_name, code, keep) => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
    stage.coordinator.lies = [
      during(
        1,
        telling('deliver', ({ dealings, boxes }, to) => {
          const kept = new Set(dealings.flatMap(([id], i) => (keep(to, id, i) ? [id] : [])));
          return { dealings: dealings.filter(([id]) => kept.has(id)), boxes: boxes.filter(([id]) => kept.has(id)) };
        }),
      ),
    ];
    await stage.joinAll(5);
    const codes = await stage.refusals(1);
    expect(codes.filter((other) => other !== code)).toEqual([]);
    await stage.finished();
    expect(stage.coordinator.journal.heardOf('masked', 1)).toEqual([]);
  });

  test.each<[string, string]>([
    ['one dealer twice', 'set/order'],
    ['a stranger', 'round/delivery'],
  ])('delivering the shares of %s is refused', async (what, code) => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    stage.coordinator.lies = [
      during(
        1,
        telling('deliver', ({ dealings, boxes }) => {
          const [first] = dealings;
          const stranger = ['ff'.repeat(16) as ParticipantId, first![1], first![2], first![3]] as typeof first;
          return { dealings: what === 'a stranger' ? [...dealings, stranger!] : [first!, ...dealings], boxes };
        }),
      ),
    ];
    await stage.joinAll(4);
    expect(new Set(await stage.refusals(1))).toEqual(new Set([code]));
    await stage.finished();
    expect(stage.coordinator.journal.heardOf('masked', 1)).toEqual([]);
  });

  test('holding back boxes until less than the threshold open is refused, with the names of who cannot be opened', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    stage.coordinator.lies = [
      during(
        1,
        telling('deliver', ({ dealings, boxes }) => ({ dealings, boxes: boxes.slice(0, 1) })),
      ),
    ];
    await stage.joinAll(4);
    expect(new Set(await stage.refusals(1))).toEqual(new Set(['round/shares']));
    for (const { participant } of stage.actors) {
      const [complaint] = participant.journal.saidOf('complain', 1);
      expect(complaint!.body.dealers).toHaveLength(2);
      for (const dealer of complaint!.body.dealers) expect(logged(participant, dealer, 'do not open')).toBe(true);
    }
    expect(stage.coordinator.journal.heardOf('masked', 1)).toEqual([]);
  });
});

describe('a participant that advertises', () => {
  type Forge = (own: Identity, context: AdmissionContext, others: Adverts) => Promise<AdvertBody>;

  test.each<[string, Forge]>([
    ['without the link', (own, context) => advertOf(own, { ...context, secret: new Uint8Array(16) })],
    [
      'a point of small order',
      (own, context) => advertOf(own, context, { maskKey: smallOrder.smallOrder[2] as PublicKey }),
    ],
    ['a key in another encoding', (own, context) => advertOf(own, context, { boxKey: topBit(KEY) })],
    ['one key twice', (own, context) => advertOf(own, context, { boxKey: KEY, maskKey: KEY })],
    ['for another round', (own, context) => advertOf(own, { ...context, round: 7 })],
    ['in the name of a stranger', (_own, context) => advertOf(outsider, context)],
    ['without a signature', (own, context) => advertOf(own, context, { signature: '00'.repeat(64) as Signature })],
    ['the mask key of another', (own, context, [other]) => advertOf(own, context, { maskKey: other!.maskKey })],
  ])('%s is left out and counted; the others go on', async (_name, make) => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
    const { coordinator } = stage;
    const liar = await stage.join();
    const others = () => coordinator.journal.heardOf('advert', 1).filter(({ who }) => who[0] !== liar.id);
    liar.participant.lies = [
      claiming('advert', (body, round) => {
        if (round !== 1) return body;
        void until(coordinator, () => others().length === 4)
          .then(() => contextOf(1))
          .then((context) =>
            make(
              liar.identity,
              context,
              others().map((line) => line.body),
            ),
          )
          .then((advert) => liar.participant.say('advert', 1, advert));
        return undefined;
      }),
    ];
    await stage.joinAll(4);
    await stage.recorded(1);
    expect(counted(coordinator, 'round/advert')).toBe(1);
    expect(logged(coordinator, liar.id, 'round/advert')).toBe(true);
    expect(coordinator.journal.saidOf('roster', 1)[0]!.body.adverts).toHaveLength(4);
    const { unmasked, expected } = stage.sums(
      1,
      stage.actors.filter((actor) => actor !== liar),
    );
    expect(unmasked).toEqual(expected);
  });
});
