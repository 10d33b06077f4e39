/** A share, salt or proof tampered with by its holder: detected, the holder named. */
import { afterEach, describe, expect, test } from 'vitest';
import type { ParticipantId } from '../../src/core/ids.ts';
import type { OpenedShare } from '../../src/federation/messages.ts';
import { claiming } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { counted, logged, Stage } from '../support/stage.ts';
import type { Actor } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

/** One bit of one byte. */
function flipped(bytes: Uint8Array, at = 0): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(bytes);
  changed[at]! ^= 1;
  return changed;
}

describe('a holder', () => {
  type Change = (opened: OpenedShare, next: OpenedShare) => OpenedShare;
  const changes: readonly (readonly [string, Change])[] = [
    ['a share', ([dealer, share, salt, proof]) => [dealer, flipped(share, 31), salt, proof]],
    ['a salt', ([dealer, share, salt, proof]) => [dealer, share, flipped(salt, 15), proof]],
    ['a proof', ([dealer, share, salt, [first, ...rest]]) => [dealer, share, salt, [flipped(first!), ...rest]]],
    [
      'the end of a proof',
      ([dealer, share, salt, proof]) => [dealer, share, salt, [...proof.slice(0, -1), flipped(proof.at(-1)!)]],
    ],
    ['the length of a proof', ([dealer, share, salt, proof]) => [dealer, share, salt, proof.slice(0, -1)]],
    ['a proof, with one hash more', ([dealer, share, salt, proof]) => [dealer, share, salt, [...proof, proof[0]!]]],
    ['the dealer of a share', ([dealer], [, share, salt, proof]) => [dealer, share, salt, proof]],
  ];

  /** The first who comes tampers with what it holds of somebody; of seven, the last one drops out while training. */
  async function withHolder(
    list: 'selfShares' | 'keyShares',
    change: Change,
  ): Promise<{ liar: Actor; dealer: ParticipantId }> {
    stage = await Stage.open(planDocument({ people: 7, rounds: 1 }));
    let dealer: ParticipantId | undefined;
    const liar = await stage.join();
    liar.participant.lies = [
      claiming('unmask', (body, round) => {
        if (round !== 1) return body;
        const [first, ...rest] = body[list].filter(([of]) => of !== liar.id);
        dealer = first![0];
        const own = body[list].filter(([of]) => of === liar.id);
        const next = rest[0] ?? body.selfShares.find(([of]) => of !== dealer)!;
        return { ...body, [list]: [...own, change(first!, next), ...rest] };
      }),
    ];
    await stage.joinAll(6);
    const last = stage.room.guests.at(-1)!;
    last.trainer.whileTraining = async () => last.participant.close();
    await stage.recorded(1);
    return { liar, dealer: dealer! };
  }

  describe.each(['selfShares', 'keyShares'] as const)('in its %s', (list) => {
    test.each(changes)(
      'that tampers with %s is named with the dealer and left out; the others unmask',
      async (_name, change) => {
        const { liar, dealer } = await withHolder(list, change);
        const { coordinator, actors, room } = stage;
        expect(
          logged(coordinator, 'A share that its dealer did not give', `holder ${liar.id}`, `dealer ${dealer}`),
        ).toBe(true);
        expect(counted(coordinator, 'round/unmask')).toBe(1);
        expect(coordinator.records[0]!.body).toMatchObject({ status: 'complete' });
        const dropout = room.guests.at(-1)!.identity.id;
        const { unmasked, expected } = stage.sums(
          1,
          actors.filter(({ id }) => id !== dropout),
        );
        expect(unmasked).toEqual(expected);
      },
    );
  });
});
