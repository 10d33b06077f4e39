/** Who is in a round, with which keys: checked the same way by the coordinator and by every participant. */
import { fromHex } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId, PublicKey, RoundNumber } from '../core/ids.ts';
import { groupMinimum, MAX_GROUP, threshold } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { isCanonical, isSmallOrder } from '../crypto/agreement.ts';
import { hmacSha256, participantIdOf, sha256, taggedHash } from '../crypto/hash.ts';
import { verifySignature } from '../crypto/identity.ts';
import { merkleRoot } from '../crypto/merkle.ts';
import { toHex, uint32Bytes } from '../core/bytes.ts';
import { checkName } from './credential.ts';
import { bodySchema } from './messages.ts';
import type { AdvertBody, Binding } from './messages.ts';
import { encodeAs } from './schemaWriter.ts';
import { shared } from './sharing.ts';
import { advertStatement, credentialStatement } from './statements.ts';

export interface Member {
  readonly id: ParticipantId;
  readonly publicKey: PublicKey;
  readonly boxKey: PublicKey;
  readonly maskKey: PublicKey;
  /** By the plan's list, and the key of that list that has signed for `publicKey`; undefined for nobody in particular. */
  readonly name: string | undefined;
  readonly namedKey: PublicKey | undefined;
}

/** Where a roster stands among the groups of its round. */
export interface GroupPlace {
  readonly index: number;
  /** G. */
  readonly groups: number;
  /** How many people the groups were drawn from. */
  readonly people: number;
}

/** Fixes t, n and with them the ring for its round. Members are sorted by id; a member's index is its place in GF(256). */
export interface Roster {
  readonly round: RoundNumber;
  /** Of the group, with all that it was drawn from; without groups, of everyone who advertised. */
  readonly rosterRoot: Hash;
  readonly members: readonly Member[];
  readonly threshold: number;
  /** Undefined in plans without groups. */
  readonly place: GroupPlace | undefined;
}

const indices = new WeakMap<readonly Member[], ReadonlyMap<ParticipantId, number>>();

/** −1 for nobody in it. */
export function indexIn({ members }: Roster, id: ParticipantId): number {
  const known = indices.get(members) ?? new Map(members.map((member, index) => [member.id, index]));
  indices.set(members, known);
  return known.get(id) ?? -1;
}

/** At least this many must survive: the threshold, the plan's minimum, and three whatever the plan says. */
export function quorum(plan: Plan, memberCount: number): number {
  return Math.max(threshold(plan.security.mode, memberCount), groupMinimum(plan));
}

/** HMAC under the link's secret, or zeros where the plan admits anyone. */
export function credentialFor(
  binding: Binding,
  plan: Plan,
  secret: Bytes,
  round: RoundNumber,
  advert: Omit<AdvertBody, 'signature' | 'credential' | 'named'>,
): Hash {
  if (plan.security.admission === 'anyone') return '0'.repeat(64) as Hash;
  return toHex(hmacSha256(secret, credentialStatement(binding, round, advert))) as Hash;
}

export interface AdmissionContext {
  readonly binding: Binding;
  readonly plan: Plan;
  readonly secret: Bytes;
  readonly round: RoundNumber;
}

/** @throws HushError `advert/…`: signature, credential, small-order, encoding, duplicate-key, not-named, named-signature. */
export function checkAdvert(context: AdmissionContext, advert: AdvertBody): Promise<Member> {
  return shared().check(advert, `member in round ${context.round}`, () => checkAlone(context, advert));
}

async function checkAlone(context: AdmissionContext, advert: AdvertBody): Promise<Member> {
  const { binding, plan, secret, round } = context;
  const { publicKey, boxKey, maskKey } = advert;
  const id = participantIdOf(publicKey);
  const wrong = (code: `advert/${string}`, message: string): HushError =>
    new HushError(code, message, { trace: [`round ${round}`, `participant ${id}`, 'advert'] });
  if (advert.credential !== credentialFor(binding, plan, secret, round, advert)) {
    throw wrong('advert/credential', 'The credential does not show knowledge of the link.');
  }
  if (isSmallOrder(boxKey) || isSmallOrder(maskKey)) {
    throw wrong('advert/small-order', 'A key is a point of small order, which would make every agreement zero.');
  }
  if (!isCanonical(boxKey) || !isCanonical(maskKey)) {
    throw wrong('advert/encoding', 'A key has another encoding than its own: the same key could be used twice.');
  }
  if (new Set<string>([publicKey, boxKey, maskKey]).size !== 3) {
    throw wrong('advert/duplicate-key', 'The same key is used twice.');
  }
  if (!(await verifySignature(publicKey, advert.signature, advertStatement(binding, round, advert)))) {
    throw wrong('advert/signature', 'The signature is not that of the advertised key.');
  }
  const name = await checkName(plan, binding, round, advert);
  return { id, publicKey, boxKey, maskKey, name, namedKey: advert.named?.key };
}

