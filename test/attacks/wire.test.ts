/** Oversized, truncated, reordered, duplicated, unknown, unsigned messages: dropped, counted; the round goes on. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import type { Channel } from '../../src/core/ports.ts';
import { identityFrom } from '../../src/crypto/identity.ts';
import type { Message } from '../../src/federation/messages.ts';
import { garbageOf } from '../support/garbage.ts';
import type { Garbage } from '../support/garbage.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { counted, Stage } from '../support/stage.ts';

let stage!: Stage;
afterEach(() => stage?.close());

type Way = 'to the coordinator' | 'to a participant';

/** A federation of three that has begun, and what can be said to one side of it. */
async function begun(way: Way): Promise<{
  garbage: readonly Garbage[];
  wire: Channel;
  told: Stage['coordinator'] | Stage['actors'][number]['participant'];
}> {
  stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
  await stage.joinAll(3);
  await stage.greeted();
  const { coordinator, room } = stage;
  const [first] = room.guests;
  const { binding, own } = coordinator.state;
  if (way === 'to the coordinator') {
    const { identity } = first!;
    const garbage = await garbageOf({ identity, role: 'participant', binding, receiver: own });
    return { garbage, wire: stage.wires().up[0]!, told: coordinator };
  }
  const identity = await identityFrom(room.deed.keyPair);
  const garbage = await garbageOf({ identity, role: 'coordinator', binding, receiver: first!.identity.id });
  const told = stage.actors.find(({ id }) => id === first!.identity.id)!.participant;
  return { garbage, wire: stage.wires().down[0]!, told };
}

async function finishesAsIfNothing(): Promise<void> {
  await stage.finished();
  const { unmasked, expected } = stage.sums(1);
  expect(unmasked).toEqual(expected);
  expect(stage.coordinator.state.head).toMatchObject({ completed: 1, abandoned: 0 });
}

const KINDS = await (async () => {
  const { garbage } = await begun('to the coordinator');
  stage.close();
  return garbage.map(({ name, code }) => [name, code] as const);
})();

describe.each<Way>(['to the coordinator', 'to a participant'])('said %s', (way) => {
  test.each(KINDS)('%s is dropped and counted as %s', async (name, code) => {
    const { garbage, wire, told } = await begun(way);
    const { frames } = garbage.find((kind) => kind.name === name)!;
    for (const frame of frames) await wire.send(frame);
    const refused = [{ reason: code, count: 1 }];
    await until(told, () => told.view().refusals.length > 0 || stage.coordinator.view().phase === 'finished');
    expect(told.view().refusals).toEqual(refused);
    await finishesAsIfNothing();
    expect(told.view().refusals).toEqual(refused);
  });
});

test('whatever was said before, said again, is dropped and counted', async () => {
  stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
  await stage.joinAll(2);
  const repeated: Bytes[] = [];
  // Every frame on every wire goes out twice.
  const { network } = stage.room;
  const make = network.transport.bind(network);
  network.transport = (address) => {
    const transport = make(address);
    const connect = transport.connect.bind(transport);
    transport.connect = async (to) => {
      const channel = await connect(to);
      const send = channel.send.bind(channel);
      channel.send = async (frame) => {
        repeated.push(frame);
        await send(frame);
        await send(frame);
      };
      return channel;
    };
    return transport;
  };
  await stage.joinAll(1);
  await finishesAsIfNothing();
  expect(repeated.length).toBeGreaterThan(5);
  // What came last may still be under way when the run ends.
  expect(counted(stage.coordinator, 'codec/sequence')).toBeGreaterThanOrEqual(repeated.length - 3);
  expect(stage.coordinator.view().refusals.filter(({ reason }) => reason !== 'codec/sequence')).toEqual([]);
});

describe('well signed, but not the time for it', () => {
  const bytes = (length: number) => new Uint8Array(length);
  const zeros = '00'.repeat(64) as never;
  const hash = 'ab'.repeat(32) as never;

  const early: readonly Message[] = [
    { type: 'share', round: 9, body: { shareRoot: hash, seedCommitment: hash, signature: zeros, boxes: [] } },
    { type: 'masked', round: 9, body: { piecesRoot: hash, packed: bytes(8) as never } },
    { type: 'agree', round: 9, body: { signature: zeros } },
    { type: 'unmask', round: 9, body: { selfShares: [], keyShares: [] } },
    { type: 'complain', round: 9, body: { dealers: [] } },
  ];

  test.each(early.map((message) => [message.type, message] as const))(
    'a participant’s %s for a round that is not is counted; the round goes on',
    async (type, message) => {
      stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
      const first = await stage.join();
      first.participant.lies = [(said) => (said.type === 'share' && said.round === 1 ? [message, said] : [said])];
      await stage.joinAll(2);
      await finishesAsIfNothing();
      const names = { share: 'share', masked: 'masked', agree: 'agreement', unmask: 'unmask', complain: 'complaint' };
      expect(stage.coordinator.view().refusals).toEqual([
        { reason: `round/unexpected-${names[type as keyof typeof names]}`, count: 1 },
      ]);
    },
  );

  test.each(['advert', 'share', 'masked', 'agree', 'unmask', 'confirm'] as const)(
    'a participant’s %s said twice counts once',
    async (type) => {
      stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
      const first = await stage.join();
      first.participant.lies = [(said) => (said.type === type && said.round === 1 ? [said, said] : [said])];
      await stage.joinAll(2);
      await finishesAsIfNothing();
      const refusals = stage.coordinator
        .view()
        .refusals.filter(({ reason }) => !reason.startsWith('round/unexpected-'));
      expect(refusals).toEqual([]);
    },
  );

  test('everything that a coordinator says about a round that is not is counted or ignored; the round goes on', async () => {
    stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
    const { coordinator } = stage;
    let told = false;
    coordinator.lies = [
      (message, to) => {
        if (message.type !== 'deliver' || message.round !== 1 || told) return [[message, to]];
        told = true;
        const strays: readonly Message[] = [
          { type: 'roster', round: 9, body: { adverts: [] } },
          { type: 'deliver', round: 9, body: { dealings: [], boxes: [] } },
          { type: 'survivors', round: 9, body: { survivors: [] } },
          { type: 'agreed', round: 9, body: { signatures: [] } },
          { type: 'begin', round: 9, body: { kind: 'train', modelHash: hash, completed: 0, deadlineMs: 1 } },
          { type: 'item', round: 9, body: { what: 'model', hash, content: bytes(4) } },
        ];
        const everyone = stage.actors.map(({ id }) => id);
        return [...strays.map((stray) => [stray, everyone] as const), [message, to]];
      },
    ];
    await stage.joinAll(3);
    await finishesAsIfNothing();
    for (const { participant } of stage.actors) {
      for (const reason of [
        'round/unexpected-roster',
        'round/unexpected-delivery',
        'round/unexpected-survivors',
        'round/unexpected-agreement',
        'sync/unasked',
      ]) {
        expect(counted(participant, reason), reason).toBe(1);
      }
    }
  });
});
