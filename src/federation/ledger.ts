/** The chain of records: what a late joiner, or anyone, checks before believing a model (PROTOCOL, step 7). */
import { fromHex } from '../core/bytes.ts';
import { isStopped, judge, UNJUDGED } from '../core/earlyStopping.ts';
import type { Judgement } from '../core/earlyStopping.ts';
import { HushError } from '../core/errors.ts';
import type { Hash, ParticipantId, PublicKey } from '../core/ids.ts';
import { groupCount, threshold } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { list } from '../core/schema.ts';
import type { FederatedStatistics } from '../core/statistics.ts';
import type { RoundKind } from '../core/sumSpec.ts';
import { participantIdOf, taggedHash } from '../crypto/hash.ts';
import { verifySignature } from '../crypto/identity.ts';
import type { Bytes } from '../core/bytes.ts';
import { confirmationOf } from './confirmation.ts';
import { countSigned } from './countSigned.ts';
import { groupOf, seedOf } from './groups.ts';
import type { Binding } from './messages.ts';
import { checkAscending } from './memberSets.ts';
import { recordBytes, recordHash, recordSchema, sheetHashOf } from './record.ts';
import type { CompleteBody, GroupEntry, LedgerRecord, Sheet } from './record.ts';
import { quorum } from './roster.ts';
import { decodeAs } from './schemaReader.ts';
import { encodeAs } from './schemaWriter.ts';
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
  /** Undefined until the round of statistics is done, and in plans without one. */
  readonly statistics: FederatedStatistics | undefined;
  /** What early stopping goes by. */
  readonly judgement: Judgement;
}

/** What the round that follows is for: everyone tells it from the ledger alone. */
export function kindOfNext(
  plan: Plan,
  { completed, judgement, statistics }: Pick<LedgerHead, 'completed' | 'judgement' | 'statistics'>,
): RoundKind {
  if (plan.statistics !== undefined && statistics === undefined) return 'statistics';
  return completed < plan.aggregation.rounds && !isStopped(plan, judgement) ? 'train' : 'evaluate';
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
  return {
    records: 0,
    recordHash: genesis,
    modelHash: initialModelHash,
    round: 0,
    completed: 0,
    abandoned: 0,
    statistics: undefined,
    judgement: UNJUDGED,
  };
}

export interface LedgerContext {
  readonly binding: Binding;
  readonly coordinatorKey: PublicKey;
  readonly plan: Plan;
}

/**
 * Gives the head after `record`, which has the sheets of all groups; or, where `own` says whose, of that one's group
 * alone: a live participant believes its own group's signatures, as it did when shares were released to it.
 * @throws HushError `ledger/…`, naming the round and what is wrong; `ledger/sheets` when too little was sent to judge.
 */
export async function extendHead(
  context: LedgerContext,
  head: LedgerHead,
  record: LedgerRecord,
  own?: ParticipantId,
): Promise<LedgerHead> {
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
    for (const sheet of record.sheets) {
      if (sheetHashOf(sheet) !== body.sheetHash) throw wrong('ledger/sheets', 'A sheet is not the one of this record.');
    }
    return { ...head, ...next, abandoned: head.abandoned + 1 };
  }
  const expected = head.completed + (body.kind === 'train' ? 1 : 0);
  if (body.completed !== expected) throw wrong('ledger/count', `Completed ${body.completed}, expected ${expected}.`);
  const due = kindOfNext(plan, head);
  if (body.kind !== due) {
    const far = `after ${head.completed} of ${plan.aggregation.rounds} rounds`;
    const ahead = due === 'train' ? 'ledger/early-end' : 'ledger/beyond-plan';
    const code = due === 'statistics' || body.kind === 'statistics' ? 'ledger/statistics' : ahead;
    throw wrong(code, `A round of kind "${body.kind}" ${far}, where the plan has one of kind "${due}".`);
  }
  if (body.statistics?.people !== (body.kind === 'statistics' ? body.survivors : undefined)) {
    throw wrong('ledger/statistics', 'Statistics are of all survivors, and of a round of that kind alone.');
  }
  if (body.kind === 'evaluate' && body.modelHashAfter !== body.modelHashBefore) {
    throw wrong('ledger/model', 'A round that only measures changed the model.');
  }
  await checkGroups(context, record, body, own, wrong);
  const statistics = body.statistics ?? head.statistics;
  const judgement = body.kind === 'train' ? judge(plan, head.judgement, body.figures.validation) : head.judgement;
  return { ...head, ...next, completed: body.completed, modelHash: body.modelHashAfter, statistics, judgement };
}

type Wrong = (code: `ledger/${string}`, message: string) => HushError;

