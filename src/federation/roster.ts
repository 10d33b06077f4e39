/** Who is in a round, with which keys: checked the same way by the coordinator and by every participant. */
import { fromHex } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId, PublicKey, RoundNumber } from '../core/ids.ts';
import { MAX_GROUP, threshold } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { toWire } from '../core/schema.ts';
import { isCanonical, isSmallOrder } from '../crypto/agreement.ts';
import { hmacSha256, participantIdOf, sha256, taggedHash } from '../crypto/hash.ts';
import { verifySignature } from '../crypto/identity.ts';
import { merkleRoot } from '../crypto/merkle.ts';
import { toHex, uint32Bytes } from '../core/bytes.ts';
import { encodeCbor } from './cbor.ts';
import { bodySchema } from './messages.ts';
import type { AdvertBody, Binding } from './messages.ts';
import { advertStatement, credentialStatement } from './statements.ts';

export interface Member {
  readonly id: ParticipantId;
  readonly publicKey: PublicKey;
  readonly boxKey: PublicKey;
  readonly maskKey: PublicKey;
}

/** Fixes t, n and with them the ring for its round. Members are sorted by id; a member's index is its place in GF(256). */
export interface Roster {
  readonly round: RoundNumber;
  readonly rosterRoot: Hash;
  readonly members: readonly Member[];
  readonly threshold: number;
}

export function indexIn(roster: Roster, id: ParticipantId): number {
  return roster.members.findIndex((member) => member.id === id);
}

/** At least this many must survive: the threshold, the plan's minimum, and three whatever the plan says. */
export function quorum(plan: Plan, memberCount: number): number {
  return Math.max(threshold(plan.security.mode, memberCount), plan.aggregation.cohort.minimum, 3);
}

/** HMAC under the link's secret, or zeros where the plan admits anyone. */
export function credentialFor(
  binding: Binding,
  plan: Plan,
  secret: Bytes,
  round: RoundNumber,
  advert: Omit<AdvertBody, 'signature' | 'credential'>,
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

/** @throws HushError `advert/…`: signature, credential, small-order, duplicate-key. */
export async function checkAdvert(context: AdmissionContext, advert: AdvertBody): Promise<Member> {
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
  return { id, publicKey, boxKey, maskKey };
}

/**
 * Step 1, on either side: checks every advert and fixes the order.
 * @throws HushError `advert/…` or `roster/…`: duplicate, too-small, too-large.
 */
export async function makeRoster(context: AdmissionContext, adverts: readonly AdvertBody[]): Promise<Roster> {
  const { plan, round } = context;
  const trace = [`round ${round}`, 'roster'];
  const minimum = Math.max(plan.aggregation.cohort.minimum, 3);
  if (adverts.length < minimum) {
    throw new HushError('roster/too-small', `${adverts.length} participants, expected at least ${minimum}.`, { trace });
  }
  if (adverts.length > MAX_GROUP) {
    throw new HushError('roster/too-large', `${adverts.length} participants, expected at most ${MAX_GROUP}.`, {
      trace,
    });
  }
  const checked = await Promise.all(
    adverts.map(async (advert) => ({ advert, member: await checkAdvert(context, advert) })),
  );
  checked.sort((a, b) => (a.member.id < b.member.id ? -1 : 1));
  const keys = checked.flatMap(({ member }) => [member.publicKey, member.boxKey, member.maskKey]);
  if (new Set<string>(keys).size !== keys.length) {
    throw new HushError('roster/duplicate', 'A key stands in the roster twice.', { trace });
  }
  const leaves = checked.map(({ advert }) => sha256(encodeCbor(toWire(bodySchema('advert'), advert))));
  return {
    round,
    rosterRoot: taggedHash('hushgrad/1 roster', uint32Bytes(checked.length), fromHex(merkleRoot(leaves))),
    members: checked.map(({ member }) => member),
    threshold: threshold(plan.security.mode, checked.length),
  };
}
