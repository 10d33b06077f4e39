/** Whole federations in one process: rounds complete, models agree, the ledger verifies. */
import { afterEach, expect, test } from 'vitest';
import { parsePlan } from '../../src/core/plan.ts';
import { verifyLedger } from '../../src/federation/ledger.ts';
import { initialise } from '../../src/update/initialise.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { planDocument } from '../support/planDocument.ts';
import { Room, until } from '../support/room.ts';

let room: Room | undefined;
afterEach(() => room?.close());

test.each(['active', 'honest-but-curious'] as const)('four participants complete two rounds, %s', async (mode) => {
  room = await Room.found(planDocument({ mode }));
  const { coordinator } = room;
  const guests = await Promise.all(['alice', 'bob', 'charlie', 'dora'].map((name) => room!.join(name)));
  await until(coordinator, () => coordinator.state.phase === 'finished');
  for (const { participant } of guests) await until(participant, () => participant.state.head?.records === 3);
  const hashes = new Set(guests.map(({ participant }) => participant.state.modelHash));
  expect([...hashes]).toEqual([coordinator.state.head.modelHash]);
  expect(coordinator.state.head).toMatchObject({ completed: 2, records: 3, abandoned: 0 });
  for (const { participant } of guests) expect(participant.state.head).toEqual(coordinator.state.head);
  const { plan } = parsePlan(room.deed.planBytes);
  const context = { binding: coordinator.state.binding, coordinatorKey: coordinator.invite.key, plan };
  const head = await verifyLedger(context, modelHashOf(initialise(plan.model, plan.seed)), coordinator.records);
  expect(head).toEqual(coordinator.state.head);
  expect(coordinator.refusals).toEqual([]);
  expect(guests.flatMap(({ participant }) => participant.refusals)).toEqual([]);
  const [first] = coordinator.records;
  expect(first?.body).toMatchObject({ figures: { test: { correct: 28, samples: 80, lossSum: 122 } } });
});
