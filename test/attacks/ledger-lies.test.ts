/** A ledger that says of a round what was not: refused by whoever reads it, and by whoever was there. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Hash, ParticipantId } from '../../src/core/ids.ts';
import { createIdentity, identityFrom } from '../../src/crypto/identity.ts';
import { confirmationOf } from '../../src/federation/confirmation.ts';
import { encodeLedger, verifyLedger } from '../../src/federation/ledger.ts';
import type { LedgerContext } from '../../src/federation/ledger.ts';
import { recordBytes, recordHash, sheetHashOf } from '../../src/federation/record.ts';
import type { CompleteBody, LedgerRecord, RecordBody, Sheet } from '../../src/federation/record.ts';
import { confirmationStatement, recordStatement } from '../../src/federation/statements.ts';
import { telling } from '../support/liars.ts';
import { planDocument } from '../support/planDocument.ts';
import { until } from '../support/room.ts';
import { logged, Stage } from '../support/stage.ts';

const OTHER = 'ab'.repeat(32) as Hash;

/** The record as the coordinator would have signed it, with another body. */
async function resign(stage: Stage, record: LedgerRecord, body: RecordBody): Promise<LedgerRecord> {
  const identity = await identityFrom(stage.room.deed.keyPair);
  return { ...record, body, coordinatorSignature: await identity.sign(recordStatement(recordBytes(body))) };
}

