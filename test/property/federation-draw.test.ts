/** Step 1g against itself and against a coordinator that draws otherwise: whoever is drawn can check it, and does. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex, utf8 } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import type { Hash, ParticipantId, PublicKey, Signature } from '../../src/core/ids.ts';
import { groupCount, parsePlan } from '../../src/core/plan.ts';
import { SeededRandom } from '../../src/core/seededRandom.ts';
import { checkCohort, checkGroup, commitmentOf, drawGroups, groupOf, seedOf } from '../../src/federation/groups.ts';
import type { GroupClaim } from '../../src/federation/groups.ts';
import type { Body } from '../../src/federation/messages.ts';
import { cohortOf } from '../../src/federation/roster.ts';
import type { CheckedAdvert } from '../../src/federation/roster.ts';
import { merkleProofs } from '../../src/crypto/merkle.ts';
import { participantIdOf } from '../../src/crypto/hash.ts';
import { planDocument } from '../support/planDocument.ts';

function planWith(groupSize: number) {
  const document = planDocument();
  const aggregation = { ...document.aggregation, groupSize };
  return parsePlan(utf8(JSON.stringify({ ...document, aggregation }))).plan;
}

interface Person {
  readonly checked: CheckedAdvert;
  readonly randomness: Bytes;
}

function person(random: SeededRandom): Person {
  const key = (): PublicKey => toHex(random.bytes(32)) as PublicKey;
  const randomness = random.bytes(32);
  const [publicKey, boxKey, maskKey] = [key(), key(), key()];
  const credential = key() as string as Hash;
  const signature = (key() + key()) as Signature;
  const advert = { publicKey, boxKey, maskKey, commitment: commitmentOf(randomness), credential, signature };
  return {
    randomness,
    checked: { advert, member: { id: participantIdOf(publicKey), publicKey, boxKey, maskKey } as never },
  };
}

/** What everyone is told of one draw. */
function drawn(people: number, groupSize: number, seed: number, silent = 0) {
  const random = SeededRandom.of(seed);
  const plan = planWith(groupSize);
  const persons = Array.from({ length: people }, () => person(random));
  const cohort = cohortOf(
    plan,
    5,
    persons.map(({ checked }) => checked),
  );
  const proofs = merkleProofs(cohort.leaves);
  const byId = new Map(persons.map((one) => [one.checked.member.id, one]));
  const reveals = new Map(persons.slice(silent).map((one) => [one.checked.member.id, one.randomness]));
  const draw = drawGroups(plan, 5, cohort, reveals);
  const claimOf = (id: ParticipantId): GroupClaim => {
    const index = cohort.adverts.findIndex(({ member }) => member.id === id);
    const told: Body<'cohort'> = { size: people, advertRoot: cohort.advertRoot, index, proof: proofs[index]! };
    const { message } = draw.groups.find(({ roster }) => roster.members.some((member) => member.id === id))!;
    return {
      plan,
      round: 5,
      own: id,
      randomness: byId.get(id)!.randomness,
      cohort: told,
      draw: draw.draws.get(id)!,
      adverts: message.adverts.map((advert) => byId.get(participantIdOf(advert.publicKey))!.checked),
      places: message.places!,
    };
  };
  const large = draw.groups.filter(({ roster }) => roster.members.length >= 3);
  return {
    plan,
    persons,
    cohort,
    draw,
    claimOf,
    ids: large.flatMap(({ roster }) => roster.members.map(({ id }) => id)),
  };
}

