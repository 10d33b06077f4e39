/** Every message of the protocol: its body, who may send it, and how large it may be. */
import { ownBytes } from '../core/bytes.ts';
import type { FederationId, Hash, ParticipantId, PublicKey, RoundNumber, Signature } from '../core/ids.ts';
import { MAX_COHORT, MAX_GROUP, MAX_PLAN_BYTES } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { finite, hexBytes, integer, list, rawBytes, text, v } from '../core/schema.ts';
import type { Decoded } from '../core/schema.ts';
import { packedLength, ROUND_KINDS, sumSpecFor, wordCount } from '../core/sumSpec.ts';
import type { MaskedUpdate } from '../core/updateStages.ts';
import { recordSchema } from './record.ts';

export const PROTOCOL_VERSION = 1;

const id = hexBytes<ParticipantId>(16);
const hash = hexBytes<Hash>(32);
const key = hexBytes<PublicKey>(32);
const signature = hexBytes<Signature>(64);
const nonce = hexBytes<string>(16);
const versions = list(integer(0, 65_535), 16);
const share = rawBytes(32);
const proof = list(rawBytes(32), 10);
/** In a tree over a whole cohort. */
const cohortProof = list(rawBytes(32), 17);

/** Bytes of one message that carries a whole vector: a model, a masked update or a sum, of at most 2^24 words. */
const VECTOR_BYTES = 2 ** 26;
const LEDGER_BYTES = 2 ** 26;
const CONTROL_BYTES = 4096;
/** A few hundred bytes for each member of a group. */
const GROUP_BYTES = 2 ** 20;
/** Some 150 bytes for each member of a cohort. */
const RECORD_BYTES = 2 ** 24;
/** Two Merkle proofs for each member. */
const PROOF_BYTES = 2 ** 21;

const advertBody = v.strictObject({
  publicKey: key,
  boxKey: key,
  maskKey: key,
  /** To randomness that is revealed only in plans with groups, step 1g. */
  commitment: hash,
  /** HMAC under the link's secret; zeros where anyone is admitted. */
  credential: hash,
  /** Somebody whom the plan lists by name: its key, and its signature over the statement that `publicKey` is its own. */
  named: v.optional(v.strictObject({ key, signature })),
  signature,
});

/** The only stage of an update that any message holds; no other compiles where one is sent. */
const maskedBytes = v.pipe(
  rawBytes(VECTOR_BYTES),
  v.transform((bytes) => ownBytes(bytes) as MaskedUpdate),
);

/** What a dealer lets everyone know of its shares: roots and commitments, signed. */
const dealingTuple = v.strictTuple([id, hash, hash, signature]);

/** [dealer, share, salt, Merkle proof against the dealer's root]. */
const openedShare = v.strictTuple([id, share, rawBytes(16), proof]);

