/**
 * Step 1g: a cohort is cut into groups at random, by randomness that everyone committed to before anyone knew who else
 * takes part; so nobody, the coordinator included, chooses in whose company a participant is (Bell et al. 2020, "Secure
 * Single-Server Aggregation with (Poly)Logarithmic Overhead", section 3, draws neighbours for the same reason).
 */
import { concatBytes, fromHex, toHex, uint32Bytes } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId, RoundNumber } from '../core/ids.ts';
import { groupCount, groupMinimum, MAX_GROUP, threshold } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { sha256, taggedHash } from '../crypto/hash.ts';
import { merkleProofs, merkleRoot, verifyProof } from '../crypto/merkle.ts';
import type { AdvertBody, Body } from './messages.ts';
import { advertLeaf, checkDistinct, cohortRootOf } from './roster.ts';
import type { DrawEntry } from './record.ts';
import type { CheckedAdvert, Cohort, Roster } from './roster.ts';
import { shared } from './sharing.ts';

/** A group's size may be this many standard deviations off: one group in 15,000 is, by chance. */
const MAX_SIGMA = 4;

/** What an advert says of the randomness that its sender will reveal. */
export function commitmentOf(randomness: Uint8Array): Hash {
  return taggedHash('hushgrad/1 commitment', randomness);
}

/** One participant's reveal as it lies in the tree from whose root the groups follow. */
export function revealLeaf(id: ParticipantId, randomness: Uint8Array): Bytes {
  return concatBytes(fromHex(id), randomness);
}

/** What the reveals give under one cohort. */
export function seedOf({ people, advertRoot, revealed, revealRoot }: DrawEntry): Hash {
  const cohort = fromHex(cohortRootOf(people, advertRoot));
  return taggedHash('hushgrad/1 groups', cohort, uint32Bytes(revealed), fromHex(revealRoot));
}

/** H(seed ‖ id) mod G, over the digest's first 48 bits, so that no group is likelier than another by more than 2^-31. */
export function groupOf(seed: Hash, id: ParticipantId, groups: number): number {
  const digest = sha256(fromHex(seed), fromHex(id));
  return Number.parseInt(toHex(digest.subarray(0, 6)), 16) % groups;
}

/** How far a group's size may be from m / G, four standard deviations of a binomial. */
function sizeSlack(people: number, groups: number): number {
  return MAX_SIGMA * Math.sqrt((people / groups) * (1 - 1 / groups));
}

/** Why a group of `size` out of `people` in `groups` groups must not be; undefined when it may. */
export function groupSizeProblem(plan: Plan, size: number, people: number, groups: number): string | undefined {
  const expected = people / groups;
  const slack = sizeSlack(people, groups);
  if (Math.abs(size - expected) > slack + 1) {
    return `${size} members, expected ${expected.toFixed(1)} within ${slack.toFixed(1)}`;
  }
  const minimum = groupMinimum(plan);
  if (size < minimum || size > MAX_GROUP) return `${size} members, expected from ${minimum} to ${MAX_GROUP}`;
  return undefined;
}

function groupRosterOf(
  plan: Plan,
  round: RoundNumber,
  draw: { readonly seed: Hash; readonly people: number; readonly groups: number; readonly index: number },
  adverts: readonly CheckedAdvert[],
  leaves: readonly Bytes[],
): Roster {
  const { seed, people, groups, index } = draw;
  const numbers = concatBytes(...[people, groups, index, adverts.length].map(uint32Bytes));
  return {
    round,
    rosterRoot: taggedHash('hushgrad/1 group', fromHex(seed), numbers, fromHex(merkleRoot(leaves))),
    members: adverts.map(({ member }) => member),
    threshold: threshold(plan.security.mode, adverts.length),
    place: { index, groups, people },
  };
}

/** One group as the coordinator tells it: who is in it, and where each stands in the cohort. */
export interface DrawnGroup {
  readonly roster: Roster;
  readonly message: Body<'roster'>;
}

export interface Draw {
  /** As the ledger keeps it; undefined without groups. */
  readonly entry: DrawEntry | undefined;
  readonly groups: readonly DrawnGroup[];
  /** What shows each participant that its own randomness is in the seed. */
  readonly draws: ReadonlyMap<ParticipantId, Body<'draw'>>;
}