describe('a draw', () => {
  test('is accepted by everyone in it, who all get the roster that the coordinator has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 12, max: 90 }), fc.integer({ min: 6, max: 20 }), fc.nat(), (people, size, seed) => {
        const { plan, draw, claimOf, ids } = drawn(people, size, seed, Math.floor(people / 10));
        for (const id of ids.filter((_, i) => i % 5 === 0)) {
          const expected = draw.groups.find(({ roster }) => roster.members.some((member) => member.id === id))!.roster;
          const claim = claimOf(id);
          checkCohort(plan, claim.adverts.find(({ member }) => member.id === id)!.advert, claim.cohort);
          expect(checkGroup(claim)).toEqual(expected);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('puts everyone who revealed into one group, and nobody else', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 120 }),
        fc.integer({ min: 3, max: 40 }),
        fc.nat(),
        (people, size, seed) => {
          const { plan, draw, persons } = drawn(people, size, seed, 2);
          const members = draw.groups.flatMap(({ roster }) => roster.members.map(({ id }) => id));
          const revealed = persons.slice(2).map(({ checked }) => checked.member.id);
          expect(members.toSorted()).toEqual(revealed.toSorted());
          expect(draw.groups).toHaveLength(groupCount(plan, revealed.length));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('falls on every group alike', () => {
    const counts = [0, 0, 0, 0, 0, 0, 0];
    const seed = 'ab'.repeat(32) as Hash;
    const random = SeededRandom.of(3);
    for (let i = 0; i < 7000; i++) counts[groupOf(seed, toHex(random.bytes(16)) as ParticipantId, 7)]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  describe('with something else in it is refused', () => {
    const base = () => {
      const all = drawn(40, 10, 11);
      const id = all.ids[0]!;
      return { ...all, id, claim: all.claimOf(id) };
    };
    const code = (claim: GroupClaim): string => {
      try {
        checkGroup(claim);
      } catch (error) {
        return (error as { code: string }).code;
      }
      return 'accepted';
    };

    test('somebody who was drawn into another group', () => {
      const { claim, ids, claimOf } = base();
      const other = ids.map((id) => claimOf(id)).find(({ adverts }) => adverts[0] !== claim.adverts[0])!;
      const adverts = [...claim.adverts, other.adverts[0]!];
      expect(code({ ...claim, adverts, places: [...claim.places, other.places[0]!] })).toBe('group/member');
    });

    test('somebody who advertised after the cohort was fixed', () => {
      const { claim, draw } = base();
      const groups = draw.groups.length;
      const random = SeededRandom.of(77);
      const own = groupOf(seedFor(claim), claim.own, groups);
      let late = person(random);
      while (groupOf(seedFor(claim), late.checked.member.id, groups) !== own) late = person(random);
      const adverts = [...claim.adverts, late.checked];
      expect(code({ ...claim, adverts, places: [...claim.places, [0, [...claim.places[0]![1]]]] })).toBe('group/place');
    });

    test('the own reveal left out of the seed', () => {
      const { claim } = base();
      expect(code({ ...claim, randomness: fromHex('00'.repeat(32)) })).toBe('group/reveal');
      expect(code({ ...claim, draw: { ...claim.draw, revealRoot: 'cd'.repeat(32) as Hash } })).toBe('group/reveal');
    });

    test('too few members, too many people revealed, too few', () => {
      const { claim } = base();
      const kept = claim.adverts.filter(({ member }) => member.id === claim.own);
      const places = claim.places.filter((_, i) => claim.adverts[i]!.member.id === claim.own);
      expect(code({ ...claim, adverts: kept, places })).toBe('group/size');
      expect(code({ ...claim, draw: { ...claim.draw, revealed: 41 } })).toBe('group/people');
      expect(code({ ...claim, draw: { ...claim.draw, revealed: 2 } })).toBe('group/people');
    });

    test('somebody twice', () => {
      const { claim } = base();
      const adverts = [...claim.adverts, claim.adverts[0]!];
      expect(code({ ...claim, adverts, places: [...claim.places, claim.places[0]!] })).toBe('roster/duplicate');
    });

    test('the own advert changed before the cohort was fixed, and a cohort below the minimum', () => {
      const { plan, claim } = base();
      const own = claim.adverts.find(({ member }) => member.id === claim.own)!.advert;
      const changed = { ...own, boxKey: own.maskKey };
      expect(() => checkCohort(plan, changed, claim.cohort)).toThrow('missing from the cohort');
      expect(() => checkCohort(plan, own, { ...claim.cohort, size: 2 })).toThrow('expected at least 3');
    });
  });
});

function seedFor({ cohort, draw }: GroupClaim): Hash {
  return seedOf({
    people: cohort.size,
    advertRoot: cohort.advertRoot,
    revealed: draw.revealed,
    revealRoot: draw.revealRoot,
  });
}
