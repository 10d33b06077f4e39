/** What goes wrong in ordinary life: late joiners, reloads, a closed coordinator, a dead worker, a silent tab, a full disk. */
import { afterEach, expect, test } from 'vitest';
import { deferred } from '../../src/core/async.ts';
import { HushError } from '../../src/core/errors.ts';
import { planDocument } from '../support/planDocument.ts';
import { Room, until } from '../support/room.ts';
import type { Guest } from '../support/room.ts';

let room: Room;
afterEach(() => room.close());

async function start(people: number, options: Parameters<typeof planDocument>[0] = {}): Promise<readonly Guest[]> {
  room = await Room.found(planDocument({ people, rounds: 5, ...options }));
  return Promise.all(Array.from({ length: people }, (_, i) => room.join(`participant ${i}`)));
}

function completed(rounds: number): Promise<void> {
  return until(room.coordinator, () => room.coordinator.state.head.completed >= rounds);
}

/** Holds everyone's training from round `from` on, so that a test can act in the middle. */
function holdTraining(guests: readonly Guest[]): () => void {
  const gate = deferred<void>();
  for (const { trainer } of guests) trainer.whileTraining = () => gate.promise;
  return () => gate.resolve();
}

function rostersWith(guest: Guest): readonly number[] {
  return room.coordinator.records
    .filter(({ sheets }) => sheets.some(({ participants }) => participants.some(([id]) => id === guest.identity.id)))
    .map(({ body }) => body.round);
}

test('a late joiner verifies ledger and model, and takes part from a coming round', async () => {
  const guests = await start(4);
  await completed(1);
  const late = await room.join('late');
  await until(room.coordinator, () => room.coordinator.state.phase === 'finished');
  await until(
    late.participant,
    () => late.participant.state.head?.recordHash === room.coordinator.state.head.recordHash,
  );
  expect(rostersWith(late).length).toBeGreaterThan(0);
  const hashes = new Set([...guests, late].map(({ participant }) => participant.state.modelHash));
  expect([...hashes]).toEqual([room.coordinator.state.head.modelHash]);
});

test('a reloaded tab takes up its identity, counts as dropped, and enters again', async () => {
  const guests = await start(5);
  await completed(1);
  const [reloaded] = guests;
  reloaded!.participant.close();
  const again = await room.join('again', { identity: reloaded!.identity, store: reloaded!.store });
  await until(room.coordinator, () => room.coordinator.state.phase === 'finished');
  const rounds = rostersWith(again);
  expect(rounds.at(-1)).toBe(room.coordinator.state.head.round);
  expect(room.coordinator.state.head.abandoned).toBe(0);
  expect(again.participant.state.guard).toBe(rounds.at(-1));
});

test('an old round is refused across a reload, and the coordinator jumps past the guard', async () => {
  const guests = await start(3);
  await completed(1);
  const release = holdTraining(guests);
  // The coordinator's storage is rolled back to before any round, as from a stale backup.
  room.coordinator.close();
  for (const key of await room.store.keys(`run/${room.deed.federation}/`)) {
    if (!key.endsWith('/deed')) await room.store.delete(key);
  }
  release();
  await room.openCoordinator();
  await completed(1);
  const [first] = room.coordinator.records;
  expect(first!.body.round).toBeGreaterThan(1);
  expect(room.coordinator.refusals.map(({ reason }) => reason)).toContain('round/replayed');
});

test('the coordinator closes: everyone says so and keeps the model; opened again, the run goes on', async () => {
  const guests = await start(4);
  await completed(2);
  const before = room.coordinator.state.head;
  room.coordinator.close();
  for (const { participant } of guests) {
    await until(participant, () => participant.state.phase === 'coordinator-away');
    expect(participant.view().problem?.message).toBe('The coordinator cannot be reached.');
    expect(participant.model()?.hash).toBeDefined();
  }
  await room.openCoordinator();
  await until(room.coordinator, () => room.coordinator.state.phase === 'finished');
  expect(room.coordinator.state.head.completed).toBe(5);
  expect(room.coordinator.state.head.records).toBeGreaterThan(before.records);
  for (const { participant } of guests) {
    await until(participant, () => participant.state.modelHash === room.coordinator.state.head.modelHash);
    expect(participant.state.problem).toBeUndefined();
  }
});

test('a worker that dies costs its participant the round, and nobody else', async () => {
  const guests = await start(4);
  const [struck] = guests;
  let lives = 1;
  struck!.trainer.whileTraining = async () => {
    if (lives-- <= 0) return;
    const error = new HushError('worker/crashed', 'The training worker stopped.');
    struck!.trainer.fail(error);
    throw error;
  };
  await until(room.coordinator, () => room.coordinator.state.phase === 'finished');
  expect(room.coordinator.state.head).toMatchObject({ completed: 5, abandoned: 0 });
  await until(struck!.participant, () => struck!.participant.state.modelHash === room.coordinator.state.head.modelHash);
  expect(room.coordinator.records.at(-1)!.sheets[0]!.survivors).toContain(struck!.identity.id);
});

