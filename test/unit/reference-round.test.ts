/** Whole federations against the slow reference: the same roots, the same masked vectors, the same shares, the same sum. */
import { afterEach, expect, test } from 'vitest';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import { parameterLayout } from '../../src/core/modelSpec.ts';
import { ringBits, trainingSumSpec, wordCount } from '../../src/core/sumSpec.ts';
import { seedCommitmentOf } from '../../src/federation/dealing.ts';
import { slowInterpolate, slowMasked, slowSetRoot, slowUnmask } from '../reference/slowRound.ts';
import type { SlowMember, SlowShare } from '../reference/slowRound.ts';
import { slowUnpack } from '../reference/slowPack.ts';
import { secretOf } from '../support/insider.ts';
import { planDocument } from '../support/planDocument.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;
afterEach(() => stage?.close());

interface Case {
  readonly n: number;
  readonly bits: number;
  readonly mode?: 'active' | 'honest-but-curious';
  /** By the order in which they came. */
  readonly dropouts: readonly number[];
}

const CASES: readonly Case[] = [
  { n: 3, bits: 12, dropouts: [] },
  { n: 3, bits: 2, dropouts: [] },
  { n: 4, bits: 24, dropouts: [1] },
  { n: 5, bits: 9, dropouts: [4] },
  { n: 5, bits: 16, mode: 'honest-but-curious', dropouts: [0, 3] },
  { n: 7, bits: 13, dropouts: [2, 5] },
  { n: 9, bits: 4, dropouts: [0, 8] },
];

test.each(CASES)('of $n with $bits bits, where $dropouts drop out', async ({ n, bits, dropouts, mode = 'active' }) => {
  const plan = planDocument({ people: n, rounds: 1, mode });
  stage = await Stage.open({ ...plan, aggregation: { ...plan.aggregation, bits } });
  await stage.joinAll(n, (actor, i) => {
    if (dropouts.includes(i)) actor.trainer.whileTraining = async () => actor.participant.close();
  });
  await stage.recorded(1);
  const { coordinator, actors } = stage;
  const { journal } = coordinator;
  const gone = new Set(dropouts.map((i) => stage.room.guests[i]!.identity.id));
  const survivors = actors.filter(({ id }) => !gone.has(id));
  const tuple = survivors[0]!.participant.state.rounds[1]!.tuple!;
  const binding = { ...tuple, planHash: stage.room.deed.planHash, round: 1 };

  const { adverts } = journal.saidOf('roster', 1)[0]!.body;
  const advertOf = (key: string) => adverts.find(({ publicKey }) => publicKey === key)!;
  const shareOf = (id: string) => journal.heardOf('share', 1).find(({ who }) => who[0] === id)!.body;
  const dealings = actors.map(({ id }) => id + shareOf(id).shareRoot + shareOf(id).seedCommitment);
  expect(slowSetRoot('hushgrad/1 u1', dealings)).toBe(tuple.u1Root);
  const maskedOf = (id: string) => journal.heardOf('masked', 1).find(({ who }) => who[0] === id)!.body;
  const roots = survivors.map(({ id }) => id + maskedOf(id).piecesRoot);
  expect(slowSetRoot('hushgrad/1 u2', roots)).toBe(tuple.u2Root);

  const spec = trainingSumSpec(stage.plan, parameterLayout(stage.plan.model).length);
  const words = wordCount(spec);
  const ring = ringBits(spec, n);
  const members = await Promise.all(
    actors.map(async ({ id, identity, random, trainer }): Promise<SlowMember> => {
      const { seedCommitment } = shareOf(id);
      return {
        id,
        maskSecret: await secretOf(random, advertOf(identity.publicKey).maskKey),
        selfSecret: random.drawn.find((drawn) => seedCommitmentOf(drawn) === seedCommitment)!,
        vector: [...(trainer.vectors.get(1) ?? new Uint32Array(words))].map(BigInt),
      };
    }),
  );

  const masked = new Map(
    survivors.map(({ id }) => [id, [...slowUnpack(maskedOf(id).packed, words, ring)].map(BigInt)] as const),
  );
  for (const [id, vector] of masked) {
    const own = members.find((member) => member.id === id)!;
    expect(slowMasked(own, members, binding, ring)).toEqual(vector);
  }

  const collected = (list: 'selfShares' | 'keyShares') => {
    const shares = new Map<string, SlowShare[]>();
    for (const { who, body } of journal.heardOf('unmask', 1)) {
      const x = actors.findIndex(({ id }) => id === who[0]) + 1;
      for (const [dealer, share] of body[list]) shares.set(dealer, [...(shares.get(dealer) ?? []), { x, share }]);
    }
    return shares;
  };
  const answers = { selfShares: collected('selfShares'), keyShares: collected('keyShares') };
  const threshold = mode === 'active' ? Math.floor((2 * n) / 3) + 1 : Math.floor(n / 2) + 1;
  expect([...answers.selfShares.keys()].sort()).toEqual(survivors.map(({ id }) => id));
  expect([...answers.keyShares.keys()].sort()).toEqual([...gone].sort());
  for (const [list, secret] of [
    [answers.selfShares, 'selfSecret'],
    [answers.keyShares, 'maskSecret'],
  ] as const) {
    for (const [dealer, shares] of list) {
      const { [secret]: expected } = members.find(({ id }) => id === dealer)!;
      // The first t and the last t give the secret, and each other's shares: they lie on one polynomial of that degree.
      const [first, last] = [shares.slice(0, threshold), shares.slice(-threshold)];
      expect(toHex(slowInterpolate(first))).toBe(toHex(expected));
      expect(toHex(slowInterpolate(last))).toBe(toHex(expected));
      for (const { x, share } of shares) expect(toHex(slowInterpolate(first, x))).toBe(toHex(share));
      // One share less gives something else.
      expect(toHex(slowInterpolate(first.slice(1)))).not.toBe(toHex(expected));
    }
  }

  const keys = new Map(actors.map(({ id, identity }) => [id as string, fromHex(advertOf(identity.publicKey).maskKey)]));
  const sum = slowUnmask(masked, keys, answers, binding, ring);
  const plain = Array.from({ length: words }, (_, i) =>
    members.filter(({ id }) => masked.has(id as never)).reduce((total, { vector }) => total + vector[i]!, 0n),
  );
  expect(sum).toEqual(plain);
  const packed = stage.room.summer.sums.get(1)!;
  expect([...slowUnpack(packed, words, ring)].map(BigInt)).toEqual(sum);
});
