/** What somebody can do who knows one actor's secrets and signing key: read its boxes, deal again, advertise again. */
import { toHex } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import type { Hash, ParticipantId, PublicKey, RoundNumber, Signature } from '../../src/core/ids.ts';
import { agree, publicKeyOf } from '../../src/crypto/agreement.ts';
import { openBox, sealBox } from '../../src/crypto/box.ts';
import type { Identity } from '../../src/crypto/identity.ts';
import { boxKey } from '../../src/crypto/seeds.ts';
import { decodeCbor, encodeCbor } from '../../src/federation/cbor.ts';
import { confirmationOf } from '../../src/federation/confirmation.ts';
import { deal, seedCommitmentOf } from '../../src/federation/dealing.ts';
import type { HeldShares } from '../../src/federation/dealing.ts';
import type { AdvertBody, Binding, Body } from '../../src/federation/messages.ts';
import { sheetHashOf } from '../../src/federation/record.ts';
import { credentialFor, indexIn } from '../../src/federation/roster.ts';
import type { AdmissionContext, Roster } from '../../src/federation/roster.ts';
import { advertStatement, dealingStatement } from '../../src/federation/statements.ts';
import type { Confirmation } from '../../src/federation/statements.ts';
import { seededPort } from '../reference/seededPort.ts';
import type { Actor, Notebook } from './stage.ts';

/** Of what was drawn, the secret half of `publicKey`. */
export async function secretOf({ drawn }: Notebook, publicKey: PublicKey): Promise<Bytes> {
  for (const bytes of drawn) if (bytes.length === 32 && (await publicKeyOf(bytes)) === publicKey) return bytes;
  throw new Error(`the secret of ${publicKey} was not drawn here`);
}

function selfSecretOf({ drawn }: Notebook, commitment: Hash): Bytes {
  const found = drawn.find((bytes) => bytes.length === 32 && seedCommitmentOf(bytes) === commitment);
  if (found === undefined) throw new Error(`the seed of ${commitment} was not drawn here`);
  return found;
}

/** The roster of a round that this actor is in. */
export function rosterOf({ participant }: Actor, round: RoundNumber): Roster {
  const roster = participant.state.rounds[round]?.roster;
  if (roster === undefined) throw new Error(`no roster of round ${round}`);
  return roster;
}

async function keyOfBox(holder: Actor, roster: Roster, from: ParticipantId, to: ParticipantId): Promise<Bytes> {
  const other = roster.members[indexIn(roster, from === holder.id ? to : from)]!;
  const own = roster.members[indexIn(roster, holder.id)]!;
  const shared = await agree(await secretOf(holder.random, own.boxKey), other.boxKey);
  return boxKey({ shared, rosterRoot: roster.rosterRoot, from, to });
}

/** What `dealer` gave to `holder`, from the delivery that it heard. */
export async function sharesHeld(holder: Actor, dealer: ParticipantId, round: RoundNumber): Promise<HeldShares> {
  const box = holder.participant.journal.heardOf('deliver', round)[0]!.body.boxes.find(([id]) => id === dealer)![1];
  const key = await keyOfBox(holder, rosterOf(holder, round), dealer, holder.id);
  return decodeCbor(openBox(key, new Uint8Array(box))) as HeldShares;
}

export interface DealChange {
  /** Shared out instead of the mask key that was advertised. */
  readonly maskSecret?: Bytes;
  readonly shareRoot?: Hash;
  readonly seedCommitment?: Hash;
  readonly signature?: Signature;
  /** What is put in the box for `holder`; undefined leaves it as it is. */
  readonly box?: (shares: HeldShares, holder: ParticipantId) => HeldShares | Bytes | undefined;
}

/** The share message of `dealer` made anew, and signed by it. `before` is the honest one. */
export async function dealAgain(
  dealer: Actor,
  binding: Binding,
  round: RoundNumber,
  before: Body<'share'>,
  change: DealChange,
): Promise<Body<'share'>> {
  const roster = rosterOf(dealer, round);
  const random = seededPort(31);
  const own = roster.members[indexIn(roster, dealer.id)]!;
  const maskSecret = change.maskSecret ?? (await secretOf(dealer.random, own.maskKey));
  const dealt = deal(roster, maskSecret, selfSecretOf(dealer.random, before.seedCommitment), random);
  const shareRoot = change.shareRoot ?? dealt.shareRoot;
  const seedCommitment = change.seedCommitment ?? before.seedCommitment;
  const boxes = await Promise.all(
    roster.members.flatMap(({ id }, j) => (id === dealer.id ? [] : [sealFor(id, dealt.plainBoxes[j]!)])),
  );
  async function sealFor(holder: ParticipantId, honest: Bytes): Promise<[ParticipantId, Bytes]> {
    const changed = change.box?.(decodeCbor(honest) as HeldShares, holder);
    const plain = changed === undefined ? honest : changed instanceof Uint8Array ? changed : encodeCbor(changed);
    return [holder, sealBox(await keyOfBox(dealer, roster, dealer.id, holder), plain, random)];
  }
  const statement = dealingStatement(binding, round, roster.rosterRoot, {
    dealer: dealer.id,
    shareRoot,
    seedCommitment,
  });
  const signature = change.signature ?? (await dealer.identity.sign(statement));
  return { shareRoot, seedCommitment, signature, boxes };
}

/** A well signed advert of `identity`, with whatever is changed changed before it is signed. */
export async function advertOf(
  identity: Identity,
  context: AdmissionContext,
  change: Partial<AdvertBody> = {},
): Promise<AdvertBody> {
  const { binding, plan, secret, round } = context;
  const random = seededPort(Number.parseInt(identity.id.slice(0, 8), 16));
  const keys = {
    publicKey: identity.publicKey,
    boxKey: await publicKeyOf(random.bytes(32)),
    maskKey: await publicKeyOf(random.bytes(32)),
    commitment: toHex(random.bytes(32)) as Hash,
    ...change,
  };
  const advert = { ...keys, credential: change.credential ?? credentialFor(binding, plan, secret, round, keys) };
  const signature = change.signature ?? (await identity.sign(advertStatement(binding, round, advert)));
  return { ...advert, signature };
}

/** What an honest member signs at the end of a round, as far as it has got there. */
export function confirmationSeenBy({ participant }: Actor, round: RoundNumber): Confirmation {
  const { state } = participant;
  const { roster, survivors, tuple, applied } = state.rounds[round]!;
  const participants = roster!.members.map(({ id, publicKey }): [ParticipantId, PublicKey] => [id, publicKey]);
  const sheetHash = sheetHashOf({ participants, survivors: survivors!.map(([id]) => id) });
  return confirmationOf({ ...applied!, sumSpecHash: tuple!.sumSpecHash }, state.head!.recordHash, tuple!, sheetHash);
}
