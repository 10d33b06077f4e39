/** Whole federations with few rotated bits in the smaller ring: sums are exact, and one that would wrap is given up. */
import { afterEach, expect, test } from 'vitest';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import { ringBits, sumBits, trainingSumSpec } from '../../src/core/sumSpec.ts';
import { initialise } from '../../src/update/initialise.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { unpackWords } from '../../src/update/pack.ts';
import { planDocument } from '../support/planDocument.ts';
import { Room, until } from '../support/room.ts';

const PEOPLE = 10;

let room: Room | undefined;
afterEach(() => room?.close());

/** 387 parameters, so blocks of 256. Weights are 50 to 140 of 200, and every parameter drifts by 0.05. */
async function runRound(aggregation: object): Promise<Room> {
  const plan = planDocument({ people: PEOPLE, rounds: 1 });
  const rotated = { ...plan.aggregation, bits: 4, rotation: true, ring: 'half', ...aggregation };
  const model = { ...plan.model, inputs: 20, hidden: [16] };
  const running = await Room.found({ ...plan, model, aggregation: rotated });
  room = running;
  // One after the other, since what a guest is seeded with is its number.
  for (let i = 0; i < PEOPLE; i++) await running.join(`participant ${i}`);
  await until(running.coordinator, () => running.coordinator.records.length > 0);
  return running;
}

test.each([{}, { groupSize: 5 }])(
  'ten people: the sum is exact, and everyone has the same model: %o',
  async (groups) => {
    const { coordinator, guests, summer } = await runRound({ clipRange: 0.15, ...groups });
    const { body } = coordinator.records[0]!;
    if (body.status !== 'complete') throw new Error(`the round was given up: ${body.reason}`);
    const { plan } = coordinator.state;
    const { length } = parameterLayout(plan.model);
    const spec = trainingSumSpec(plan, length);
    expect([ringBits(spec, PEOPLE), sumBits(spec, PEOPLE)]).toEqual([7, 8]);
    // Of ten, chance may leave one or two in a group of their own, which is too small to be summed.
    const vectors = guests.flatMap(({ trainer }) => trainer.vectors.get(1) ?? []);
    expect([body.members, body.members >= 8]).toEqual([vectors.length, true]);
    const sum = vectors[0]!.map((_, i) => vectors.reduce((total, vector) => total + vector[i]!, 0));
    expect(unpackWords(summer.sums.get(1)!, sum.length, sumBits(spec, body.members))).toEqual(sum);

    for (const { participant } of guests) await until(participant, () => participant.state.head?.round === 1);
    const hashes = guests.map(({ participant }) => participant.state.modelHash);
    expect(new Set(hashes)).toEqual(new Set([coordinator.state.head.modelHash]));
  },
);

test('a range so small that the sum may wrap: the round is given up, the model stays', async () => {
  const { coordinator } = await runRound({ clipRange: 0.001 });
  const { body } = coordinator.records[0]!;
  expect(body).toMatchObject({
    status: 'abandoned',
    spent: true,
    reason: expect.stringContaining('in words of 7 bits'),
  });
  const { plan, head } = coordinator.state;
  expect(head.completed).toBe(0);
  expect(head.modelHash).toBe(modelHashOf(initialise(plan.model, plan.seed)));
});
