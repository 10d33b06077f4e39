/** Different sums sent to different people: the confirmation fails, the minority refetches, the model does not fork. */
import { afterEach, describe, expect, test } from 'vitest';
import type { ParticipantId } from '../../src/core/ids.ts';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import { ringBits, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import { packWords, unpackWords } from '../../src/update/pack.ts';
import { during, telling } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { counted, logged, Stage } from '../support/stage.ts';
import type { Actor } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

/** The sum with some of its words changed: `change` is given the words, the update first. */
function otherSum(packed: Uint8Array, people: number, change: (words: Uint32Array) => void): Uint8Array<ArrayBuffer> {
  const spec = trainingSumSpec(stage.plan, parameterLayout(stage.plan.model).length);
  const bits = ringBits(spec, people);
  const words = unpackWords(packed, wordCount(spec), bits);
  change(words);
  return packWords(words, bits);
}

/** Well within every range: only its hash tells. */
const nudge = (words: Uint32Array): void => {
  words[0]! ^= 1;
};

/** In round 1 `chosen` are told another sum; asked in the end, everyone stands at the same model. */
async function run(people: number, chosen: (actor: Actor, i: number) => boolean, change = nudge): Promise<void> {
  stage = await Stage.open(planDocument({ people, rounds: 2 }));
  const isChosen = (id: ParticipantId) => stage.actors.some((actor, i) => actor.id === id && chosen(actor, i));
  stage.coordinator.lies = [
    during(
      1,
      telling('result', (body, to) =>
        isChosen(to) ? { ...body, packedSum: otherSum(body.packedSum, people, change) } : body,
      ),
    ),
  ];
  await stage.joinAll(people);
  await stage.finished();
}

async function nobodyForked(): Promise<void> {
  const { coordinator, actors } = stage;
  for (const { participant } of actors) {
    const { recordHash, modelHash } = coordinator.state.head;
    await until(participant, () => participant.state.head?.recordHash === recordHash);
    await until(participant, () => participant.state.modelHash === modelHash);
    expect(participant.state.head).toEqual(coordinator.state.head);
    expect(participant.view().problem).toBeUndefined();
  }
}

test('one of four is told another sum: it finds itself in the minority and fetches what the others confirmed', async () => {
  await run(4, (_actor, i) => i === 0);
  const [victim] = stage.actors;
  expect(counted(stage.coordinator, 'round/confirmation')).toBe(1);
  expect(stage.coordinator.state.head).toMatchObject({ completed: 2, abandoned: 0 });
  expect(logged(victim!.participant, 'not what this participant saw in round 1')).toBe(true);
  const fetched = victim!.participant.journal.saidOf('fetch').map(({ body }) => body.what);
  expect(fetched).toContain('ledger');
  expect(fetched).toContain('model');
  await nobodyForked();
});

test('half of them are told another sum: neither gathers t confirmations, the round is spent, all go back', async () => {
  await run(4, (_actor, i) => i < 2);
  expect(counted(stage.coordinator, 'round/confirmation')).toBe(2);
  expect(stage.coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent: true });
  expect(stage.coordinator.state.head).toMatchObject({ completed: 2, abandoned: 1 });
  await nobodyForked();
});

describe('a sum that cannot be', () => {
  test.each<[string, (words: Uint32Array) => void, string]>([
    ['with another count', (words) => (words[indexOf('count')]! -= 1), 'sum/count'],
    ['with check words that are not zero', (words) => (words[indexOf('zeros')] = 1), 'sum/zeros'],
    ['with a word above what the survivors can have', (words) => (words[0] = 4 * 4095 + 1), 'sum/range'],
    ['with more weight than the survivors can have', (words) => (words[indexOf('weight')] = 801), 'sum/weight'],
    ['without weight', (words) => (words[indexOf('weight')] = 0), 'sum/weight'],
    ['with more right than there were samples', (words) => (words[indexOf('training/correct') + 1] = 9), 'sum/figures'],
    ['with a cell for a sample that was not there', (words) => (words[indexOf('test/counts')]! += 1), 'sum/figures'],
  ])('%s is applied and confirmed by nobody who is told it', async (_name, change, code) => {
    await run(4, () => true, change);
    expect(new Set(await stage.refusals(1))).toEqual(new Set([code]));
    expect(stage.coordinator.journal.heardOf('confirm', 1)).toEqual([]);
    expect(stage.coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent: true });
    await nobodyForked();
  });

  function indexOf(segment: string): number {
    const spec = trainingSumSpec(stage.plan, parameterLayout(stage.plan.model).length);
    const at = spec.segments.findIndex(({ name }) => name === segment);
    return spec.segments.slice(0, at).reduce((words, { length }) => words + length, 0);
  }
});

test.each<[string, (actor: Actor) => object]>([
  ['for other survivors', () => ({ survivors: 3 })],
  ['of another kind', () => ({ kind: 'evaluate' })],
  ['on another model', () => ({ modelHash: 'ab'.repeat(32) })],
])('a sum %s is not applied', async (_name, change) => {
  stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
  stage.coordinator.lies = [
    during(
      1,
      telling('result', (body) => ({ ...body, ...change(stage.actors[0]!) })),
    ),
  ];
  await stage.joinAll(4);
  expect(new Set(await stage.refusals(1))).toEqual(new Set(['round/result']));
  await stage.finished();
  await nobodyForked();
});