/** The coordinator's side: cuts those of the cohort who revealed. `reveals` are by id of those who did. */
export function drawGroups(
  plan: Plan,
  round: RoundNumber,
  cohort: Cohort,
  reveals: ReadonlyMap<ParticipantId, Uint8Array>,
): Draw {
  const places = merkleProofs(cohort.leaves);
  const all = cohort.adverts.map((checked, place) => ({ checked, place }));
  const here = all.filter(({ checked }) => reveals.has(checked.member.id));
  const revealLeaves = here.map(({ checked: { member } }) =>
    revealLeaf(member.id, reveals.get(member.id) ?? new Uint8Array()),
  );
  const revealed = here.length;
  const revealRoot = merkleRoot(revealLeaves);
  const proofs = merkleProofs(revealLeaves);
  const seed = seedOf({ people: cohort.adverts.length, advertRoot: cohort.advertRoot, revealed, revealRoot });
  const count = groupCount(plan, revealed);
  const members = Array.from({ length: count }, (): (typeof here)[number][] => []);
  for (const person of here) members[groupOf(seed, person.checked.member.id, count)]?.push(person);
  return {
    entry: { people: cohort.adverts.length, advertRoot: cohort.advertRoot, revealed, revealRoot },
    groups: members.map((people, index) => {
      const adverts = people.map(({ checked }) => checked);
      const leaves = people.map(({ place }) => cohort.leaves[place] ?? new Uint8Array());
      return {
        roster: groupRosterOf(plan, round, { seed, people: revealed, groups: count, index }, adverts, leaves),
        message: {
          adverts: adverts.map(({ advert }) => advert),
          places: people.map(({ place }) => [place, places[place] ?? []]),
        },
      };
    }),
    draws: new Map(
      here.map(({ checked: { member } }, index) => [
        member.id,
        { revealed, revealRoot, index, proof: proofs[index] ?? [] },
      ]),
    ),
  };
}

/** Whether one's own advert is in a cohort, and the cohort large enough to go on. @throws HushError `cohort/…`. */
export function checkCohort(plan: Plan, own: AdvertBody, { size, advertRoot, index, proof }: Body<'cohort'>): void {
  const minimum = Math.max(plan.aggregation.cohort.minimum, 3);
  if (size < minimum) throw wrong('cohort/too-small', `${size} participants, expected at least ${minimum}.`);
  if (!verifyProof(advertRoot, advertLeaf(own), index, size, proof)) {
    throw wrong('cohort/own', 'The own advert is missing from the cohort or was changed.');
  }
}

/** What a participant holds against its group. */
export interface GroupClaim {
  readonly plan: Plan;
  readonly round: RoundNumber;
  readonly own: ParticipantId;
  /** What it revealed. */
  readonly randomness: Uint8Array;
  readonly cohort: Body<'cohort'>;
  readonly draw: Body<'draw'>;
  readonly adverts: readonly CheckedAdvert[];
  readonly places: NonNullable<Body<'roster'>['places']>;
}

/**
 * A participant's side: its own reveal is in the seed, every member stood in the cohort before anyone revealed, every
 * member was drawn into this group, and the group is as large as chance makes it.
 * @throws HushError `group/…`: reveal, people, place, member, size; `roster/duplicate`.
 */
export function checkGroup(claim: GroupClaim): Roster {
  const { plan, round, own, randomness, cohort, draw, places } = claim;
  const { revealed, revealRoot, index, proof } = draw;
  const minimum = Math.max(plan.aggregation.cohort.minimum, 3);
  if (revealed > cohort.size || revealed < minimum) {
    throw wrong('group/people', `${revealed} revealed, expected from ${minimum} to ${cohort.size}.`);
  }
  if (!verifyProof(revealRoot, revealLeaf(own, randomness), index, revealed, proof)) {
    throw wrong('group/reveal', 'What this participant revealed is not in the seed.');
  }
  const seed = seedOf({ people: cohort.size, advertRoot: cohort.advertRoot, revealed, revealRoot });
  const groups = groupCount(plan, revealed);
  const ownGroup = groupOf(seed, own, groups);
  const adverts = [...claim.adverts].sort((a, b) => (a.member.id < b.member.id ? -1 : 1));
  const placeOf = new Map(claim.adverts.map((checked, i) => [checked, places[i]]));
  const leaves = adverts.map((checked) => {
    const { id } = checked.member;
    const [at, path] = placeOf.get(checked) ?? [-1, []];
    const leaf = shared().check(checked.advert, `place among ${cohort.size} under ${cohort.advertRoot}`, () => {
      const leaf = advertLeaf(checked.advert);
      if (verifyProof(cohort.advertRoot, leaf, at, cohort.size, path)) return leaf;
      throw wrong('group/place', `The advert of ${id} was not in the cohort.`);
    });
    if (groupOf(seed, id, groups) !== ownGroup) throw wrong('group/member', `${id} was not drawn into this group.`);
    return leaf;
  });
  checkDistinct(round, adverts);
  const problem = groupSizeProblem(plan, adverts.length, revealed, groups);
  if (problem !== undefined) throw wrong('group/size', `The group has ${problem}.`);
  return groupRosterOf(plan, round, { seed, people: revealed, groups, index: ownGroup }, adverts, leaves);
}

function wrong(code: `cohort/${string}` | `group/${string}`, message: string): HushError {
  return new HushError(code, message);
}
