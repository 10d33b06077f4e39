/** Declared a dropout first, masked input delivered after: the self mask still hides it, and it is discarded. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Message } from '../../src/federation/messages.ts';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import { ringBits, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import type { FieldVector } from '../../src/core/updateStages.ts';
import { agree } from '../../src/crypto/agreement.ts';
import { maskSalt, pairSeed, pairSign } from '../../src/crypto/seeds.ts';
import { combineShares } from '../../src/crypto/shamir.ts';
import { indexIn } from '../../src/federation/roster.ts';
import { mask } from '../../src/update/mask.ts';
import { unpackWords } from '../../src/update/pack.ts';
import { rosterOf } from '../support/insider.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { counted, Stage } from '../support/stage.ts';
import type { Actor } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

/** The coordinator has the update of the first one, says that it dropped out, and shows it to its own machine at `moment`. */
async function run(moment: 'agree' | 'unmask' | 'confirm' | undefined): Promise<{ victim: Actor; late: Message }> {
  stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
  const { coordinator } = stage;
  let late: Message | undefined;
  coordinator.hears = (message, from) => {
    if (message.round !== 1) return message;
    if (message.type === 'masked' && from === stage.actors[0]!.id) {
      late = message;
      return { type: 'refuse', round: 1, body: { code: 'round/overdue', reason: 'gone', guardRound: 0 } };
    }
    if (message.type === moment && late !== undefined) coordinator.pretend(late, stage.actors[0]!.id);
    return message;
  };
  await stage.joinAll(5);
  await stage.recorded(1);
  return { victim: stage.actors[0]!, late: late! };
}

test.each(['agree', 'unmask', 'confirm'] as const)(
  'delivered with an answer to %s it is discarded unread',
  async (moment) => {
    await run(moment);
    expect(counted(stage.coordinator, 'round/unexpected-masked')).toBe(4);
    expect(stage.coordinator.records[0]!.body.status).toBe('complete');
    const { unmasked, expected } = stage.sums(1, stage.actors.slice(1));
    expect(unmasked).toEqual(expected);
  },
);

test('delivered after the record it is discarded unread', async () => {
  const { victim, late } = await run(undefined);
  const { head } = stage.coordinator.state;
  stage.coordinator.pretend(late, victim.id);
  expect(counted(stage.coordinator, 'round/unexpected-masked')).toBe(1);
  expect(stage.coordinator.state.head).toEqual(head);
});

describe('what the coordinator can do with it', () => {
  test('with every share that was sent: the pair masks come off, the self mask stays', async () => {
    const { victim, late } = await run(undefined);
    if (late.type !== 'masked') throw new Error('no masked update');
    const observer = stage.actors[1]!;
    await until(observer.participant, () => observer.participant.journal.saidOf('unmask', 1).length === 1);
    const { coordinator } = stage;
    const roster = rosterOf(observer, 1);
    const tuple = observer.participant.state.rounds[1]!.tuple!;
    const answers = coordinator.journal.heardOf('unmask', 1);
    // Of its seed nobody sent a share, so that no number of answers gives it.
    expect(answers.flatMap(({ body }) => body.selfShares).filter(([dealer]) => dealer === victim.id)).toEqual([]);
    const shares = answers.map(({ who, body }) => ({
      index: indexIn(roster, who[0]!),
      share: new Uint8Array(body.keyShares.find(([dealer]) => dealer === victim.id)![1]),
    }));
    const key = combineShares(shares);
    const salt = maskSalt({ planHash: coordinator.state.binding.planHash, ...tuple });
    const pairs = await Promise.all(
      roster.members
        .filter(({ id }) => id !== victim.id)
        .map(async ({ id, maskKey }) => {
          const shared = await agree(key, maskKey);
          const sign = pairSign(victim.id, id);
          return {
            seed: pairSeed({ shared, salt, a: victim.id, b: id, round: 1 }),
            sign: sign === 1 ? -1 : 1,
          } as const;
        }),
    );
    const spec = trainingSumSpec(stage.plan, parameterLayout(stage.plan.model).length);
    const bits = ringBits(spec, roster.members.length);
    const strip = (words: Uint32Array, seeds: Parameters<typeof mask>[2]) =>
      unpackWords(mask(words as FieldVector, bits, seeds), words.length, bits);
    const stripped = strip(unpackWords(late.body.packed, wordCount(spec), bits), pairs);
    const vector = new Uint32Array(victim.trainer.vectors.get(1)!);
    const [self] = victim.trainer.seeds.get(1)!;
    // All but the self mask is off, which shows that the attack is the right one, and what is left of it tells nothing.
    expect(stripped).toEqual(strip(vector, [self!]));
    expect(strip(stripped, [{ ...self!, sign: -1 }])).toEqual(vector);
    const same = stripped.filter((word, i) => word === vector[i]).length;
    expect(same).toBeLessThan(vector.length / 10);
  });

  test('asked for its seed as well, everyone refuses', async () => {
    const { victim } = await run(undefined);
    const { coordinator } = stage;
    const list = coordinator.journal.saidOf('survivors', 1)[0]!.body.survivors;
    const others = stage.actors.slice(1);
    const root = coordinator.journal.heardOf('masked', 1).find(({ who }) => who[0] === victim.id)!.body.piecesRoot;
    const survivors = [[victim.id, root] as [typeof victim.id, typeof root], ...list];
    coordinator.say(
      'survivors',
      1,
      { survivors },
      others.map(({ id }) => id),
    );
    for (const { participant } of others) {
      await until(participant, () => counted(participant, 'round/unexpected-survivors') === 1);
    }
    expect(stage.unmaskings(1)).toBe(4);
  });
});
