/** Different models sent to different people: no tuple gathers t signatures; if forced, the check words fail. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Hash } from '../../src/core/ids.ts';
import { telling } from '../support/liars.ts';
import { ManualClock } from '../support/manualClock.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { counted, Stage } from '../support/stage.ts';
import type { Actor } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

const OTHER = 'ab'.repeat(32) as Hash;

/** A participant that was made to believe in another model: its masks are bound to it, and so is what it signs. */
function believeInAnother({ participant }: Actor): void {
  participant.works = (work) => {
    if (work.round !== 1) return work;
    if (work.task === 'mask') return { ...work, input: { ...work.input, modelHash: OTHER } };
    return work.task === 'agree' ? { ...work, input: { ...work.input, modelHash: OTHER } } : work;
  };
}

test('who is told to begin with another model than the ledger ends in trains nothing; the others go on', async () => {
  const clock = new ManualClock();
  stage = await Stage.open(planDocument({ people: 4, rounds: 1 }), clock);
  const { coordinator } = stage;
  coordinator.lies = [
    telling('begin', (body, to) => (to === stage.actors[0]!.id ? { ...body, modelHash: OTHER } : body)),
  ];
  await stage.joinAll(4);
  await until(coordinator, () => coordinator.journal.heardOf('masked', 1).length === 3);
  await until(coordinator, () => coordinator.view().round?.masked === 3);
  clock.advance(20_000);
  await stage.recorded(1);
  expect(stage.actors[0]!.participant.journal.saidOf('masked')).toEqual([]);
  expect(stage.actors[0]!.trainer.vectors.size).toBe(0);
  const { unmasked, expected } = stage.sums(1, stage.actors.slice(1));
  expect(unmasked).toEqual(expected);
  for (const { participant } of stage.actors) {
    await until(participant, () => participant.state.modelHash === coordinator.state.head.modelHash);
  }
});

test('if everyone is told another model, nothing is trained and nothing unmasked', async () => {
  const clock = new ManualClock();
  stage = await Stage.open(planDocument({ people: 4, rounds: 1 }), clock);
  const { coordinator } = stage;
  coordinator.lies = [telling('begin', (body) => ({ ...body, modelHash: OTHER }))];
  await stage.joinAll(4);
  await until(coordinator, () => coordinator.journal.saidOf('begin', 1).length === 4);
  for (const { participant } of stage.actors) {
    await until(participant, () => participant.journal.heardOf('begin', 1).length === 1);
  }
  clock.advance(20_000);
  await stage.recorded(1);
  expect(coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent: false });
  expect(stage.actors.flatMap(({ participant }) => participant.journal.saidOf('masked'))).toEqual([]);
  expect(stage.unmaskings()).toBe(0);
});

test('a model whose bytes are not those of its hash is not loaded, and its receiver takes part in nothing', async () => {
  stage = await Stage.open(planDocument({ people: 3, rounds: 2 }));
  const { coordinator } = stage;
  await stage.joinAll(3);
  await until(coordinator, () => coordinator.state.head.completed === 1);
  coordinator.lies = [
    telling('item', (body) => {
      if (body.what !== 'model' || body.content === undefined) return body;
      const content = new Uint8Array(body.content);
      content[5]! ^= 1;
      return { ...body, content };
    }),
  ];
  const late = await stage.join();
  await until(late.participant, () => late.participant.view().phase === 'failed');
  expect(late.participant.view().problem?.code).toBe('model/hash');
  expect(late.participant.journal.saidOf('masked')).toEqual([]);
  await stage.finished();
});

describe.each(['active', 'honest-but-curious'] as const)('forced on one participant, %s', (mode) => {
  test('the check words fail: the round is spent and given up, the model stands, the next one completes', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1, mode }));
    const { coordinator } = stage;
    const before = coordinator.state.head.modelHash;
    await stage.joinAll(4, (actor, i) => {
      if (i === 0) believeInAnother(actor);
    });
    await stage.recorded(1);
    const { body } = coordinator.records[0]!;
    expect(body).toMatchObject({ status: 'abandoned', spent: true, modelHashBefore: before });
    expect(body.status === 'abandoned' && body.reason.startsWith('The sum')).toBe(true);
    expect(stage.room.summer.sums.has(1)).toBe(false);
    if (mode === 'active') expect(counted(coordinator, 'round/agreement')).toBe(1);
    await stage.finished();
    expect(coordinator.state.head).toMatchObject({ completed: 1, abandoned: 1 });
  });
});

test('forced on half of them, no tuple gathers t signatures, and nothing is unmasked', async () => {
  stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
  const { coordinator } = stage;
  await stage.joinAll(4, (actor, i) => {
    if (i < 2) believeInAnother(actor);
  });
  await stage.recorded(1);
  expect(coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent: false });
  expect(counted(coordinator, 'round/agreement')).toBe(2);
  expect(stage.unmaskings(1)).toBe(0);
  await stage.finished();
});
