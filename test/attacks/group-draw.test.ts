/** A coordinator that chooses who is in whose group, or reveals early: refused by participants, its group alone is lost. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Hash, ParticipantId } from '../../src/core/ids.ts';
import type { CompleteBody } from '../../src/federation/record.ts';
import { claiming, telling } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { counted, logged, Stage } from '../support/stage.ts';
import type { Actor } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

const OTHER = 'ab'.repeat(32) as Hash;
const PEOPLE = 20;

async function open(groupSize: number | null = 10): Promise<Stage> {
  const plan = planDocument({ people: PEOPLE, rounds: 1 });
  const aggregation = groupSize === null ? plan.aggregation : { ...plan.aggregation, groupSize };
  stage = await Stage.open({ ...plan, aggregation });
  return stage;
}

function actor(id: ParticipantId): Actor {
  return stage.actors.find((one) => one.id === id)!;
}

function groupsOfFirstRecord() {
  return (stage.coordinator.records[0]!.body as CompleteBody).groups;
}

test('a member of another group in the roster is refused, and named; the other group is summed', async () => {
  const { coordinator } = await open();
  const struck: ParticipantId[] = [];
  coordinator.lies = [
    (message, to) => {
      if (message.type !== 'roster') return [[message, to]];
      if (struck.length > 0) return [[message, to]];
      struck.push(...to);
      const round = coordinator.state.upcoming!;
      const [stranger, place] = [...round.adverts]
        .filter(([id]) => !to.includes(id))
        .map(([id, { advert }]) => {
          const index = round.cohort!.adverts.findIndex(({ member }) => member.id === id);
          return [advert, index] as const;
        })[0]!;
      const { proof } = coordinator.journal
        .saidOf('cohort', round.number)
        .find(({ body }) => body.index === place)!.body;
      const { adverts, places = [] } = message.body;
      const body = { adverts: [...adverts, stranger], places: [...places, [place, proof] as [number, typeof proof]] };
      return [[{ ...message, body }, to]];
    },
  ];
  await stage.joinAll(PEOPLE);
  await until(coordinator, () => struck.length > 0);
  expect(new Set(await stage.refusals(1, struck.map(actor)))).toEqual(new Set(['group/member']));
  await stage.recorded(1);
  const stranger = struck.map(actor)[0]!.participant.log.find(({ text }) => text.includes('was not drawn'))!;
  expect(stage.actors.some(({ id }) => stranger.text.includes(id))).toBe(true);
  expect(
    groupsOfFirstRecord()
      .map(({ status }) => status)
      .toSorted(),
  ).toEqual(['lost', 'summed']);
  expect(coordinator.records[0]!.body).toMatchObject({ survivors: PEOPLE - struck.length });
  expect(struck.map(actor).flatMap(({ participant }) => participant.journal.saidOf('share', 1))).toEqual([]);
  expect(counted(coordinator, 'round/refused')).toBe(struck.length);
});

describe('nothing is revealed', () => {
  test('to a cohort in which the own advert is not, or was changed', async () => {
    const { coordinator } = await open();
    coordinator.lies = [telling('cohort', (body) => ({ ...body, advertRoot: OTHER }))];
    await stage.joinAll(PEOPLE);
    expect(new Set(await stage.refusals(1))).toEqual(new Set(['cohort/own']));
    expect(stage.actors.flatMap(({ participant }) => participant.journal.saidOf('reveal'))).toEqual([]);
    expect(stage.unmaskings()).toBe(0);
  });

  test('to a cohort below the minimum', async () => {
    const { coordinator } = await open();
    coordinator.lies = [telling('cohort', (body) => ({ ...body, size: 2 }))];
    await stage.joinAll(PEOPLE);
    expect(new Set(await stage.refusals(1))).toEqual(new Set(['cohort/too-small']));
  });

  test('twice: another cohort after the first is dropped and counted, and the round goes on', async () => {
    const { coordinator } = await open();
    coordinator.lies = [
      (message, to) =>
        message.type === 'cohort'
          ? [
              [message, to],
              [{ ...message, body: { ...message.body, advertRoot: OTHER } }, to],
            ]
          : [[message, to]],
    ];
    await stage.joinAll(PEOPLE);
    await stage.recorded(1);
    for (const { participant } of stage.actors) {
      expect(participant.journal.saidOf('reveal', 1)).toHaveLength(1);
      expect(counted(participant, 'round/unexpected-cohort')).toBeGreaterThan(0);
    }
    expect(coordinator.records[0]!.body).toMatchObject({ status: 'complete', survivors: PEOPLE });
  });

  test('in a plan without groups', async () => {
    const { coordinator } = await open(null);
    coordinator.lies = [
      (message, to) =>
        message.type === 'roster'
          ? [
              [
                {
                  type: 'cohort',
                  round: message.round,
                  body: { size: PEOPLE, advertRoot: OTHER, index: 0, proof: [] },
                },
                to,
              ],
              [message, to],
            ]
          : [[message, to]],
    ];
    await stage.joinAll(PEOPLE);
    await stage.recorded(1);
    expect(stage.actors.flatMap(({ participant }) => participant.journal.saidOf('reveal'))).toEqual([]);
    expect(counted(stage.actors[0]!.participant, 'round/unexpected-cohort')).toBeGreaterThan(0);
    expect(coordinator.records[0]!.body).toMatchObject({ status: 'complete' });
  });
});

test('a seed without the own reveal is refused', async () => {
  const { coordinator } = await open();
  coordinator.lies = [telling('draw', (body) => ({ ...body, revealRoot: OTHER }))];
  await stage.joinAll(PEOPLE);
  expect(new Set(await stage.refusals(1))).toEqual(new Set(['group/reveal']));
  expect(stage.actors.flatMap(({ participant }) => participant.journal.saidOf('share', 1))).toEqual([]);
});

test('whoever reveals something else than it committed to is in no group, and counted; the others go on', async () => {
  const { coordinator } = await open();
  let liar: Actor | undefined;
  await stage.joinAll(PEOPLE, (one, i) => {
    if (i !== 0) return;
    liar = one;
    one.participant.lies = [claiming('reveal', () => ({ randomness: new Uint8Array(32) }))];
  });
  await stage.recorded(1);
  expect(counted(coordinator, 'round/reveal')).toBeGreaterThan(0);
  const people = coordinator.records[0]!.sheets.flatMap(({ participants }) => participants.map(([id]) => id));
  expect(people).not.toContain(liar!.id);
  expect(people).toHaveLength(PEOPLE - 1);
});

test('another draw than the others saw shows in the record, and ends the part of whoever saw it', async () => {
  const { coordinator } = await open();
  await stage.joinAll(PEOPLE, ({ participant }, i) => {
    if (i !== 0) return;
    // As somebody knows it who was shown a draw of its own, and a group that follows from it.
    participant.works = (work) =>
      work.task === 'checkRecord'
        ? { ...work, input: { ...work.input, known: { ...work.input.known, revealRoot: OTHER } } }
        : work;
  });
  await stage.finished();
  const fooled = stage.actors.find(({ participant }) => participant.state.phase === 'refused')!;
  expect(fooled.participant.view().problem).toMatchObject({ code: 'ledger/contradiction' });
  expect(logged(fooled.participant, "The record's draw is not what this participant saw")).toBe(true);
  expect(stage.actors.filter(({ participant }) => participant.state.phase === 'refused')).toHaveLength(1);
  expect(coordinator.state.head.completed).toBe(1);
  await until(coordinator, () => coordinator.state.phase === 'finished');
});
