/** One record of the ledger: what a round was, who took part, what came of it; chained by hash, signed by the survivors. */
import type { Brand } from '../core/brand.ts';
import type { FederationId, Hash, ParticipantId, PublicKey, Signature } from '../core/ids.ts';
import { MAX_GROUP } from '../core/plan.ts';
import { finite, hexBytes, integer, list, text, toWire, v } from '../core/schema.ts';
import type { Decoded } from '../core/schema.ts';
import { hashOf } from '../crypto/hash.ts';
import { encodeCbor } from './cbor.ts';

const hash = hexBytes<Hash>(32);
const id = hexBytes<ParticipantId>(16);
const partFigures = v.strictObject({
  lossSum: finite(0, 2 ** 50),
  correct: integer(0, 2 ** 48),
  samples: integer(0, 2 ** 48),
});

const common = {
  federation: hexBytes<FederationId>(16),
  planHash: hash,
  coordinatorKey: hexBytes<PublicKey>(32),
  round: integer(1, 2 ** 48),
  prevRecordHash: hash,
  modelHashBefore: hash,
  /** [id, Ed25519 key] of everyone on the roster, by id; empty when there was none yet. */
  participants: list(v.strictTuple([id, hexBytes<PublicKey>(32)]), MAX_GROUP),
};

const completeBody = v.strictObject({
  status: v.literal('complete'),
  ...common,
  kind: v.picklist(['train', 'evaluate']),
  /** Training rounds completed, this one included. */
  completed: integer(0, 1_000_000),
  survivors: list(id, MAX_GROUP),
  rosterRoot: hash,
  u1Root: hash,
  u2Root: hash,
  sumSpecHash: hash,
  sumHash: hash,
  modelHashAfter: hash,
  totalWeight: integer(0, 2 ** 48),
  /** Of the model that the round began with, `modelHashBefore`, added over the survivors. */
  figures: v.strictObject({ training: partFigures, validation: partFigures, test: partFigures }),
});

const abandonedBody = v.strictObject({
  status: v.literal('abandoned'),
  ...common,
  reason: text(200),
  /** Unmask shares had been asked for: the round counts as used although nothing came of it. */
  spent: v.boolean(),
});

const recordBodySchema = v.variant('status', [completeBody, abandonedBody]);

export const recordSchema = v.strictObject({
  body: recordBodySchema,
  /** [id, signature] of survivors over the confirmation (step 7); none under an abandoned round. */
  confirmations: list(v.strictTuple([id, hexBytes<Signature>(64)]), MAX_GROUP),
  coordinatorSignature: hexBytes<Signature>(64),
});

export type RecordBody = Decoded<typeof recordBodySchema>;
export type CompleteBody = Decoded<typeof completeBody>;
export type LedgerRecord = Decoded<typeof recordSchema>;

/** Bytes of a body as they are hashed and signed. */
export type RecordBytes = Brand<Uint8Array<ArrayBuffer>, 'RecordBytes'>;

export function recordBytes(body: RecordBody): RecordBytes {
  return encodeCbor(toWire(recordBodySchema, body)) as RecordBytes;
}

/** What the next record refers to; signatures are left out, so that every set of them gives one hash. */
export function recordHash(body: RecordBody): Hash {
  return hashOf(recordBytes(body));
}
