/** Steps 2 to 5 of one group without any machine: real keys, boxes and masks, and the coordinator's reading of the answers. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FederationId, Hash, ParticipantId } from '../../src/core/ids.ts';
import type { FieldVector } from '../../src/core/updateStages.ts';
import { createIdentity } from '../../src/crypto/identity.ts';
import { u1RootOf } from '../../src/federation/memberSets.ts';
import type { Body, Dealing } from '../../src/federation/messages.ts';
import { checkAdverts, cohortOf, rosterOf } from '../../src/federation/roster.ts';
import type { Roster } from '../../src/federation/roster.ts';
import { RoundKeys } from '../../src/federation/roundKeys.ts';
import type { MaskBinding } from '../../src/federation/roundKeys.ts';
import { checkUnmask, DealerFault, masksToUndo } from '../../src/federation/unmasking.ts';
import { Accumulator } from '../../src/update/accumulator.ts';
import { mask } from '../../src/update/mask.ts';
import { samplePlan } from '../reference/samplePlan.ts';
import { seededPort } from '../reference/seededPort.ts';

const N = 7;
const ROUND = 3;
const RING = 20;
const PLAN = samplePlan({ cohort: { minimum: 3, target: N } });
const BINDING = { federation: 'ab'.repeat(16) as FederationId, planHash: 'cd'.repeat(32) as Hash };
const VECTOR = Uint32Array.from({ length: 300 }, (_, i) => i) as FieldVector;

interface Group {
  readonly roster: Roster;
  readonly keys: ReadonlyMap<ParticipantId, RoundKeys>;
  readonly dealings: readonly Dealing[];
  readonly u1: readonly ParticipantId[];
  readonly bindingOfMasks: MaskBinding;
  readonly deliveryFor: (id: ParticipantId) => Body<'deliver'>;
}

async function dealtGroup(): Promise<Group> {
  const secret = seededPort(1).bytes(16);
  const people = await Promise.all(
    Array.from({ length: N }, async (_, i) => {
      const identity = await createIdentity();
      const random = seededPort(100 + i);
      const keys = await RoundKeys.create({
        identity,
        binding: BINDING,
        plan: PLAN,
        secret,
        named: undefined,
        round: ROUND,
        random,
      });
      return { id: identity.id, keys };
    }),
  );
  const adverts = await Promise.all(people.map(({ keys }) => keys.advert()));
  const checked = await checkAdverts({ binding: BINDING, plan: PLAN, secret, round: ROUND }, adverts);
  const roster = rosterOf(PLAN, ROUND, cohortOf(PLAN, ROUND, checked));
  const keys = new Map(people.map((person) => [person.id, person.keys]));
  const u1 = roster.members.map(({ id }) => id);
  const shares = new Map(await Promise.all(u1.map(async (id) => [id, await keys.get(id)!.deal(roster)] as const)));
  const dealings = u1.map((id): Dealing => {
    const { shareRoot, seedCommitment, signature } = shares.get(id)!;
    return [id, shareRoot, seedCommitment, signature];
  });
  const { rosterRoot } = roster;
  const bindingOfMasks = {
    modelHash: '11'.repeat(32) as Hash,
    rosterRoot,
    u1Root: u1RootOf(dealings),
    sumSpecHash: '22'.repeat(32) as Hash,
  };
  const deliveryFor = (id: ParticipantId): Body<'deliver'> => ({
    dealings: [...dealings],
    boxes: u1.filter((of) => of !== id).map((of) => [of, shares.get(of)!.boxes.find(([to]) => to === id)![1]]),
  });
  return { roster, keys, dealings, u1, bindingOfMasks, deliveryFor };
}

/** Everyone opens and masks; the first two then drop out, and the others release what they hold. */
async function answered() {
  const group = await dealtGroup();
  const { roster, keys, u1, bindingOfMasks, deliveryFor } = group;
  const survivors = u1.slice(2);
  const sum = new Accumulator(VECTOR.length, RING);
  const bodies = new Map<ParticipantId, Body<'unmask'>>();
  for (const id of u1) {
    const own = keys.get(id)!;
    expect(await own.open(roster, deliveryFor(id))).toEqual({ good: [...u1], bad: [] });
    const seeds = await own.maskSeeds(roster, u1, bindingOfMasks);
    expect(seeds).toHaveLength(N);
    if (!survivors.includes(id)) continue;
    sum.add(mask(VECTOR, RING, seeds));
    bodies.set(id, own.release(roster, u1, survivors));
  }
  return { ...group, survivors, sum, bodies };
}

const undo = ({ roster, dealings, survivors, bindingOfMasks }: Omit<Awaited<ReturnType<typeof answered>>, 'sum'>) => ({
  check: (holder: ParticipantId, body: Body<'unmask'>) => checkUnmask({ roster, dealings, survivors }, holder, body),
  masks: (
    answers: ReadonlyMap<ParticipantId, Body<'unmask'>>,
    of: readonly Dealing[] = dealings,
    among: Roster = roster,
  ) => masksToUndo({ roster: among, dealings: of, survivors }, BINDING, ROUND, bindingOfMasks, answers),
});

let given: Awaited<ReturnType<typeof answered>>;
beforeAll(async () => {
  given = await answered();
});
afterEach(() => vi.restoreAllMocks());

