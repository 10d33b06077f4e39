/** The chain of records: what a late joiner, or anyone, checks before believing a model (PROTOCOL, step 7). */
import { fromHex } from '../core/bytes.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, PublicKey } from '../core/ids.ts';
import { threshold } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { list, toWire, v } from '../core/schema.ts';
import { participantIdOf, taggedHash } from '../crypto/hash.ts';
import { verifySignature } from '../crypto/identity.ts';
import type { Bytes } from '../core/bytes.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import type { Binding } from './messages.ts';
import { checkAscending } from './memberSets.ts';
import { recordBytes, recordHash, recordSchema } from './record.ts';
import type { CompleteBody, LedgerRecord } from './record.ts';
import { quorum } from './roster.ts';
import { confirmationStatement, recordStatement } from './statements.ts';

const ledgerSchema = list(recordSchema, 1_000_000);

/** Where a ledger stands. */
export interface LedgerHead {
  readonly records: number;
  readonly recordHash: Hash;
  readonly modelHash: Hash;
  /** Highest round number in it; 0 when empty. */
  readonly round: number;
  /** Completed training rounds. */
  readonly completed: number;
  readonly abandoned: number;
}

/** What the first record refers to. */
export function genesisHash(binding: Binding, coordinatorKey: PublicKey): Hash {
  return taggedHash(
    'hushgrad/1 ledger',
    fromHex(binding.federation),
    fromHex(binding.planHash),
    fromHex(coordinatorKey),
  );
}

export function emptyHead(binding: Binding, coordinatorKey: PublicKey, initialModelHash: Hash): LedgerHead {
  const genesis = genesisHash(binding, coordinatorKey);
  return { records: 0, recordHash: genesis, modelHash: initialModelHash, round: 0, completed: 0, abandoned: 0 };
}

export interface LedgerContext {
  readonly binding: Binding;
  readonly coordinatorKey: PublicKey;
  readonly plan: Plan;
}

/** @throws HushError `ledger/…`, naming the round and what is wrong; gives the head after `record`. */
export async function extendHead(context: LedgerContext, head: LedgerHead, record: LedgerRecord): Promise<LedgerHead> {
  const { binding, coordinatorKey, plan } = context;
  const { body } = record;
  const wrong = (code: `ledger/${string}`, message: string): HushError =>
    new HushError(code, message, { trace: [`round ${body.round}`, 'ledger record'] });
  if (
    body.federation !== binding.federation ||
    body.planHash !== binding.planHash ||
    body.coordinatorKey !== coordinatorKey
  ) {
    throw wrong('ledger/binding', 'The record belongs to another federation, plan or coordinator.');
  }
  if (body.prevRecordHash !== head.recordHash)
    throw wrong('ledger/chain', 'The record does not follow the one before.');
  if (body.round <= head.round) throw wrong('ledger/round', `Round ${body.round} after round ${head.round}.`);
  if (body.modelHashBefore !== head.modelHash) throw wrong('ledger/model', 'The round began with another model.');
  const signed = recordStatement(recordBytes(body));
  if (!(await verifySignature(coordinatorKey, record.coordinatorSignature, signed))) {
    throw wrong('ledger/coordinator', "The coordinator's signature is wrong.");
  }
  const next = { records: head.records + 1, recordHash: recordHash(body), round: body.round };
  if (body.status === 'abandoned') {
    return { ...head, ...next, abandoned: head.abandoned + 1 };
  }
  const expected = head.completed + (body.kind === 'train' ? 1 : 0);
  if (body.completed !== expected) throw wrong('ledger/count', `Completed ${body.completed}, expected ${expected}.`);
  if (body.completed > plan.aggregation.rounds) {
    throw wrong('ledger/beyond-plan', `${body.completed} rounds, and the plan has ${plan.aggregation.rounds}.`);
  }
  if (body.kind === 'evaluate' && body.modelHashAfter !== body.modelHashBefore) {
    throw wrong('ledger/model', 'A round that only measures changed the model.');
  }
  await checkConfirmations(context, record, body, wrong);
  return { ...head, ...next, completed: body.completed, modelHash: body.modelHashAfter };
}

/** At least t survivors have signed this sum and this model. */
async function checkConfirmations(
  { binding, plan }: LedgerContext,
  { confirmations }: LedgerRecord,
  body: CompleteBody,
  wrong: (code: `ledger/${string}`, message: string) => HushError,
): Promise<void> {
  const keys = new Map(body.participants);
  for (const [id, key] of keys) {
    if (participantIdOf(key) !== id) throw wrong('ledger/participant', `${id} is not the id of its key.`);
  }
  checkAscending(
    body.participants.map(([id]) => id),
    'participants',
  );
  checkAscending(body.survivors, 'survivors');
  checkAscending(
    confirmations.map(([id]) => id),
    'confirmations',
  );
  const survivors = new Set(body.survivors);
  if (!body.survivors.every((id) => keys.has(id))) throw wrong('ledger/survivors', 'A survivor was no participant.');
  const needed = quorum(plan, keys.size);
  if (survivors.size < needed) throw wrong('ledger/survivors', `${survivors.size} survivors, expected ${needed}.`);
  const message = confirmationStatement(binding, body.round, body);
  const valid = await Promise.all(
    confirmations.map(async ([id, signature]) => {
      const key = keys.get(id);
      return survivors.has(id) && key !== undefined && (await verifySignature(key, signature, message));
    }),
  );
  const count = valid.filter(Boolean).length;
  const least = threshold(plan.security.mode, keys.size);
  if (count < least) throw wrong('ledger/confirmations', `${count} confirmations, expected at least ${least}.`);
}

export function encodeLedger(records: readonly LedgerRecord[]): Bytes {
  return encodeCbor(toWire(ledgerSchema, records));
}

/** @throws HushError `ledger/schema`, `codec/cbor`. */
export function decodeLedger(bytes: Uint8Array): readonly LedgerRecord[] {
  const parsed = v.safeParse(ledgerSchema, decodeCbor(bytes));
  if (!parsed.success) throw new HushError('ledger/schema', 'The ledger is not well formed.');
  return parsed.output;
}

/** Checks a whole chain from its beginning. @throws HushError `ledger/…`. */
export async function verifyLedger(
  context: LedgerContext,
  initialModelHash: Hash,
  records: readonly LedgerRecord[],
): Promise<LedgerHead> {
  let head = emptyHead(context.binding, context.coordinatorKey, initialModelHash);
  for (const record of records) head = await extendHead(context, head, record);
  return head;
}