describe('whoever verifies a ledger refuses', () => {
  let stage: Stage;
  let context: LedgerContext;
  let initial: Hash;
  let records: readonly LedgerRecord[];
  beforeAll(async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 1 }));
    initial = stage.coordinator.state.head.modelHash;
    await stage.joinAll(4);
    await stage.finished();
    const { binding, plan, head } = stage.coordinator.state;
    context = { binding, plan, coordinatorKey: stage.coordinator.invite.key };
    ({ records } = stage.coordinator);
    expect(await verifyLedger(context, initial, records)).toEqual(head);
  });
  afterAll(() => stage.close());

  const first = () => ({ record: records[0]!, body: records[0]!.body as CompleteBody, sheet: records[0]!.sheets[0]! });

  test.each<[string, (body: CompleteBody) => Partial<RecordBody>]>([
    ['ledger/binding', () => ({ federation: 'ab'.repeat(16) as never })],
    ['ledger/binding', () => ({ planHash: OTHER })],
    ['ledger/binding', () => ({ coordinatorKey: OTHER as never })],
    ['ledger/chain', () => ({ prevRecordHash: OTHER })],
    ['ledger/model', () => ({ modelHashBefore: OTHER })],
    ['ledger/early-end', () => ({ kind: 'evaluate', completed: 0 })],
    ['ledger/count', () => ({ completed: 0 })],
    ['ledger/count', () => ({ completed: 2 })],
    ['ledger/groups', ({ survivors }) => ({ survivors: survivors - 1 })],
    ['ledger/groups', ({ members }) => ({ members: members + 1 })],
    ['ledger/groups', () => ({ groups: [] })],
    ['ledger/confirmations', () => ({ modelHashAfter: OTHER })],
    ['ledger/confirmations', () => ({ sumHash: OTHER })],
    ['ledger/confirmations', () => ({ sumSpecHash: OTHER })],
    ['ledger/confirmations', ({ totalWeight }) => ({ totalWeight: totalWeight + 1 })],
    ['ledger/confirmations', ({ figures }) => ({ figures: { ...figures, test: { ...figures.test, correct: 1 } } })],
    ['ledger/confirmations', ({ groups: [group] }) => ({ groups: [{ ...group!, rosterRoot: OTHER }] })],
    [
      'ledger/confirmations',
      ({ groups: [group] }) => ({ groups: [{ ...group!, u1Root: OTHER } as typeof group & {}] }),
    ],
    [
      'ledger/confirmations',
      ({ groups: [group] }) => ({ groups: [{ ...group!, u2Root: OTHER } as typeof group & {}] }),
    ],
    ['ledger/sheets', ({ groups: [group] }) => ({ groups: [{ ...group!, sheetHash: OTHER }] })],
    [
      'ledger/draw',
      ({ groups: [group] }) => ({
        draw: { people: 4, advertRoot: OTHER, revealed: 4, revealRoot: OTHER },
        groups: [group!],
      }),
    ],
  ])('with %s a record that the coordinator signed anew, changed as %s', async (code, change) => {
    const { record, body } = first();
    const changed = { ...body, ...change(body) } as CompleteBody;
    // An empty list of groups has no members either.
    const consistent = changed.groups.length === 0 ? { ...changed, members: 0, survivors: 0 } : changed;
    const forged = await resign(stage, record, consistent);
    const expected = changed.groups.length === 0 ? expect.stringMatching(/^ledger\//) : code;
    await expect(verifyLedger(context, initial, [forged])).rejects.toMatchObject({ code: expected });
  });

  test('a record that the coordinator did not sign, or signed otherwise', async () => {
    const { record, body } = first();
    const stranger = await createIdentity();
    const coordinatorSignature = await stranger.sign(recordStatement(recordBytes(body)));
    for (const forged of [
      { ...record, coordinatorSignature },
      { ...record, body: { ...body, sumHash: OTHER } },
    ]) {
      await expect(verifyLedger(context, initial, [forged])).rejects.toMatchObject({ code: 'ledger/coordinator' });
    }
  });

  test.each<[string, string, (sheet: Sheet) => Partial<Sheet>]>([
    [
      'less than t confirmations',
      'ledger/confirmations',
      ({ confirmations }) => ({ confirmations: confirmations.slice(0, 2) }),
    ],
    [
      'one confirmation three times',
      'set/order',
      ({ confirmations: [one] }) => ({ confirmations: [one!, one!, one!] }),
    ],
    [
      'one signature under every name',
      'ledger/confirmations',
      ({ confirmations: list }) => ({ confirmations: list.map(([id]) => [id, list[0]![1]]) }),
    ],
    [
      'confirmations out of order',
      'set/order',
      ({ confirmations }) => ({ confirmations: [...confirmations].reverse() }),
    ],
    ['other participants', 'ledger/sheets', ({ participants }) => ({ participants: participants.slice(1) })],
    ['other survivors', 'ledger/sheets', ({ survivors }) => ({ survivors: survivors.slice(1) })],
  ])('%s', async (_name, code, change) => {
    const { record, sheet } = first();
    const forged = { ...record, sheets: [{ ...sheet, ...change(sheet) }] };
    await expect(verifyLedger(context, initial, [forged])).rejects.toMatchObject({ code });
  });

  test('no sheet at all, or one twice', async () => {
    const { record, sheet } = first();
    for (const sheets of [[], [sheet, sheet]]) {
      await expect(verifyLedger(context, initial, [{ ...record, sheets }])).rejects.toMatchObject({
        code: 'ledger/sheets',
      });
    }
  });

  test('names that are not those of their keys, survivors who were not there, too few of them', async () => {
    const { record, body, sheet } = first();
    const outsider = await createIdentity();
    const sheets: readonly (readonly [string, Partial<Sheet>])[] = [
      [
        'ledger/participant',
        { participants: sheet.participants.map(([id], i) => [id, sheet.participants[(i + 1) % 4]![1]]) },
      ],
      ['ledger/survivors', { survivors: [...sheet.survivors.slice(0, 3), 'ff'.repeat(16) as ParticipantId] }],
      ['ledger/survivors', { survivors: sheet.survivors.slice(0, 2) }],
      [
        'ledger/members',
        {
          participants: [
            ...sheet.participants,
            [outsider.id, outsider.publicKey] as [ParticipantId, typeof outsider.publicKey],
          ].sort(([a], [b]) => (a < b ? -1 : 1)),
        },
      ],
    ];
    for (const [code, change] of sheets) {
      const forgedSheet = { ...sheet, ...change };
      const [group] = body.groups;
      const count = forgedSheet.survivors.length;
      const entry = {
        ...group!,
        sheetHash: sheetHashOf(forgedSheet),
        survivors: count,
      } as CompleteBody['groups'][number];
      const forged = await resign(stage, record, { ...body, groups: [entry], survivors: count });
      await expect(verifyLedger(context, initial, [{ ...forged, sheets: [forgedSheet] }])).rejects.toMatchObject({
        code,
      });
    }
  });

  test('rounds left out, repeated, put in another order, or beyond the plan', async () => {
    const [one, two] = records;
    for (const [code, list] of [
      ['ledger/chain', [two!]],
      ['ledger/chain', [one!, one!]],
      ['ledger/round', [one!, await resign(stage, two!, { ...two!.body, round: 1 })]],
      [
        'ledger/beyond-plan',
        [one!, await resign(stage, two!, { ...(two!.body as CompleteBody), kind: 'train', completed: 2 })],
      ],
      ['ledger/model', [one!, await resign(stage, two!, { ...(two!.body as CompleteBody), modelHashAfter: OTHER })]],
    ] as const) {
      await expect(verifyLedger(context, initial, list)).rejects.toMatchObject({ code });
    }
  });
});