/** At least t survivors have signed this sum and this model: of all groups together, or at least of one's own. */
async function checkGroups(
  context: LedgerContext,
  { sheets }: LedgerRecord,
  body: CompleteBody,
  own: ParticipantId | undefined,
  wrong: Wrong,
): Promise<void> {
  body.groups.forEach(({ group }, i) => {
    if (group !== i) throw wrong('ledger/groups', `Group ${group} stands at place ${i}.`);
  });
  const seed = seedOfRecord(context.plan, body, wrong);
  // A group that nobody was drawn into has no sheet.
  const peopled = body.groups.filter(({ members }) => members > 0);
  const bySheet = new Map(peopled.map((group) => [group.sheetHash, group]));
  const summed = body.groups.filter((group) => group.status === 'summed');
  const total = (field: 'members' | 'survivors'): number => summed.reduce((sum, group) => sum + group[field], 0);
  if (body.members !== total('members') || body.survivors !== total('survivors') || summed.length === 0) {
    throw wrong('ledger/groups', `${body.members} members, ${body.survivors} survivors: the groups have others.`);
  }
  let signed = 0;
  let ownEnough = false;
  for (const sheet of sheets) {
    const group = bySheet.get(sheetHashOf(sheet));
    if (group === undefined) throw wrong('ledger/sheets', 'A sheet is of no group of this record.');
    bySheet.delete(group.sheetHash);
    const strayed = sheet.participants.find(([id]) => seed && groupOf(seed, id, body.groups.length) !== group.group);
    if (strayed !== undefined) throw wrong('ledger/draw', `${strayed[0]} was not drawn into group ${group.group}.`);
    const least = threshold(context.plan.security.mode, group.members);
    const isOwn = group.status === 'summed' && sheet.survivors.some((id) => id === own);
    const count = await checkSheet(context, sheet, group, body, wrong, isOwn ? least : undefined);
    signed += count;
    ownEnough ||= isOwn && count >= least;
  }
  if (ownEnough) return;
  if (bySheet.size > 0) throw wrong('ledger/sheets', `The sheets of ${bySheet.size} groups are missing.`);
  const least = threshold(context.plan.security.mode, body.members);
  if (signed < least) throw wrong('ledger/confirmations', `${signed} confirmations, expected at least ${least}.`);
}

/** Undefined in plans without groups. */
function seedOfRecord(plan: Plan, { draw, groups }: CompleteBody, wrong: Wrong): Hash | undefined {
  if ((draw !== undefined) !== (plan.aggregation.groupSize !== undefined)) {
    throw wrong('ledger/draw', 'A draw is there if and only if the plan has groups.');
  }
  const people = groups.reduce((sum, { members }) => sum + members, 0);
  const expected = draw === undefined ? 1 : groupCount(plan, draw.revealed);
  if (groups.length !== expected || (draw !== undefined && draw.revealed !== people)) {
    throw wrong(
      'ledger/draw',
      `${people} people in ${groups.length} groups, expected ${draw?.revealed ?? people} in ${expected}.`,
    );
  }
  return draw && seedOf(draw);
}

/** How many of a group's survivors have signed; with `enough`, no more are looked at than that takes. */
async function checkSheet(
  { binding, plan }: LedgerContext,
  sheet: Sheet,
  group: GroupEntry,
  body: CompleteBody,
  wrong: Wrong,
  enough: number | undefined,
): Promise<number> {
  const { participants, survivors, confirmations } = sheet;
  const keys = new Map(participants);
  for (const [id, key] of keys) {
    if (participantIdOf(key) !== id) throw wrong('ledger/participant', `${id} is not the id of its key.`);
  }
  const idsOf = (entries: readonly (readonly [ParticipantId, unknown])[]) => entries.map(([id]) => id);
  checkAscending(idsOf(participants), 'participants');
  checkAscending(survivors, 'survivors');
  checkAscending(idsOf(confirmations), 'confirmations');
  const alive = new Set(survivors);
  if (!survivors.every((id) => keys.has(id))) throw wrong('ledger/survivors', 'A survivor was no participant.');
  if (keys.size !== group.members) throw wrong('ledger/members', `${keys.size} people, expected ${group.members}.`);
  if (group.status === 'lost') {
    if (confirmations.length > 0 || alive.size > 0) throw wrong('ledger/groups', 'A lost group has survivors.');
    return 0;
  }
  const needed = quorum(plan, keys.size);
  if (alive.size < needed || alive.size !== group.survivors) {
    throw wrong('ledger/survivors', `${alive.size} survivors, expected ${group.survivors}, at least ${needed}.`);
  }
  const statement = confirmationStatement(
    binding,
    body.round,
    confirmationOf(body, body.prevRecordHash, group, group.sheetHash),
  );
  return countSigned({ statement, signatures: confirmations, keys, alive }, enough);
}

export function encodeLedger(records: readonly LedgerRecord[]): Bytes {
  return encodeAs(ledgerSchema, records);
}

/** @throws HushError `ledger/schema`, `codec/cbor`. */
export function decodeLedger(bytes: Uint8Array): readonly LedgerRecord[] {
  const parsed = decodeAs(ledgerSchema, bytes);
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
