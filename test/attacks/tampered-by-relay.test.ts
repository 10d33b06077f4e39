/** A share, salt, proof or commitment tampered with by who relays it: detected, and named. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Hash, ParticipantId, Signature } from '../../src/core/ids.ts';
import type { Body } from '../../src/federation/messages.ts';
import { during, telling } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { logged, Stage } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

const ZEROS = '00'.repeat(32) as Hash;

/** One bit of one byte. */
function flipped(bytes: Uint8Array, at = 0): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(bytes);
  changed[at]! ^= 1;
  return changed;
}

describe('a relay', () => {
  const first = () => stage.actors[0]!.id;
  const second = () => stage.actors[1]!.id;

  test.each<[string, (dealing: Body<'deliver'>['dealings'][number]) => Body<'deliver'>['dealings'][number]]>([
    ['the root of somebody’s shares', ([id, , commitment, signature]) => [id, ZEROS, commitment, signature]],
    ['the commitment to somebody’s seed', ([id, root, , signature]) => [id, root, ZEROS, signature]],
    ['somebody’s signature', ([id, root, commitment]) => [id, root, commitment, '00'.repeat(64) as Signature]],
  ])('that changes %s is refused by everyone, with the name; nothing is unmasked', async (_name, change) => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    stage.coordinator.lies = [
      during(
        1,
        telling('deliver', ({ dealings, boxes }) => ({
          dealings: dealings.map((dealing) => (dealing[0] === first() ? change(dealing) : dealing)),
          boxes,
        })),
      ),
    ];
    await stage.joinAll(4);
    expect(new Set(await stage.refusals(1))).toEqual(new Set(['share/signature']));
    await stage.finished();
    for (const { participant } of stage.actors) expect(logged(participant, `The shares of ${first()}`)).toBe(true);
    expect(stage.unmaskings(1)).toBe(0);
    expect(stage.coordinator.journal.heardOf('masked', 1)).toEqual([]);
  });

  test('that delivers what was dealt in another round is refused', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 2 }));
    const { coordinator } = stage;
    coordinator.lies = [
      during(
        2,
        telling(
          'deliver',
          (_body, to) => coordinator.journal.saidOf('deliver', 1).find(({ who }) => who[0] === to)!.body,
        ),
      ),
    ];
    await stage.joinAll(4);
    expect(new Set(await stage.refusals(2))).toEqual(new Set(['share/signature']));
    await stage.finished();
  });

  type Boxes = Body<'deliver'>['boxes'];
  const last = (bytes: Uint8Array) => flipped(bytes, bytes.length - 1);
  test.each<[string, (list: Boxes, to: ParticipantId) => Boxes]>([
    [
      'changes the first byte of a box',
      (list) => list.map(([id, box]) => [id, id === first() ? flipped(box) : new Uint8Array(box)]),
    ],
    [
      'changes the last byte of a box',
      (list) => list.map(([id, box]) => [id, id === first() ? last(box) : new Uint8Array(box)]),
    ],
    [
      'cuts a box',
      (list) => list.map(([id, box]) => [id, new Uint8Array(box.subarray(0, id === first() ? 20 : undefined))]),
    ],
    ['empties a box', (list) => list.map(([id, box]) => [id, id === first() ? new Uint8Array() : new Uint8Array(box)])],
    ['keeps a box', (list) => list.filter(([id]) => id !== first())],
    [
      'puts the box of another in its place',
      (list) =>
        list.map(([id, box]) => [
          id,
          new Uint8Array(id === first() ? list.find(([other]) => other !== first())![1] : box),
        ]),
    ],
    [
      'gives back to a dealer its own box',
      (list, to) => {
        const own = stage.coordinator.journal.heardOf('share', 1).find(({ who }) => who[0] === to)!;
        const back = own.body.boxes.find(([holder]) => holder === first())![1];
        return list.map(([id, box]) => [id, new Uint8Array(id === first() ? back : box)]);
      },
    ],
    [
      'delivers the box of another holder',
      (list) => {
        const dealt = stage.coordinator.journal.heardOf('share', 1).find(({ who }) => who[0] === first())!;
        const foreign = dealt.body.boxes.find(([holder]) => holder !== second())![1];
        return list.map(([id, box]) => [id, new Uint8Array(id === first() ? foreign : box)]);
      },
    ],
  ])('that %s is found out by the holder, which names the box; the round goes on', async (_name, change) => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
    const { coordinator } = stage;
    coordinator.lies = [
      during(
        1,
        telling('deliver', (body, to) => (to === second() ? { ...body, boxes: change(body.boxes, to) } : body)),
      ),
    ];
    await stage.joinAll(5);
    await stage.finished();
    const { participant } = stage.actors[1]!;
    expect(participant.journal.saidOf('complain', 1)[0]!.body.dealers).toEqual([first()]);
    expect(logged(participant, first(), 'do not open')).toBe(true);
    expect(coordinator.state.head).toMatchObject({ completed: 1, abandoned: 0 });
    const { unmasked, expected } = stage.sums(1);
    expect(unmasked).toEqual(expected);
  });

  test('that accuses alone excludes nobody: more than n − t holders must', async () => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
    const liar = await stage.join();
    liar.participant.lies = [
      (message) =>
        message.type === 'masked' && message.round === 1
          ? [
              {
                type: 'complain',
                round: 1,
                body: { dealers: stage.actors.flatMap(({ id }) => (id === liar.id ? [] : [id])) },
              },
              message,
            ]
          : [message],
    ];
    await stage.joinAll(4);
    await until(stage.coordinator, () => stage.coordinator.journal.heardOf('complain', 1).length === 1);
    await stage.finished();
    expect(stage.coordinator.state.excluded).toEqual([]);
    const { unmasked, expected } = stage.sums(1);
    expect(unmasked).toEqual(expected);
  });
});
