/** A replayed or rolled-back round: refused, across a reload too. */
import { afterEach, describe, expect, test } from 'vitest';
import { identityFrom } from '../../src/crypto/identity.ts';
import { createLocks } from '../../src/platform/locks.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { LyingParticipant } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { PlainTrainer } from '../support/plainTrainer.ts';
import { frameOf, rawEnvelope } from '../support/rawEnvelope.ts';
import { until } from '../support/room.ts';
import { counted, logged, Notebook, Stage } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

test.each([1, 2])('a tab that was reloaded refuses to be called for round %i again', async (round) => {
  stage = await Stage.open(planDocument({ people: 4, rounds: 2 }));
  await stage.joinAll(4);
  await stage.recorded(2);
  const [before] = stage.actors;
  before!.participant.close();
  const { identity, store } = before!;
  const again = await stage.join({ identity, store });
  await until(again.participant, () => again.participant.state.welcome !== undefined);
  // The call comes before the ledger: nothing but the stored guard knows that the round was served.
  stage.coordinator.say('call', round, { deadlineMs: 1000 }, [identity.id]);
  const [refusal] = await stage.refusedLate(round, [again]);
  expect(refusal!.code).toBe('round/replayed');
  expect(refusal!.guardRound).toBeGreaterThanOrEqual(2);
  await until(stage.coordinator, () => counted(stage.coordinator, 'round/replayed') > 0);
  expect(again.participant.journal.saidOf('advert', round)).toEqual([]);
});

test('a coordinator whose storage went back is refused, is told the guard, and jumps past it', async () => {
  stage = await Stage.open(planDocument({ people: 4, rounds: 4 }));
  await stage.joinAll(4);
  await stage.recorded(2);
  stage.coordinator.close();
  const { room, actors } = stage;
  for (const { participant } of actors) {
    await until(participant, () => participant.view().phase === 'coordinator-away');
  }
  const guards = actors.map(({ participant }) => participant.state.guard);
  for (const key of await room.store.keys(`run/${room.deed.federation}/`)) {
    if (!key.endsWith('/deed')) await room.store.delete(key);
  }
  await room.openCoordinator();
  await stage.recorded(1);
  expect(stage.coordinator.records[0]!.body.round).toBeGreaterThan(Math.max(...guards));
  expect(counted(stage.coordinator, 'round/replayed')).toBeGreaterThan(0);
  for (const { participant } of actors) {
    expect(logged(participant, 'has gone back')).toBe(true);
    const shares = participant.journal.saidOf('share').map(({ round }) => round);
    expect(new Set(shares).size).toBe(shares.length);
  }
});

test('two tabs of one identity, called for the same round by a coordinator that runs twice: one of them deals', async () => {
  stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
  const { coordinator, room } = stage;
  const twin = await stage.join();
  const locks = createLocks();
  const { identity, store } = twin;
  const random = new Notebook(77);
  const second = (await LyingParticipant.start({
    invite: coordinator.invite,
    identity,
    store,
    locks,
    random,
    trainer: new PlainTrainer(random, 50),
    clock: systemClock,
    transport: room.network.transport('twin'),
  })) as LyingParticipant;
  // Its coordinator drops the first session, which comes back and has the second one dropped: the call is for either, and
  // neither machine has read the guard that is stored meanwhile.
  await until(second, () => second.state.welcome !== undefined);
  const guard = `guard/${coordinator.state.binding.federation}/${coordinator.invite.key}/${identity.id}`;
  await store.set(guard, 1);
  await stage.joinAll(2);
  const tabs = [second, twin.participant];
  const refusals = () => tabs.flatMap(({ journal }) => journal.saidOf('refuse', 1));
  await until(coordinator, () => refusals().length > 0);
  expect(refusals()[0]!.body.code).toBe('round/replayed');
  expect(tabs.flatMap(({ journal }) => journal.saidOf('share', 1))).toEqual([]);
  second.close();
});

describe('messages said before', () => {
  test('are refused by their number, whatever they say, and the round goes on', async () => {
    stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
    const { coordinator, room } = stage;
    const identity = await identityFrom(room.deed.keyPair);
    await stage.joinAll(2);
    await stage.join();
    const [receiver] = stage.actors;
    await until(receiver!.participant, () => receiver!.participant.journal.heardOf('roster', 1).length === 1);
    const old = await rawEnvelope(identity, coordinator.state.binding, {
      type: 'call',
      round: 1,
      seq: 0,
      body: { deadlineMs: 1 },
    });
    for (const wire of stage.wires().down) await wire.send(frameOf(old));
    await stage.finished();
    for (const { participant } of stage.actors) expect(counted(participant, 'codec/sequence')).toBe(1);
    const { unmasked, expected } = stage.sums(1);
    expect(unmasked).toEqual(expected);
  });

  test('a call for a round that is under way does not end it', async () => {
    stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
    const { coordinator } = stage;
    coordinator.lies = [
      (message, to) =>
        message.type === 'begin' && message.round === 1
          ? [
              [{ type: 'call', round: 1, body: { deadlineMs: 1000 } }, to],
              [message, to],
            ]
          : [[message, to]],
    ];
    await stage.joinAll(3);
    await stage.finished();
    for (const { participant } of stage.actors) expect(counted(participant, 'round/called-twice')).toBe(1);
    expect(coordinator.state.head).toMatchObject({ completed: 1, abandoned: 0 });
  });
});