describe('whoever was there', () => {
  let stage: Stage;
  afterEach(() => stage.close());

  /** Everyone leaves for good, with `code`, at what they are told of round 1. */
  async function leaves(code: string): Promise<void> {
    for (const { participant } of stage.actors) {
      await until(participant, () => participant.view().phase === 'refused');
      expect(participant.view().problem?.code).toBe(code);
    }
  }

  test('leaves when a record comes with too few confirmations, and the ledger has no more', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 2 }));
    const cut = (record: LedgerRecord): LedgerRecord => ({
      ...record,
      sheets: record.sheets.map((sheet) => ({ ...sheet, confirmations: sheet.confirmations.slice(0, 2) })),
    });
    stage.coordinator.lies = [
      telling('record', ({ record }) => ({ record: cut(record) })),
      telling('item', (body) =>
        body.what === 'ledger' ? { ...body, content: encodeLedger(stage.coordinator.records.map(cut)) } : body,
      ),
    ];
    await stage.joinAll(4);
    await leaves('ledger/confirmations');
  });

  test('leaves when enough others have signed that the round was another one', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 2 }));
    const { coordinator } = stage;
    let forged: Promise<LedgerRecord> | undefined;
    coordinator.lies = [
      (message, to) => {
        if (message.type !== 'record' || message.round !== 1 || forged !== undefined) return [[message, to]];
        const { record } = message.body;
        const body = record.body as CompleteBody;
        const [sheet] = record.sheets;
        const group = { ...body.groups[0]!, u1Root: OTHER } as Extract<
          CompleteBody['groups'][number],
          { status: 'summed' }
        >;
        const other = { ...body, groups: [group] };
        const statement = confirmationStatement(
          coordinator.state.binding,
          1,
          confirmationOf(other, body.prevRecordHash, group, group.sheetHash),
        );
        // Three of four collude and sign; the fourth was there.
        forged = Promise.all(
          stage.actors
            .slice(1)
            .map(async ({ id, identity }): Promise<[ParticipantId, never]> => [
              id,
              (await identity.sign(statement)) as never,
            ]),
        ).then((confirmations) => resign(stage, { ...record, sheets: [{ ...sheet!, confirmations }] }, other));
        void forged.then((lie) => coordinator.say('record', 1, { record: lie }, [stage.actors[0]!.id]));
        return [];
      },
    ];
    await stage.joinAll(4);
    const { participant } = stage.actors[0]!;
    await until(participant, () => participant.view().phase === 'refused');
    expect(participant.view().problem?.code).toBe('ledger/contradiction');
    expect(logged(participant, 'u1Root', 'round 1')).toBe(true);
  });

  test('leaves when the history is written anew', async () => {
    stage = await Stage.open(planDocument({ people: 4, rounds: 3 }));
    const { coordinator } = stage;
    await stage.joinAll(4);
    await until(coordinator, () => coordinator.state.head.completed >= 1);
    for (const { participant } of stage.actors)
      await until(participant, () => (participant.state.head?.records ?? 0) >= 1);
    const [first] = coordinator.records;
    const { federation, planHash, coordinatorKey, round, prevRecordHash, modelHashBefore } = first!.body;
    const nobody: Sheet = { participants: [], survivors: [], confirmations: [] };
    // An abandoned round needs nobody's signature but the coordinator's.
    const body: RecordBody = {
      status: 'abandoned',
      federation,
      planHash,
      coordinatorKey,
      round,
      prevRecordHash,
      modelHashBefore,
      members: 0,
      sheetHash: sheetHashOf(nobody),
      reason: 'It never was.',
      spent: false,
    };
    const rewritten = await resign(stage, { ...first!, sheets: [nobody] }, body);
    coordinator.lies = [
      telling('item', (item) => (item.what === 'ledger' ? { ...item, content: encodeLedger([rewritten]) } : item)),
      (message, to) => (['record', 'abandon', 'result', 'end'].includes(message.type) ? [] : [[message, to]]),
    ];
    coordinator.say(
      'record',
      round,
      { record: { ...rewritten, body: { ...body, round: 99, prevRecordHash: recordHash(body) } } },
      stage.actors.map(({ id }) => id),
    );
    await leaves('ledger/rewritten');
  });

  test('leaves when a record is not signed by the coordinator', async () => {
    stage = await Stage.open(planDocument({ people: 3, rounds: 1 }));
    const { coordinator } = stage;
    coordinator.lies = [
      telling('record', ({ record }) => ({ record: { ...record, coordinatorSignature: '00'.repeat(64) as never } })),
    ];
    await stage.joinAll(3);
    await leaves('ledger/coordinator');
  });
});