test.each(['engine/lost', 'engine/out-of-memory', 'engine/not-finite'] as const)(
  '%s costs its participant the round: it says that it leaves it, and goes on with the weights that all have',
  async (code) => {
    const guests = await start(4);
    const [struck] = guests;
    let lives = 1;
    struck!.trainer.whileTraining = () =>
      lives-- > 0 ? Promise.reject(new HushError(code, 'It is gone.')) : Promise.resolve();
    await until(room.coordinator, () => room.coordinator.state.phase === 'finished');
    expect(room.coordinator.state.head).toMatchObject({ completed: 5, abandoned: 0 });
    // At once, without a deadline.
    expect(room.coordinator.metrics.filter(({ dropouts }) => dropouts > 0)).toHaveLength(1);
    expect(struck!.participant.log.map(({ text }) => text).join(' ')).toContain('It is gone.');
    await until(
      struck!.participant,
      () => struck!.participant.state.modelHash === room.coordinator.state.head.modelHash,
    );
    expect(room.coordinator.records.at(-1)!.sheets[0]!.survivors).toContain(struck!.identity.id);
  },
);

test('an engine is chosen, and warm, while people are still awaited', async () => {
  room = await Room.found(planDocument({ people: 3 }));
  const first = await room.join('first');
  await until(first.participant, () => first.participant.state.phase === 'waiting');
  expect(first.participant.state.choice?.engine).toBe('cpu');
  expect(first.participant.state.rounds).toEqual({});
  expect(room.coordinator.state.phase).toBe('waiting');
});

test('the engines are measured again when somebody wants it, in the middle of a round too', async () => {
  const guests = await start(3, { rounds: 3 });
  const [curious] = guests;
  const release = holdTraining(guests);
  await until(room.coordinator, () => room.coordinator.state.current?.step === 'running');
  const wishes: unknown[] = [];
  const chosen = await curious!.trainer.chooseEngine();
  curious!.trainer.chooseEngine = (wish) => {
    wishes.push(wish);
    return Promise.resolve({ ...chosen, samplesPerSecond: 2 });
  };
  curious!.participant.wish('measure');
  await until(curious!.participant, () => curious!.participant.state.choice?.samplesPerSecond === 2);
  expect(wishes).toEqual([{ anew: true }]);
  release();
  await until(room.coordinator, () => room.coordinator.state.phase === 'finished');
  expect(room.coordinator.state.head.abandoned).toBe(0);
});

test('a measurement without an outcome is mended as a worker that died', async () => {
  room = await Room.found(planDocument({ people: 3 }));
  const { participant, trainer } = await room.join('first');
  await until(participant, () => participant.state.phase === 'waiting');
  const choose = trainer.chooseEngine.bind(trainer);
  trainer.chooseEngine = () => Promise.reject(new HushError('engine/unavailable', 'Nothing works.'));
  participant.wish('measure');
  await until(participant, () => participant.state.trainer === 'resting');
  trainer.chooseEngine = choose;
  await until(participant, () => participant.state.trainer === 'ready');
  expect(participant.state.choice?.engine).toBe('cpu');
});

test('a silent tab costs a bounded wait', async () => {
  const guests = await start(4, { deadlineMs: 700, rounds: 2 });
  guests[3]!.trainer.whileTraining = () => new Promise(() => undefined);
  await completed(1);
  const [first] = room.coordinator.records;
  expect(first!.body).toMatchObject({ status: 'complete' });
  expect(first!.body).toMatchObject({ survivors: 3 });
  expect(room.coordinator.metrics[0]!.dropouts).toBe(1);
});

test('below the threshold the round is given up, is in the ledger, and the next one completes', async () => {
  const guests = await start(4, { deadlineMs: 2000 });
  const release = holdTraining(guests);
  await until(room.coordinator, () => room.coordinator.state.current?.step === 'running');
  guests[0]!.participant.close();
  guests[1]!.participant.close();
  await until(room.coordinator, () => room.coordinator.state.head.abandoned === 1);
  expect(room.coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent: false });
  release();
  await room.join('third');
  await completed(1);
  expect(room.coordinator.state.head.completed).toBeGreaterThan(0);
});

test('a full disk stops the coordinator with a reason, and sends nothing that is not stored', async () => {
  room = await Room.found(planDocument({ people: 3 }));
  room.store.failing = true;
  for (let i = 0; i < 3; i++) await room.join(`participant ${i}`);
  await until(room.coordinator, () => room.coordinator.state.phase === 'failed');
  expect(room.coordinator.view().problem).toMatchObject({ code: 'store/full' });
  for (const { participant } of room.guests) expect(participant.state.rounds).toEqual({});
});

test('finishing completes the rounds that were begun, then leaves', async () => {
  const guests = await start(5);
  await completed(1);
  guests[0]!.participant.wish('finish');
  await until(guests[0]!.participant, () => guests[0]!.participant.state.phase === 'left');
  await until(room.coordinator, () => room.coordinator.state.phase === 'finished');
  expect(room.coordinator.state.head.abandoned).toBe(0);
  const dropouts = room.coordinator.metrics.reduce((sum, entry) => sum + entry.dropouts, 0);
  expect(dropouts).toBe(0);
});

test('another key, another plan, no secret: refused with a sentence', async () => {
  room = await Room.found(planDocument({ people: 3 }));
  const otherKey = await room.join('other key', {
    invite: { key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a' as never },
  });
  await until(otherKey.participant, () => otherKey.participant.state.phase === 'refused');
  expect(otherKey.participant.view().problem?.message).toContain('does not have the key that the link names');
  const otherPlan = await room.join('other plan', { invite: { planHash: 'ab'.repeat(32) as never } });
  await until(otherPlan.participant, () => otherPlan.participant.state.phase === 'refused');
  expect(otherPlan.participant.view().problem?.message).toContain('another plan');
  const noSecret = await room.join('no secret', { invite: { secret: new Uint8Array(16) } });
  await until(noSecret.participant, () => noSecret.participant.state.phase === 'refused');
  expect(noSecret.participant.view().problem?.message).toContain('does not have the link');
});