describe('unmasking', () => {
  it('takes off exactly the masks, with any t of the answers', async () => {
    const { check, masks } = undo(given);
    const kept = new Map([...given.bodies].map(([id, body]) => [id, check(id, body)]));
    const { threshold } = given.roster;
    expect(threshold).toBe(5);
    const seeds = await masks(kept);
    // One self mask for each survivor, and one for each pair of survivor and dropout.
    expect(seeds).toHaveLength(5 + 5 * 2);
    given.sum.addMasks(seeds);
    expect([...given.sum.sum()]).toEqual([...VECTOR].map((word) => 5 * word));
  });

  it('keeps of an answer nothing but the shares', () => {
    const [id, body] = [...given.bodies][0]!;
    const kept = undo(given).check(id, body);
    expect(kept.selfShares.map(([dealer, share]) => [dealer, share])).toEqual(
      body.selfShares.map(([dealer, share]) => [dealer, share]),
    );
    expect([...kept.selfShares, ...kept.keyShares].every(([, , salt, proof]) => salt.length + proof.length === 0)).toBe(
      true,
    );
  });

  it('names holder and dealer of a share that is wrong, twice there, or was not asked for', () => {
    const { check } = undo(given);
    const [id, { selfShares, keyShares }] = [...given.bodies][1]!;
    const [dealer, share, salt, proof] = selfShares[2]!;
    const flipped = share.slice();
    flipped[7]! ^= 0x10;
    const wrong: readonly (readonly [string, Body<'unmask'>])[] = [
      ['unmask/proof', { selfShares: [[dealer, flipped, salt, proof]], keyShares }],
      ['unmask/proof', { selfShares: [[dealer, share.slice(0, 31), salt, proof]], keyShares }],
      ['unmask/proof', { selfShares: [[dealer, share, salt.slice(1), proof]], keyShares }],
      ['unmask/proof', { selfShares: [[dealer, share, salt, proof.slice(1)]], keyShares }],
      ['unmask/proof', { selfShares: [[dealer, share, salt, [...proof, proof[0]!]]], keyShares }],
      ['unmask/duplicate', { selfShares: [selfShares[2]!, selfShares[2]!], keyShares }],
      ['unmask/not-asked', { selfShares: [], keyShares: [selfShares[2]!] }],
      ['unmask/not-asked', { selfShares: [['ff'.repeat(16) as ParticipantId, share, salt, proof]], keyShares }],
    ];
    for (const [code, body] of wrong) {
      const named = body.selfShares[0]?.[0] ?? dealer;
      expect(() => check(id, body)).toThrow(
        expect.objectContaining({ code, trace: [`holder ${id}`, `dealer ${named}`] }),
      );
    }
    // Nothing of all this spoils what is right.
    expect(check(id, { selfShares, keyShares }).selfShares).toHaveLength(5);
  });

  it('names the dealer whose shares prove and do not give what it committed to or advertised', async () => {
    const { masks } = undo(given);
    const { dealings, survivors, roster } = given;
    const alive = survivors[3]!;
    const promised = dealings.map(([id, root, commitment, signature]): Dealing => [
      id,
      root,
      id === alive ? ('00'.repeat(32) as Hash) : commitment,
      signature,
    ]);
    await expect(masks(given.bodies, promised)).rejects.toMatchObject({ code: 'unmask/dealer', dealer: alive });
    const gone = given.u1[1]!;
    const [first] = roster.members;
    const members = roster.members.map((member) =>
      member.id === gone ? { ...member, maskKey: first!.maskKey } : member,
    );
    const fault = masks(given.bodies, dealings, { ...roster, members });
    await expect(fault).rejects.toBeInstanceOf(DealerFault);
    await expect(fault).rejects.toMatchObject({ dealer: gone });
  });

  it('gives up below the threshold, naming the secret', async () => {
    const { masks } = undo(given);
    const few = new Map([...given.bodies].slice(1));
    await expect(masks(few)).rejects.toMatchObject({ code: 'unmask/too-few', trace: [`dealer ${given.u1[0]!}`] });
  });
});

describe('the keys of a round', () => {
  it('agree once with each other member for the boxes of both directions', async () => {
    const { roster, keys, u1, deliveryFor } = await dealtGroup();
    const deriveBits = vi.spyOn(crypto.subtle, 'deriveBits');
    await keys.get(u1[0]!)!.open(roster, deliveryFor(u1[0]!));
    expect(deriveBits).not.toHaveBeenCalled();
  });

  it('forget everything once wiped', async () => {
    const { roster, keys, u1, bindingOfMasks, deliveryFor } = await dealtGroup();
    const own = keys.get(u1[2]!)!;
    await own.open(roster, deliveryFor(u1[2]!));
    own.release(roster, u1, u1);
    const wiped = expect.objectContaining({ code: 'round/wiped' });
    expect(() => own.release(roster, u1, u1)).toThrow(wiped);
    expect(() => own.reveal()).toThrow(wiped);
    await expect(own.maskSeeds(roster, u1, bindingOfMasks)).rejects.toEqual(wiped);
    await expect(own.open(roster, deliveryFor(u1[2]!))).rejects.toEqual(wiped);
    await expect(own.deal(roster)).rejects.toEqual(wiped);
  });
});
