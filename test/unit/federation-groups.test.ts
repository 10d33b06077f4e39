/** Cohorts cut into groups: the same sum, side by side; a group that fails loses its own sum and nothing else. */
import { afterEach, describe, expect, test } from 'vitest';
import type { ParticipantId } from '../../src/core/ids.ts';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { sumBits, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import { verifyLedger } from '../../src/federation/ledger.ts';
import type { CompleteBody, LedgerRecord } from '../../src/federation/record.ts';
import { initialise } from '../../src/update/initialise.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { unpackWords } from '../../src/update/pack.ts';
import { planDocument } from '../support/planDocument.ts';
import { Room, until } from '../support/room.ts';

let room: Room;
afterEach(() => room.close());

async function found(people: number, groupSize: number, options: Parameters<typeof planDocument>[0] = {}) {
  const plan = planDocument({ people, ...options });
  room = await Room.found({ ...plan, aggregation: { ...plan.aggregation, groupSize } });
  await Promise.all(Array.from({ length: people }, (_, i) => room.join(`participant ${i}`)));
  return room;
}

function complete({ body }: LedgerRecord): CompleteBody {
  if (body.status !== 'complete') throw new Error(body.reason);
  return body;
}

/** The plain sum of what the survivors of round `round` quantised. */
function expectedSum(survivors: ReadonlySet<ParticipantId>, round: number): Uint32Array {
  const { plan } = room.coordinator.state;
  const sum = new Uint32Array(wordCount(trainingSumSpec(plan, parameterLayout(plan.model).length)));
  for (const { identity, trainer } of room.guests) {
    if (!survivors.has(identity.id)) continue;
    trainer.vectors.get(round)?.forEach((word, i) => (sum[i] = (sum[i] ?? 0) + word));
  }
  return sum;
}

function unmaskedSum(round: number, members: number): Uint32Array {
  const { plan } = room.coordinator.state;
  const spec = trainingSumSpec(plan, parameterLayout(plan.model).length);
  return unpackWords(room.summer.sums.get(round)!, wordCount(spec), sumBits(spec, members));
}

async function ledgerHead() {
  const { plan } = parsePlan(room.deed.planBytes);
  const context = { binding: room.coordinator.state.binding, coordinatorKey: room.coordinator.invite.key, plan };
  return verifyLedger(context, modelHashOf(initialise(plan.model, plan.seed)), room.coordinator.records);
}

describe('a cohort in groups', () => {
  test('completes its rounds, its groups drawn anew each time, and the ledger verifies', async () => {
    const { coordinator } = await found(30, 15);
    await until(coordinator, () => coordinator.state.phase === 'finished');
    for (const { participant } of room.guests) await until(participant, () => participant.state.head?.records === 3);
    expect(await ledgerHead()).toEqual(coordinator.state.head);
    const [first, second] = coordinator.records;
    const body = complete(first!);
    expect(body.groups).toHaveLength(2);
    expect(body).toMatchObject({ members: 30, survivors: 30 });
    expect(first!.sheets.flatMap(({ participants }) => participants.map(([id]) => id)).toSorted()).toEqual(
      room.guests.map(({ identity }) => identity.id).toSorted(),
    );
    expect(complete(second!).groups.map(({ rosterRoot }) => rosterRoot)).not.toEqual(
      body.groups.map(({ rosterRoot }) => rosterRoot),
    );
    const models = new Set(room.guests.map(({ participant }) => participant.state.modelHash));
    expect([...models]).toEqual([coordinator.state.head.modelHash]);
    expect(unmaskedSum(1, 30)).toEqual(expectedSum(new Set(first!.sheets.flatMap(({ survivors }) => survivors)), 1));
    expect(room.guests.flatMap(({ participant }) => participant.refusals)).toEqual([]);
    expect(coordinator.refusals).toEqual([]);
  });

  test('loses the sum of a group below its threshold, and only that', async () => {
    const { coordinator } = await found(30, 15, { rounds: 1 });
    await until(
      coordinator,
      () => coordinator.state.upcoming?.step === 'ready' || coordinator.state.current !== undefined,
    );
    const round = coordinator.state.current ?? coordinator.state.upcoming;
    const struck = round!.groups.find(({ step }) => step !== 'lost')!;
    // Delivered, boxes are with their holders alone.
    expect(Object.values(struck.shares).map(({ boxes }) => boxes)).toEqual(struck.u1.map(() => []));
    const members = struck.roster.members.map(({ id }) => id);
    const leaving = members.slice(0, members.length - struck.roster.threshold + 1);
    for (const { identity, participant, trainer } of room.guests) {
      if (!leaving.includes(identity.id)) continue;
      trainer.whileTraining = () => new Promise(() => undefined);
      participant.close();
    }
    await until(coordinator, () => coordinator.state.phase === 'finished');
    const [first] = coordinator.records;
    const body = complete(first!);
    const lost = body.groups.filter(({ status }) => status === 'lost');
    expect(lost).toMatchObject([{ group: struck.index, spent: false }]);
    expect(body.survivors).toBe(30 - members.length);
    const survivors = new Set(first!.sheets.flatMap((sheet) => sheet.survivors));
    expect(members.some((id) => survivors.has(id))).toBe(false);
    expect(unmaskedSum(1, body.members)).toEqual(expectedSum(survivors, 1));
    // Who was in the lost group and stayed follows the others' sum to the same model.
    const stayed = room.guests.filter(({ identity }) => !leaving.includes(identity.id));
    for (const { participant } of stayed) {
      await until(participant, () => participant.state.head?.recordHash === coordinator.state.head.recordHash);
      expect(participant.state.modelHash).toBe(coordinator.state.head.modelHash);
    }
    expect(await ledgerHead()).toEqual(coordinator.state.head);
  });

  test('lets a late joiner verify the sheets of all groups', async () => {
    const { coordinator } = await found(16, 8, { rounds: 4 });
    await until(coordinator, () => coordinator.state.head.completed >= 1);
    const late = await room.join('late');
    await until(coordinator, () => coordinator.state.phase === 'finished');
    await until(late.participant, () => late.participant.state.head?.recordHash === coordinator.state.head.recordHash);
    expect(late.participant.state.modelHash).toBe(coordinator.state.head.modelHash);
    expect(
      coordinator.records.some(({ sheets }) => sheets.some(({ survivors }) => survivors.includes(late.identity.id))),
    ).toBe(true);
  });
});