/** What may stand in one roster once. */
export function keysOf({ publicKey, boxKey, maskKey, namedKey }: Member): readonly PublicKey[] {
  return namedKey === undefined ? [publicKey, boxKey, maskKey] : [publicKey, boxKey, maskKey, namedKey];
}

/** An advert that was checked, and the member that it makes. */
export interface CheckedAdvert {
  readonly advert: AdvertBody;
  readonly member: Member;
}

/** @throws HushError `advert/…` as `checkAdvert` does. */
export function checkAdverts(
  context: AdmissionContext,
  adverts: readonly AdvertBody[],
): Promise<readonly CheckedAdvert[]> {
  return Promise.all(adverts.map(async (advert) => ({ advert, member: await checkAdvert(context, advert) })));
}

/** Everyone who advertised for a round, by id, under the root that all of it hangs on. */
export interface Cohort {
  readonly adverts: readonly CheckedAdvert[];
  /** Of each advert, in the same order. */
  readonly leaves: readonly Bytes[];
  readonly advertRoot: Hash;
  readonly rosterRoot: Hash;
}

/** What stands for an advert in the cohort's tree. */
export function advertLeaf(advert: AdvertBody): Bytes {
  return sha256(encodeAs(bodySchema('advert'), advert));
}

export function cohortRootOf(people: number, advertRoot: Hash): Hash {
  return taggedHash('hushgrad/1 roster', uint32Bytes(people), fromHex(advertRoot));
}

/** Step 1: fixes the order. @throws HushError `roster/too-small`, `roster/duplicate`. */
export function cohortOf(plan: Plan, round: RoundNumber, adverts: readonly CheckedAdvert[]): Cohort {
  checkDistinct(round, adverts);
  const minimum = Math.max(plan.aggregation.cohort.minimum, 3);
  if (adverts.length < minimum) throw size(round, 'too-small', adverts.length, `at least ${minimum}`);
  const sorted = [...adverts].sort((a, b) => (a.member.id < b.member.id ? -1 : 1));
  const leaves = sorted.map(({ advert }) => advertLeaf(advert));
  const advertRoot = merkleRoot(leaves);
  return { adverts: sorted, leaves, advertRoot, rosterRoot: cohortRootOf(sorted.length, advertRoot) };
}

/** @throws HushError `roster/duplicate`: a key of any kind that stands in two adverts, or for two purposes. */
export function checkDistinct(round: RoundNumber, adverts: readonly CheckedAdvert[]): void {
  const keys = adverts.flatMap(({ member }) => keysOf(member));
  if (new Set<string>(keys).size === keys.length) return;
  throw new HushError('roster/duplicate', 'A key stands in the roster twice.', { trace: [`round ${round}`, 'roster'] });
}

/** Without groups: the cohort is the roster. @throws HushError `roster/too-large`. */
export function rosterOf(plan: Plan, round: RoundNumber, { adverts, rosterRoot }: Cohort): Roster {
  if (adverts.length > MAX_GROUP) throw size(round, 'too-large', adverts.length, `at most ${MAX_GROUP}`);
  return {
    round,
    rosterRoot,
    members: adverts.map(({ member }) => member),
    threshold: threshold(plan.security.mode, adverts.length),
    place: undefined,
  };
}

function size(round: RoundNumber, what: 'too-small' | 'too-large', people: number, expected: string): HushError {
  return new HushError(`roster/${what}`, `${people} participants, expected ${expected}.`, {
    trace: [`round ${round}`, 'roster'],
  });
}
