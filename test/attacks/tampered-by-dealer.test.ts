/** A share, salt, proof or commitment tampered with by its dealer: detected, the dealer named. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Hash, ParticipantId, Signature } from '../../src/core/ids.ts';
import type { HeldShares } from '../../src/federation/dealing.ts';
import type { Body } from '../../src/federation/messages.ts';
import { dealAgain } from '../support/insider.ts';
import type { DealChange } from '../support/insider.ts';
import { claiming } from '../support/liars.ts';
import type { Line } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { counted, logged, Stage } from '../support/stage.ts';
import type { Actor } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

const ZEROS = '00'.repeat(32) as Hash;

/** One bit of one byte. */
function flipped(bytes: Uint8Array, at = 0): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(bytes);
  changed[at]! ^= 1;
  return changed;
}

async function others(liar: Actor): Promise<void> {
  const { unmasked, expected } = stage.sums(
    1,
    stage.actors.filter((actor) => actor !== liar),
  );
  expect(unmasked).toEqual(expected);
}

/** In no roster that was made once it was found out. */
function expectLeftOut({ identity }: Actor): void {
  const { said } = stage.coordinator.journal;
  const found = said.findIndex(({ type, round }) => type === 'abandon' && round === 1);
  const rosters = said.slice(found).filter((line): line is Line<'roster'> & Line => line.type === 'roster');
  expect(found).toBeGreaterThan(0);
  expect(rosters.flatMap(({ body }) => body.adverts).map(({ publicKey }) => publicKey)).not.toContain(
    identity.publicKey,
  );
}

describe('a dealer', () => {
  /** The first who comes deals falsely in round 1. */
  async function withDealer(people: number, change: DealChange, leaves = false): Promise<Actor> {
    stage = await Stage.open(planDocument({ people, rounds: 1 }));
    const liar = await stage.join();
    const { binding } = stage.coordinator.state;
    liar.participant.lies = [
      claiming('share', (body, round) => {
        if (round !== 1) return body;
        void dealAgain(liar, binding, 1, body, change).then((share) => liar.participant.say('share', 1, share));
        return undefined;
      }),
    ];
    if (leaves) liar.trainer.whileTraining = async () => liar.participant.close();
    await stage.joinAll(people - 1);
    return liar;
  }

  type Box = (shares: HeldShares) => HeldShares | Uint8Array<ArrayBuffer>;
  const boxes: readonly (readonly [string, Box])[] = [
    ['a share of the key', (shares) => ({ ...shares, key: flipped(shares.key) })],
    ['a share of the seed', (shares) => ({ ...shares, seed: flipped(shares.seed) })],
    ['the salt of a share of the key', (shares) => ({ ...shares, keySalt: flipped(shares.keySalt) })],
    ['the salt of a share of the seed', (shares) => ({ ...shares, seedSalt: flipped(shares.seedSalt) })],
    ['the proof', (shares) => ({ ...shares, path: shares.path.map((hash) => flipped(hash)) })],
    ['the proof, cut short,', (shares) => ({ ...shares, path: shares.path.slice(1) })],
    ['the proof, made longer,', (shares) => ({ ...shares, path: [...shares.path, ...shares.path] })],
    ['the order of the two shares', ({ key, seed, ...rest }) => ({ ...rest, key: seed, seed: key })],
    ['the whole box', () => new Uint8Array(100)],
  ];

  test.each(boxes)('that changes %s for everyone is complained of, named and left out', async (_name, box) => {
    const liar = await withDealer(5, { box });
    await stage.finished();
    const { coordinator, actors } = stage;
    expect(coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent: false });
    expect(stage.unmaskings(1)).toBe(0);
    expect(logged(coordinator, liar.id, 'do not open')).toBe(true);
    expect(coordinator.state.excluded).toEqual([liar.id]);
    for (const { participant, id } of actors) {
      if (id !== liar.id) expect(logged(participant, liar.id, 'do not open')).toBe(true);
    }
    expectLeftOut(liar);
    expect(coordinator.state.head.completed).toBe(1);
  });

  test.each(boxes)('that changes %s for one holder is complained of by it; the round goes on', async (_name, box) => {
    let victim: ParticipantId | undefined;
    const liar = await withDealer(7, {
      box: (shares, holder) => ((victim ??= holder) === holder ? box(shares) : undefined),
    });
    await stage.finished();
    const holder = stage.actors.find(({ id }) => id === victim)!;
    expect(holder.participant.journal.saidOf('complain', 1)[0]!.body.dealers).toEqual([liar.id]);
    expect(logged(holder.participant, liar.id, 'do not open')).toBe(true);
    expect(stage.coordinator.state.head).toMatchObject({ completed: 1, abandoned: 0 });
    const { unmasked, expected } = stage.sums(1);
    expect(unmasked).toEqual(expected);
  });

  test('that shows another root than that of its shares is complained of, named and left out', async () => {
    const liar = await withDealer(5, { shareRoot: ZEROS });
    await stage.finished();
    expect(stage.coordinator.state.excluded).toEqual([liar.id]);
    expect(stage.unmaskings(1)).toBe(0);
  });

  test('that commits to another seed than it shared is named when its seed is put together', async () => {
    const liar = await withDealer(5, { seedCommitment: ZEROS });
    await stage.finished();
    const { coordinator } = stage;
    expect(coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent: true });
    expect(logged(coordinator, liar.id, 'dealt false shares')).toBe(true);
    expect(coordinator.state.excluded).toEqual([liar.id]);
    expect(stage.room.summer.sums.has(1)).toBe(false);
    expectLeftOut(liar);
    expect(coordinator.state.head.completed).toBe(1);
  });

  test('that shares another mask key than it advertised is named when it drops out', async () => {
    const liar = await withDealer(5, { maskSecret: new Uint8Array(32).fill(7) }, true);
    await stage.finished();
    const { coordinator } = stage;
    expect(coordinator.records[0]!.body).toMatchObject({ status: 'abandoned', spent: true });
    expect(logged(coordinator, liar.id, 'dealt false shares')).toBe(true);
    expect(coordinator.state.excluded).toEqual([liar.id]);
    expect(stage.room.summer.sums.has(1)).toBe(false);
    expect(coordinator.state.head.completed).toBe(1);
  });

  test('that does not sign what it deals is left out of the round, counted and named', async () => {
    const liar = await withDealer(5, { signature: '00'.repeat(64) as Signature });
    await stage.recorded(1);
    expect(counted(stage.coordinator, 'round/share')).toBe(1);
    expect(logged(stage.coordinator, liar.id, 'round/share')).toBe(true);
    await others(liar);
  });

  test.each<[string, (boxes: Body<'share'>['boxes']) => Body<'share'>['boxes']]>([
    ['a box for somebody missing', (list) => list.slice(1)],
    ['two boxes for one holder', (list) => [list[0]!, ...list]],
    ['a box for a stranger', (list) => [['ff'.repeat(16) as ParticipantId, list[0]![1]], ...list.slice(1)]],
  ])('that sends %s is left out of the round, counted and named', async (_name, change) => {
    stage = await Stage.open(planDocument({ people: 5, rounds: 1 }));
    const liar = await stage.join();
    liar.participant.lies = [
      claiming('share', (body, round) => (round === 1 ? { ...body, boxes: change(body.boxes) } : body)),
    ];
    await stage.joinAll(4);
    await stage.recorded(1);
    expect(counted(stage.coordinator, 'round/share')).toBe(1);
    expect(logged(stage.coordinator, liar.id, 'round/share')).toBe(true);
    await others(liar);
  });
});
