/** Plans on people's own files: whoever has not chosen any is called for no round, and answers for none. */
import { afterEach, expect, test } from 'vitest';
import { participantMachine } from '../../src/federation/participantMachine.ts';
import { ownPlanDocument } from '../support/ownPlan.ts';
import { Room, until } from '../support/room.ts';

let room: Room | undefined;
afterEach(() => room?.close());

test('a round begins once enough people have chosen, and with them alone', async () => {
  room = await Room.found(ownPlanDocument({ rounds: 1, people: 4 }));
  const { coordinator } = room;
  const guests = await Promise.all(['alice', 'bob', 'charlie', 'dora'].map((name) => room!.join(name)));
  for (const { participant } of guests) await until(participant, () => participant.state.phase === 'choosing');
  expect(guests.map(({ participant }) => participant.view().waiting?.for)).toEqual(Array(4).fill('your files'));
  expect(coordinator.state).toMatchObject({ phase: 'waiting', upcoming: undefined });
  expect(coordinator.view().waiting?.for).toBe('4 people to choose files');

  for (const { participant } of guests.slice(0, 3)) {
    participant.acceptData();
    await until(participant, () => participant.state.trainer === 'ready');
  }
  await until(coordinator, () => coordinator.view().waiting?.for === '1 person to choose files');
  expect(coordinator.state).toMatchObject({ phase: 'waiting', upcoming: undefined });

  const last = guests[3]!;
  expect(last.participant.state).toMatchObject({ phase: 'choosing', trainer: 'closed', rounds: {} });
  last.participant.acceptData();
  await until(coordinator, () => coordinator.state.phase === 'finished');
  for (const { participant } of guests) await until(participant, () => participant.state.head?.records === 2);
  expect(coordinator.records.map(({ sheets }) => sheets.flatMap(({ survivors }) => survivors).length)).toEqual([4, 4]);
  expect([coordinator.refusals, ...guests.map(({ participant }) => participant.refusals)].flat()).toEqual([]);
});

test('who chooses during the run takes part from the next round', async () => {
  room = await Room.found(ownPlanDocument({ rounds: 6, people: 3 }));
  const { coordinator } = room;
  const guests = await Promise.all(['alice', 'bob', 'charlie'].map((name) => room!.join(name)));
  const late = await room.join('dora');
  await until(late.participant, () => late.participant.state.phase === 'choosing');
  for (const { participant } of guests) {
    await until(participant, () => participant.state.phase === 'choosing');
    participant.acceptData();
  }
  await until(coordinator, () => coordinator.state.head.completed >= 1);
  expect(Object.keys(late.participant.state.rounds)).toEqual([]);
  late.participant.acceptData();
  await until(coordinator, () => coordinator.state.phase === 'finished');
  const counts = coordinator.records.map(({ sheets }) => sheets.flatMap(({ survivors }) => survivors).length);
  expect(counts[0]).toBe(3);
  expect(counts.at(-1)).toBe(4);
});

test('a call that comes before anything is chosen is answered afterwards, not before', async () => {
  room = await Room.found(ownPlanDocument({ rounds: 1, people: 3 }));
  const { participant } = await room.join('alice');
  await until(participant, () => participant.state.phase === 'choosing' && participant.state.head !== undefined);
  const call = { type: 'call', round: 1, body: { deadlineMs: 1000 } } as const;
  const called = participantMachine(participant.state, { event: 'message', message: call }, 0);
  expect(called.effects).toEqual([]);
  expect(called.state).toMatchObject({ phase: 'choosing', pendingCall: 1, rounds: {} });
  const accepted = participantMachine(called.state, { event: 'data-accepted' }, 0);
  const tasks = accepted.effects.flatMap((effect) => (effect.effect === 'task' ? [effect.task] : []));
  expect(tasks).toEqual(['prepare', 'advert']);
});
