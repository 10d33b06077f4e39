/**
 * What is signed for others than the next hop: adverts, dealings, the consistency tuple, confirmations and records. Each is
 * the deterministic CBOR of an array that begins with a label of its own, so that no signature can be taken for another.
 */
import { fromHex } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Hash, ParticipantId, PublicKey, RoundNumber } from '../core/ids.ts';
import { encodeList } from './cbor.ts';
import { PROTOCOL_VERSION } from './messages.ts';
import type { AdvertBody, Binding } from './messages.ts';
import type { RecordBytes } from './record.ts';

function statement(label: string, binding: Binding, round: RoundNumber, ...parts: readonly (string | number)[]): Bytes {
  const bytes = parts.map((part) => (typeof part === 'string' ? fromHex(part) : part));
  return encodeList([
    `hushgrad ${label}`,
    PROTOCOL_VERSION,
    fromHex(binding.federation),
    fromHex(binding.planHash),
    round,
    ...bytes,
  ]);
}

/** Step 0: the keys of one participant for one round. */
export function advertStatement(binding: Binding, round: RoundNumber, advert: Omit<AdvertBody, 'signature'>): Bytes {
  const { publicKey, boxKey, maskKey, commitment, credential, named } = advert;
  const keys = [publicKey, boxKey, maskKey, commitment, credential];
  return statement('advert', binding, round, ...keys, ...(named ? [named.key, named.signature] : []));
}

/** What a named key signs: that this key of the federation is its own in this round. */
export function namedStatement(binding: Binding, round: RoundNumber, publicKey: PublicKey): Bytes {
  return statement('named', binding, round, publicKey);
}

/** What the link's secret authenticates in an advert: its keys and its commitment. */
export function credentialStatement(
  binding: Binding,
  round: RoundNumber,
  advert: Omit<AdvertBody, 'signature' | 'credential' | 'named'>,
): Bytes {
  const { publicKey, boxKey, maskKey, commitment } = advert;
  return statement('credential', binding, round, publicKey, boxKey, maskKey, commitment);
}

/** Step 2: the root of a dealer's shares and the commitment to its self-mask seed. */
export function dealingStatement(
  binding: Binding,
  round: RoundNumber,
  rosterRoot: Hash,
  dealing: { readonly dealer: ParticipantId; readonly shareRoot: Hash; readonly seedCommitment: Hash },
): Bytes {
  return statement('dealing', binding, round, rosterRoot, dealing.dealer, dealing.shareRoot, dealing.seedCommitment);
}

/** Everything that must be the same for all before anything is unmasked. */
export interface ConsistencyTuple {
  readonly rosterRoot: Hash;
  readonly u1Root: Hash;
  readonly u2Root: Hash;
  readonly modelHash: Hash;
  readonly sumSpecHash: Hash;
}

/** Step 4 (Bonawitz et al. 2017, figure 4, round 3: ConsistencyCheck). */
export function consistencyStatement(binding: Binding, round: RoundNumber, tuple: ConsistencyTuple): Bytes {
  const { rosterRoot, u1Root, u2Root, modelHash, sumSpecHash } = tuple;
  return statement('consistency', binding, round, rosterRoot, u1Root, u2Root, modelHash, sumSpecHash);
}

/** What a survivor puts its name to: the result, and what it saw of the round that led there. */
export interface Confirmation extends Omit<ConsistencyTuple, 'modelHash'> {
  readonly sumHash: Hash;
  readonly modelHashAfter: Hash;
  readonly prevRecordHash: Hash;
  /** Of the own group's participants and survivors. */
  readonly sheetHash: Hash;
  readonly figuresHash: Hash;
}

/** Step 7. */
export function confirmationStatement(binding: Binding, round: RoundNumber, confirmation: Confirmation): Bytes {
  const { sumHash, modelHashAfter, prevRecordHash, rosterRoot, u1Root, u2Root } = confirmation;
  const { sumSpecHash, sheetHash, figuresHash } = confirmation;
  const result = [sumHash, modelHashAfter, prevRecordHash, figuresHash];
  return statement('confirmation', binding, round, ...result, rosterRoot, u1Root, u2Root, sumSpecHash, sheetHash);
}

/** The coordinator's signature under a record. */
export function recordStatement(bytes: RecordBytes): Bytes {
  return encodeList(['hushgrad record', PROTOCOL_VERSION, bytes]);
}