const bodies = {
  // --- meeting ---
  challenge: v.strictObject({ versions, nonce }),
  hello: v.strictObject({
    versions,
    publicKey: key,
    nonce,
    ownNonce: nonce,
    credential: hash,
    /** Said where the link admits named people only, so that others are told at once; proved in every advert. */
    named: v.optional(key),
  }),
  welcome: v.strictObject({
    version: integer(0, 65_535),
    nonce,
    shard: integer(0, 1_000_000),
    records: integer(0, 10_000_000),
    /** Hash of the last record, or of the empty ledger. */
    head: hash,
    round: integer(0, 2 ** 48),
    finished: v.boolean(),
  }),
  unwelcome: v.strictObject({ nonce, reason: text(200) }),
  fetch: v.strictObject({ what: v.picklist(['plan', 'model', 'ledger']), hash }),
  item: v.strictObject({
    what: v.picklist(['plan', 'model', 'ledger']),
    hash,
    /** Absent when it is not kept any more. */
    content: v.optional(rawBytes(LEDGER_BYTES)),
  }),
  progress: v.strictObject({
    phase: v.picklist(['preparing', 'ready', 'training', 'masking', 'paused']),
    fraction: finite(0, 1),
    engine: v.pipe(v.string(), v.maxLength(80)),
    samples: integer(0, 1_000_000_000),
    trainMs: integer(0, 2 ** 40),
  }),
  leave: v.strictObject({ reason: text(200) }),
  end: v.strictObject({ reason: text(200) }),
  /** Where everyone in the round stands, for the picture of it; nothing rests on it. */
  status: v.strictObject({
    people: list(v.strictTuple([id, text(16), finite(0, 1), v.pipe(v.string(), v.maxLength(16))]), MAX_GROUP),
    unmasked: v.boolean(),
  }),
  // --- the round ---
  call: v.strictObject({ deadlineMs: integer(0, 2 ** 40) }),
  advert: advertBody,
  /** Step 1g: everyone who advertised, under one root, and where the receiver's own advert is in it. */
  cohort: v.strictObject({
    size: integer(1, MAX_COHORT),
    advertRoot: hash,
    index: integer(0, MAX_COHORT),
    proof: cohortProof,
  }),
  /** What the advert's commitment is to. */
  reveal: v.strictObject({
    randomness: v.pipe(
      rawBytes(32),
      v.check((bytes) => bytes.length === 32, '32 bytes'),
    ),
  }),
  /** The root over all reveals, from which the groups follow, and where the receiver's own is in it. */
  draw: v.strictObject({
    revealed: integer(1, MAX_COHORT),
    revealRoot: hash,
    index: integer(0, MAX_COHORT),
    proof: cohortProof,
  }),
  roster: v.strictObject({
    adverts: list(advertBody, MAX_GROUP),
    /** With groups: index and proof of each advert in the cohort. */
    places: v.optional(list(v.strictTuple([integer(0, MAX_COHORT), cohortProof]), MAX_GROUP)),
  }),
  share: v.strictObject({
    shareRoot: hash,
    seedCommitment: hash,
    signature,
    boxes: list(v.strictTuple([id, rawBytes(2048)]), MAX_GROUP),
  }),
  deliver: v.strictObject({
    dealings: list(dealingTuple, MAX_GROUP),
    boxes: list(v.strictTuple([id, rawBytes(2048)]), MAX_GROUP),
  }),
  /** Names dealers whose boxes of shares do not open or do not prove. */
  complain: v.strictObject({ dealers: list(id, MAX_GROUP) }),
  begin: v.strictObject({
    kind: v.picklist(ROUND_KINDS),
    modelHash: hash,
    /** Completed training rounds before this one. */
    completed: integer(0, 1_000_000),
    deadlineMs: integer(0, 2 ** 40),
  }),
  masked: v.strictObject({ piecesRoot: hash, packed: maskedBytes }),
  survivors: v.strictObject({ survivors: list(v.strictTuple([id, hash]), MAX_GROUP) }),
  agree: v.strictObject({ signature }),
  agreed: v.strictObject({ signatures: list(v.strictTuple([id, signature]), MAX_GROUP) }),
  unmask: v.strictObject({ selfShares: list(openedShare, MAX_GROUP), keyShares: list(openedShare, MAX_GROUP) }),
  result: v.strictObject({
    kind: v.picklist(ROUND_KINDS),
    modelHash: hash,
    /** n and |U2| of all groups that are in the sum. */
    members: integer(1, MAX_COHORT),
    survivors: integer(1, MAX_COHORT),
    packedSum: rawBytes(VECTOR_BYTES),
  }),
  confirm: v.strictObject({ sumHash: hash, modelHashAfter: hash, signature }),
  record: v.strictObject({ record: recordSchema }),
  abandon: v.strictObject({ reason: text(200), record: v.optional(recordSchema) }),
  refuse: v.strictObject({ code: text(80), reason: text(400), guardRound: integer(0, 2 ** 48) }),
} as const;

export type MessageType = keyof typeof bodies;
export type Body<Type extends MessageType> = Decoded<(typeof bodies)[Type]>;
export type AdvertBody = Body<'advert'>;
export type OpenedShare = Decoded<typeof openedShare>;
export type Dealing = Decoded<typeof dealingTuple>;

