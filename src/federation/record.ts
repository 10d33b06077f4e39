/** One record of the ledger: what a round was, who took part, what came of it; chained by hash, signed by the survivors. */
import type { Brand } from '../core/brand.ts';
import type { FederationId, Hash, ParticipantId, PublicKey, Signature } from '../core/ids.ts';
import { amountsOf, MAX_COUNTED_CLASSES } from '../core/counts.ts';
import { MAX_COHORT, MAX_GROUP } from '../core/plan.ts';
import { finite, hexBytes, integer, list, text, v } from '../core/schema.ts';
import type { Decoded } from '../core/schema.ts';
import { PARTS } from '../core/figures.ts';
import { LARGEST_STATISTIC, ROUND_KINDS } from '../core/sumSpec.ts';
import { MAX_TALLIES } from '../core/statisticsLayout.ts';
import type { FederatedStatistics } from '../core/statistics.ts';
import { hashOf, taggedHash } from '../crypto/hash.ts';
import { encodeCbor } from './cbor.ts';
import { encodeAs } from './schemaWriter.ts';

const hash = hexBytes<Hash>(32);
const id = hexBytes<ParticipantId>(16);
const cells = v.pipe(list(integer(0, 2 ** 48), MAX_COUNTED_CLASSES ** 2), v.readonly());
/** Of everyone together, at most 2^17 people. */
const valueSum = finite(0, 2 ** 71);
export const countsSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('classes'), cells }),
  v.strictObject({
    kind: v.literal('values'),
    absoluteErrorSum: valueSum,
    squaredErrorSum: valueSum,
    targetAboveSum: valueSum,
    targetBelowSum: valueSum,
    squaredTargetSum: valueSum,
  }),
]);
const partFigures = v.strictObject({
  lossSum: finite(0, 2 ** 50),
  correct: integer(0, 2 ** 48),
  samples: integer(0, 2 ** 48),
  counts: v.optional(countsSchema),
});

/** What the numbers are of is told by the plan (`statisticsLayout`). */
const statisticsSchema = v.strictObject({
  people: integer(1, MAX_COHORT),
  examples: integer(0, Number.MAX_SAFE_INTEGER),
  features: list(
    v.strictObject({
      count: integer(0, Number.MAX_SAFE_INTEGER),
      mean: finite(-LARGEST_STATISTIC, LARGEST_STATISTIC),
      variance: finite(0, LARGEST_STATISTIC * LARGEST_STATISTIC),
    }),
    MAX_TALLIES,
  ),
  counts: list(integer(0, Number.MAX_SAFE_INTEGER), MAX_TALLIES),
});

const common = {
  federation: hexBytes<FederationId>(16),
  planHash: hash,
  coordinatorKey: hexBytes<PublicKey>(32),
  round: integer(1, 2 ** 48),
  prevRecordHash: hash,
  modelHashBefore: hash,
};

/** What each group has, whatever came of it. `sheetHash` names its participants and survivors. */
const groupCommon = {
  group: integer(0, MAX_COHORT),
  rosterRoot: hash,
  members: integer(0, MAX_COHORT),
  sheetHash: hash,
};

const groupSchema = v.variant('status', [
  v.strictObject({
    status: v.literal('summed'),
    ...groupCommon,
    u1Root: hash,
    u2Root: hash,
    survivors: integer(0, MAX_GROUP),
  }),
  v.strictObject({
    status: v.literal('lost'),
    ...groupCommon,
    reason: text(200),
    /** Unmask shares had been asked for. */
    spent: v.boolean(),
  }),
]);

/** What the groups were drawn from (step 1g): the same for all of them, or somebody was shown another draw. */
const drawSchema = v.strictObject({
  /** Of the adverts. */
  people: integer(1, MAX_COHORT),
  advertRoot: hash,
  revealed: integer(1, MAX_COHORT),
  revealRoot: hash,
});

const completeBody = v.strictObject({
  status: v.literal('complete'),
  ...common,
  kind: v.picklist(ROUND_KINDS),
  /** Training rounds completed, this one included. */
  completed: integer(0, 1_000_000),
  draw: v.optional(drawSchema),
  /** By number. Without groups there is one, which holds everyone. */
  groups: list(groupSchema, MAX_COHORT),
  /** Of the groups that were summed, together. */
  members: integer(0, MAX_COHORT),
  survivors: integer(0, MAX_COHORT),
  sumSpecHash: hash,
  sumHash: hash,
  modelHashAfter: hash,
  totalWeight: integer(0, 2 ** 53 - 1),
  /** Of the model that the round began with, `modelHashBefore`, added over the survivors. */
  figures: v.strictObject({ training: partFigures, validation: partFigures, test: partFigures }),
  /** Of a round of statistics, and of no other. */
  statistics: v.optional(statisticsSchema),
});

