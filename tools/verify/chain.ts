/** The ledger of a run, record by record, as strictly as only somebody with all of it can be. */
import { asHushError, HushError } from '../../src/core/errors.ts';
import type { Hash, ParticipantId } from '../../src/core/ids.ts';
import { verifySignature } from '../../src/crypto/identity.ts';
import { confirmationOf } from '../../src/federation/confirmation.ts';
import { emptyHead, extendHead } from '../../src/federation/ledger.ts';
import type { LedgerContext, LedgerHead } from '../../src/federation/ledger.ts';
import type { CompleteBody, LedgerRecord, Sheet } from '../../src/federation/record.ts';
import { sheetHashOf } from '../../src/federation/record.ts';
import { confirmationStatement } from '../../src/federation/statements.ts';

export interface Chain {
  readonly head: LedgerHead;
  /** Different people in the records. */
  readonly people: number;
  /** Confirmations, each of which was verified. */
  readonly signatures: number;
  /** Abandoned rounds in which unmask shares had been asked for. */
  readonly spent: number;
  /** The last record is the measurement that ends a run. */
  readonly finished: boolean;
}

/** @throws HushError, its message naming line, round, field, value and what was expected. */
export async function checkChain(
  context: LedgerContext,
  initialModelHash: Hash,
  records: readonly LedgerRecord[],
): Promise<Chain> {
  let head = emptyHead(context.binding, context.coordinatorKey, initialModelHash);
  let signatures = 0;
  const people = new Set<ParticipantId>();
  for (const [i, record] of records.entries()) {
    try {
      head = await checkRecord(context, head, record);
    } catch (thrown) {
      const { code, message } = asHushError(thrown, 'verify/failed');
      throw new HushError(code, `line ${i + 1}, round ${record.body.round}: ${message}`, { cause: thrown });
    }
    for (const { participants, confirmations } of record.sheets) {
      signatures += confirmations.length;
      for (const [id] of participants) people.add(id);
    }
  }
  const bodies = records.map(({ body }) => body);
  const last = bodies.at(-1);
  return {
    head,
    people: people.size,
    signatures,
    spent: bodies.filter((body) => body.status === 'abandoned' && body.spent).length,
    finished: last?.status === 'complete' && last.kind === 'evaluate',
  };
}

async function checkRecord(context: LedgerContext, head: LedgerHead, record: LedgerRecord): Promise<LedgerHead> {
  checkFields(context, head, record);
  const next = await extendHead(context, head, record);
  await checkSheets(context, record);
  return next;
}

/** What `extendHead` checks too, told with the value and what was expected in its place. */
function checkFields({ binding, coordinatorKey }: LedgerContext, head: LedgerHead, { body }: LedgerRecord): void {
  for (const [field, got, expected] of [
    ['federation', body.federation, binding.federation],
    ['planHash', body.planHash, binding.planHash],
    ['coordinatorKey', body.coordinatorKey, coordinatorKey],
    ['prevRecordHash', body.prevRecordHash, head.recordHash],
    ['modelHashBefore', body.modelHashBefore, head.modelHash],
  ] as const) {
    if (got !== expected) throw new HushError('ledger/field', `"body.${field}" is ${got}, expected ${expected}.`);
  }
}

/**
 * A participant counts the confirmations that are valid and goes on with enough of them. Here none may be wrong, nothing
 * may stand in the record that no signature or hash covers, and nobody may be counted in two groups.
 */
async function checkSheets(context: LedgerContext, { body, sheets }: LedgerRecord): Promise<void> {
  const seen = new Set<ParticipantId>();
  for (const [id] of sheets.flatMap(({ participants }) => participants)) {
    if (seen.has(id)) throw new HushError('ledger/twice', `${id} stands in two groups, expected in one.`);
    seen.add(id);
  }
  for (const [i, sheet] of sheets.entries()) {
    if (body.status === 'complete') {
      await checkConfirmations(context, body, sheet, `sheets.${i}`);
    } else if (sheet.confirmations.length > 0) {
      const { length } = sheet.confirmations;
      throw new HushError(
        'ledger/confirmations',
        `"sheets.${i}.confirmations" has ${length} entries, expected none under an abandoned round.`,
      );
    }
  }
}

async function checkConfirmations(
  { binding }: LedgerContext,
  body: CompleteBody,
  sheet: Sheet,
  place: string,
): Promise<void> {
  const sheetHash = sheetHashOf(sheet);
  const group = body.groups.find((candidate) => candidate.sheetHash === sheetHash);
  if (group?.status !== 'summed') return;
  const message = confirmationStatement(
    binding,
    body.round,
    confirmationOf(body, body.prevRecordHash, group, sheetHash),
  );
  const keys = new Map(sheet.participants);
  const alive = new Set(sheet.survivors);
  for (const [i, [id, signature]] of sheet.confirmations.entries()) {
    const key = keys.get(id);
    if (alive.has(id) && key !== undefined && (await verifySignature(key, signature, message))) continue;
    throw new HushError(
      'ledger/confirmation',
      `"${place}.confirmations.${i}" is [${id}, ${signature.slice(0, 16)}…], expected the signature of a survivor.`,
    );
  }
}
