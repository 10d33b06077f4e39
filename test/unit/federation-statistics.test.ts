/** A federation that first adds up statistics: with a dropout, a newcomer, a coordinator that comes back, and verified files. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/plan.ts';
import { parsePlan } from '../../src/core/plan.ts';
import { planLayout } from '../../src/core/planLayout.ts';
import { withStatistics } from '../../src/core/normalisation.ts';
import { statisticsView } from '../../src/core/statistics.ts';
import { sumSpecFor } from '../../src/core/sumSpec.ts';
import type { AggregateSum } from '../../src/core/updateStages.ts';
import { initialModel } from '../../src/update/initialise.ts';
import { localStatistics } from '../../src/update/localStatistics.ts';
import { modelHashOf } from '../../src/update/modelHash.ts';
import { readStatistics, writeStatistics } from '../../src/update/statisticsSum.ts';
import { verifyRun } from '../../tools/verify/verifyRun.ts';
import { filesOf, withText } from '../support/finishedRun.ts';
import { planDocument } from '../support/planDocument.ts';
import { Room, until } from '../support/room.ts';
import type { Guest } from '../support/room.ts';
import { pooled } from '../support/statisticsPlan.ts';

let room: Room | undefined;
afterEach(() => room?.close());

const DOCUMENT = { ...planDocument({ rounds: 2, people: 5 }), statistics: { normalise: true, minimumSupport: 1 } };
const { plan } = parsePlan(new TextEncoder().encode(JSON.stringify(DOCUMENT)));

async function open(document: object = DOCUMENT, people = 5): Promise<readonly Guest[]> {
  room = await Room.found(document);
  for (let i = 0; i < people; i++) await room.join(`participant ${i}`);
  return [...room.guests];
}

/** As if one person had the data of all of them. */
function alone(of: Plan, guests: readonly Guest[]) {
  const sumSpec = sumSpecFor('statistics', of);
  const whole = localStatistics(of, pooled(guests.map(({ trainer }) => trainer.examples!)));
  const sum = writeStatistics(sumSpec, whole) as unknown as AggregateSum;
  return { ...readStatistics({ sum, sumSpec, plan: of, survivors: 1 }), people: guests.length };
}

const kinds = ({ coordinator }: Room) =>
  coordinator.records.map(({ body }) => (body.status === 'complete' ? body.kind : body.status));

describe('a plan with statistics', () => {
  test('takes them first, of whoever stays, and trains from the model that they give', async () => {
    const guests = await open();
    const gone = guests[2]!;
    gone.participant.onChange(() => {
      if (gone.participant.state.rounds[1]?.step === 'training') gone.participant.close();
    });
    const { coordinator } = room!;
    await until(coordinator, () => coordinator.state.phase === 'finished');
    expect(kinds(room!)).toEqual(['statistics', 'train', 'train', 'evaluate']);
    const left = guests.filter((guest) => guest !== gone);
    const expected = alone(plan, left);
    const [first, second] = coordinator.records.map(({ body }) => body);
    expect(first).toMatchObject({ kind: 'statistics', completed: 0, survivors: 4, members: 5, statistics: expected });
    const started = modelHashOf(withStatistics(plan, initialModel(plan), expected));
    expect(second).toMatchObject({ kind: 'train', completed: 1, modelHashBefore: started });

    const { front } = planLayout(plan);
    const model = await coordinator.model();
    expect(model?.slice(0, front)).toEqual(withStatistics(plan, initialModel(plan), expected).slice(0, front));
    for (const { participant } of left) {
      await until(participant, () => participant.state.head?.records === 4);
      expect(participant.state.modelHash).toBe(coordinator.state.head.modelHash);
      expect(participant.view().statistics).toEqual(statisticsView(plan, expected));
    }
    expect(coordinator.view().statistics).toEqual(statisticsView(plan, expected));
    // They are of no model, so the curve has nothing of them.
    expect(coordinator.state.curve.map(({ round }) => round)).toEqual([0, 1, 2]);
    expect(coordinator.refusals).toEqual([]);
  });

  test('is gone on with by who comes later, and by a coordinator that was closed', async () => {
    const guests = await open({ ...DOCUMENT, aggregation: { ...DOCUMENT.aggregation, rounds: 4 } });
    const { coordinator } = room!;
    await until(coordinator, () => coordinator.state.head.statistics !== undefined);
    coordinator.close();
    await room!.openCoordinator();
    const late = await room!.join('late');
    const again = room!.coordinator;
    await until(again, () => again.state.phase === 'finished');
    await until(late.participant, () => late.participant.state.phase === 'finished');
    expect(kinds(room!).filter((kind) => kind === 'statistics')).toHaveLength(1);
    await until(late.participant, () => late.participant.state.modelHash === again.state.head.modelHash);
    expect(late.participant.view().statistics).toEqual(again.view().statistics);
    expect(again.view().statistics).toEqual(statisticsView(plan, alone(plan, guests)));
  });

  test('leaves files that are accepted, and not when a statistic is another', async () => {
    await open(DOCUMENT, 5);
    const { coordinator } = room!;
    await until(coordinator, () => coordinator.state.phase === 'finished');
    const files = await filesOf(room!);
    const pins = { key: undefined, federation: undefined };
    expect((await verifyRun(files, pins)).problems).toEqual([]);
    const changed = withText(files, 'metrics.jsonl', /"mean":0\.\d/, '"mean":0.9');
    const [problem] = (await verifyRun(changed, pins)).problems;
    expect(problem).toMatch(/metrics\.jsonl: line 1: "statistics" is .* by the ledger\.$/);
    const lied = withText(files, 'ledger.jsonl', /"mean":0\.\d/, '"mean":0.9');
    expect((await verifyRun(lied, pins)).problems).not.toEqual([]);
  });
});

test('frozen layers are neither moved nor sent', async () => {
  const frozen = { ...DOCUMENT, training: { ...DOCUMENT.training, frozen: ['dense_1'] }, statistics: undefined };
  await open(frozen);
  const { coordinator } = room!;
  await until(coordinator, () => coordinator.state.phase === 'finished');
  const { plan: own } = parsePlan(room!.deed.planBytes);
  const [before, after] = [initialModel(own), (await coordinator.model())!];
  for (const { role, offset, length } of planLayout(own).blocks) {
    const [old, now] = [before, after].map((values) => values.slice(offset, offset + length));
    if (role === 'frozen') expect(now).toEqual(old);
    else expect(now).not.toEqual(old);
  }
  expect(sumSpecFor('train', own).segments[0]).toMatchObject({ name: 'update', length: 4 * 3 + 3 });
});