const abandonedBody = v.strictObject({
  status: v.literal('abandoned'),
  ...common,
  members: integer(0, MAX_COHORT),
  /** Of the only sheet, which names everyone in the round. */
  sheetHash: hash,
  reason: text(200),
  /** Unmask shares had been asked for: the round counts as used although nothing came of it. */
  spent: v.boolean(),
});

const recordBodySchema = v.variant('status', [completeBody, abandonedBody]);

/** The people of one group. Only the first two are under its hash: every set of signatures gives one record. */
const sheetSchema = v.strictObject({
  /** [id, Ed25519 key] of everyone on the roster, by id. */
  participants: list(v.strictTuple([id, hexBytes<PublicKey>(32)]), MAX_COHORT),
  survivors: list(id, MAX_GROUP),
  /** [id, signature] of survivors over the confirmation (step 7). */
  confirmations: list(v.strictTuple([id, hexBytes<Signature>(64)]), MAX_GROUP),
});

/** What of it is under its hash. */
const peopleSchema = v.strictTuple([sheetSchema.entries.participants, sheetSchema.entries.survivors]);

export const recordSchema = v.strictObject({
  body: recordBodySchema,
  /** Of all groups; or, where a record is told to a group, of that group alone. */
  sheets: list(sheetSchema, MAX_COHORT),
  coordinatorSignature: hexBytes<Signature>(64),
});

export type RecordBody = Decoded<typeof recordBodySchema>;
export type CompleteBody = Decoded<typeof completeBody>;
export type DrawEntry = Decoded<typeof drawSchema>;
export type GroupEntry = Decoded<typeof groupSchema>;
export type SummedGroup = Extract<GroupEntry, { readonly status: 'summed' }>;
export type Sheet = Decoded<typeof sheetSchema>;
export type LedgerRecord = Decoded<typeof recordSchema>;

/** Bytes of a body as they are hashed and signed. */
export type RecordBytes = Brand<Uint8Array<ArrayBuffer>, 'RecordBytes'>;

interface Written {
  readonly bytes: RecordBytes;
  readonly hash: Hash;
}

/** A record of many groups is long, and looked at several times by everyone who is told it. */
const written = new WeakMap<RecordBody, Written>();

function writtenOf(body: RecordBody): Written {
  const known = written.get(body);
  if (known !== undefined) return known;
  const bytes = encodeAs(recordBodySchema, body) as RecordBytes;
  const made = { bytes, hash: hashOf(bytes) };
  written.set(body, made);
  return made;
}

/** Not to be written to. */
export function recordBytes(body: RecordBody): RecordBytes {
  return writtenOf(body).bytes;
}

/** What the next record refers to; signatures are left out, so that every set of them gives one hash. */
export function recordHash(body: RecordBody): Hash {
  return writtenOf(body).hash;
}

export function sheetHashOf({ participants, survivors }: Pick<Sheet, 'participants' | 'survivors'>): Hash {
  return taggedHash('hushgrad/1 sheet', encodeAs(peopleSchema, [participants, survivors]));
}

/** What the sum said beside the model. */
export type Told = Pick<CompleteBody, 'totalWeight' | 'figures'> & {
  readonly statistics?: FederatedStatistics | undefined;
};

/** Signed in every confirmation, so that a record cannot say something else. */
export function figuresHashOf({ totalWeight, figures, statistics }: Told): Hash {
  const numbers = PARTS.flatMap((part) => {
    const { lossSum, correct, samples, counts } = figures[part];
    return [lossSum, correct, samples, ...(counts ? amountsOf(counts) : [])];
  });
  return taggedHash(
    'hushgrad/1 figures',
    encodeCbor([totalWeight, ...numbers, ...(statistics ? [listed(statistics)] : [])]),
  );
}

function listed({ people, examples, features, counts }: FederatedStatistics): readonly unknown[] {
  return [people, examples, features.map(({ count, mean, variance }) => [count, mean, variance]), counts];
}