/** A message whose envelope was checked: signature, sender, federation, plan, schema, size. */
export type Message = {
  readonly [Type in MessageType]: { readonly type: Type; readonly round: RoundNumber; readonly body: Body<Type> };
}[MessageType];

export type Role = 'coordinator' | 'participant';

interface Rule {
  readonly sender: Role;
  /** Of the encoded body. */
  readonly maxBytes: number;
}

const RULES: Readonly<Record<MessageType, Rule>> = {
  challenge: { sender: 'coordinator', maxBytes: CONTROL_BYTES },
  hello: { sender: 'participant', maxBytes: CONTROL_BYTES },
  welcome: { sender: 'coordinator', maxBytes: CONTROL_BYTES },
  unwelcome: { sender: 'coordinator', maxBytes: CONTROL_BYTES },
  fetch: { sender: 'participant', maxBytes: CONTROL_BYTES },
  item: { sender: 'coordinator', maxBytes: Math.max(VECTOR_BYTES, LEDGER_BYTES, MAX_PLAN_BYTES) + CONTROL_BYTES },
  progress: { sender: 'participant', maxBytes: CONTROL_BYTES },
  leave: { sender: 'participant', maxBytes: CONTROL_BYTES },
  end: { sender: 'coordinator', maxBytes: CONTROL_BYTES },
  status: { sender: 'coordinator', maxBytes: GROUP_BYTES },
  call: { sender: 'coordinator', maxBytes: CONTROL_BYTES },
  advert: { sender: 'participant', maxBytes: CONTROL_BYTES },
  cohort: { sender: 'coordinator', maxBytes: CONTROL_BYTES },
  reveal: { sender: 'participant', maxBytes: CONTROL_BYTES },
  draw: { sender: 'coordinator', maxBytes: CONTROL_BYTES },
  roster: { sender: 'coordinator', maxBytes: GROUP_BYTES },
  share: { sender: 'participant', maxBytes: GROUP_BYTES },
  deliver: { sender: 'coordinator', maxBytes: GROUP_BYTES },
  complain: { sender: 'participant', maxBytes: 8192 },
  begin: { sender: 'coordinator', maxBytes: CONTROL_BYTES },
  masked: { sender: 'participant', maxBytes: VECTOR_BYTES + CONTROL_BYTES },
  survivors: { sender: 'coordinator', maxBytes: GROUP_BYTES },
  agree: { sender: 'participant', maxBytes: CONTROL_BYTES },
  agreed: { sender: 'coordinator', maxBytes: GROUP_BYTES },
  unmask: { sender: 'participant', maxBytes: PROOF_BYTES },
  result: { sender: 'coordinator', maxBytes: VECTOR_BYTES + CONTROL_BYTES },
  confirm: { sender: 'participant', maxBytes: CONTROL_BYTES },
  record: { sender: 'coordinator', maxBytes: RECORD_BYTES },
  abandon: { sender: 'coordinator', maxBytes: RECORD_BYTES },
  refuse: { sender: 'participant', maxBytes: CONTROL_BYTES },
};

/** What a peer may send at the most, envelope included. */
export const LARGEST_MESSAGE_BYTES = Math.max(...Object.values(RULES).map((rule) => rule.maxBytes)) + CONTROL_BYTES;

/** What a participant of this plan may send at the most: its masked update, or proofs for a whole group. */
export function largestFromParticipantBytes(plan: Plan): number {
  const words = Math.max(...ROUND_KINDS.map((kind) => wordCount(sumSpecFor(kind, plan))));
  return Math.max(packedLength(words, 32), PROOF_BYTES) + CONTROL_BYTES;
}

export function isMessageType(type: string): type is MessageType {
  return Object.hasOwn(RULES, type);
}

export function ruleOf(type: MessageType): Rule {
  return RULES[type];
}

export function bodySchema(type: MessageType): v.GenericSchema {
  return bodies[type];
}

/** Who and what an envelope must be about. */
export interface Binding {
  readonly federation: FederationId;
  readonly planHash: Hash;
}
