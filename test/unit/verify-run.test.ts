/** `npm run verify`: a finished run is accepted from its files alone; whatever is changed in them is refused, and named. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FederationId, PublicKey } from '../../src/core/ids.ts';
import { verifyRun } from '../../tools/verify/verifyRun.ts';
import type { FileName, Pins, RunFiles, Verdict } from '../../tools/verify/verifyRun.ts';
import { finishedRun, withByte, withText } from '../support/finishedRun.ts';
import type { FinishedRun } from '../support/finishedRun.ts';
import { planDocument } from '../support/planDocument.ts';

const NONE: Pins = { key: undefined, federation: undefined };
const verify = (files: RunFiles, pins: Pins = NONE): Promise<Verdict> => verifyRun(files, pins);

let run: FinishedRun;
let files: RunFiles;

beforeAll(async () => {
  run = await finishedRun(planDocument({ rounds: 2, people: 4 }), 4, true);
  files = run.files;
});

afterAll(() => run.room.close());

function text(name: FileName): string {
  return new TextDecoder().decode(files[name]);
}

describe('a finished run', () => {
  test('is accepted, with what was checked', async () => {
    const { coordinator } = run.room;
    const verdict = await verify(files);
    expect(verdict.problems).toEqual([]);
    expect(verdict).toMatchObject({
      ok: true,
      records: coordinator.state.head.records,
      rounds: 2,
      participants: 6,
      modelHash: coordinator.state.head.modelHash,
    });
    expect(coordinator.state.head.abandoned).toBeGreaterThan(0);
    expect(verdict.checks.map(({ name, ok }) => [name, ok])).toEqual(
      `plan ledger coordinator records signatures rounds weights model safetensors card metrics table`
        .split(' ')
        .map((name) => [name, true]),
    );
  });

  test('is accepted of every mode and with groups', async () => {
    const grouped = planDocument({ rounds: 1, people: 9 });
    const plans = [
      planDocument({ rounds: 1, mode: 'honest-but-curious' }),
      { ...grouped, aggregation: { ...grouped.aggregation, groupSize: 4 } },
    ];
    for (const plan of plans) {
      const other = await finishedRun(plan, plan.aggregation.cohort.target);
      const verdict = await verify(other.files);
      other.room.close();
      expect(verdict.problems).toEqual([]);
      expect(verdict).toMatchObject({ ok: true, rounds: 1, participants: plan.aggregation.cohort.target });
    }
  });

  test('is held to what is known from the link', async () => {
    const { key, federation } = run.room.coordinator.invite;
    const pinned = await verify(files, { key, federation });
    expect(pinned.ok).toBe(true);
    expect(pinned.checks.find(({ name }) => name === 'coordinator')?.text).toContain('(as pinned)');
    const other = 'ab'.repeat(32) as PublicKey;
    expect((await verify(files, { key: other, federation: undefined })).problems).toEqual([
      `ledger.jsonl: line 1: "body.coordinatorKey" is ${key}, expected ${other}.`,
    ]);
    const elsewhere = 'cd'.repeat(16) as FederationId;
    expect((await verify(files, { key, federation: elsewhere })).problems).toEqual([
      `ledger.jsonl: line 1: "body.federation" is ${federation}, expected ${elsewhere}.`,
    ]);
  });
});

describe('one changed byte', () => {
  const EVERY: readonly (readonly [FileName, number])[] = [
    ['ledger.jsonl', 7],
    ['weights.bin', 3],
    ['model.json', 41],
    ['model-card.md', 97],
    ['metrics.csv', 23],
    ['plan.json', 11],
  ];

  test.each(EVERY)('of %s, every %i bytes, is refused', { timeout: 120_000 }, async (name, step) => {
    const accepted: number[] = [];
    for (let at = 0; at < files[name].length; at += step) {
      const before = files[name][at] ?? 0;
      for (const value of [before ^ 1, 0x20].filter((each) => each !== before)) {
        if ((await verify(withByte(files, name, at, value))).ok) accepted.push(at);
      }
    }
    expect(accepted).toEqual([]);
  });

  test('of every field of a record is refused', async () => {
    const accepted: string[] = [];
    for (const [before, after] of fieldChanges(text('ledger.jsonl'))) {
      const changed = withText(files, 'ledger.jsonl', before, after);
      if ((await verify(changed)).ok) accepted.push(before);
    }
    expect(accepted).toEqual([]);
  });
});

/** For each key of the ledger's last record, the text that sets it and another of the same kind. */
function fieldChanges(ledger: string): readonly (readonly [string, string])[] {
  const last = ledger.trimEnd().split('\n').at(-1) ?? '';
  return [...last.matchAll(/"(\w+)":("[0-9a-z]+"|\d+(?:\.\d+)?)/g)].map(([whole, key = '', value = '']) => {
    const digit = value.startsWith('"') ? value.slice(1, 2) : value.slice(0, 1);
    const other = digit === '1' ? '2' : '1';
    return [whole, `"${key}":${value.replace(digit, other)}`];
  });
}

describe('what is changed is named', () => {
  const refusals: readonly (readonly [string, (whole: RunFiles) => RunFiles, RegExp])[] = [
    [
      'white space',
      (whole) => withText(whole, 'ledger.jsonl', '{"body"', '{ "body"'),
      /^ledger\.jsonl: line 1: not in canonical form at character 2: "\{ \\"body\\".*expected "\{\\"body\\"/,
    ],
    [
      'a field of too many',
      (whole) => withText(whole, 'ledger.jsonl', '{"body"', '{"more":1,"body"'),
      /^ledger\.jsonl: line 1: not in canonical form at character 3/,
    ],
    [
      'a digit that is none',
      (whole) => withText(whole, 'ledger.jsonl', /"sumHash":"./, '"sumHash":"g'),
      /^ledger\.jsonl: line 2: "body\.sumHash" is "g[0-9a-f]+", expected hexadecimal digits in pairs\.$/,
    ],
    [
      'a hash that is too short',
      (whole) => withText(whole, 'ledger.jsonl', /"sumHash":"../, '"sumHash":"'),
      /^ledger\.jsonl: line 2: "body\.sumHash" is 31 bytes, expected 32 bytes\.$/,
    ],
    [
      'a record left out',
      (whole) => withText(whole, 'ledger.jsonl', /^.*\n/, ''),
      /^ledger\.jsonl: line 1, round 2: "body\.prevRecordHash" is [0-9a-f]{64}, expected [0-9a-f]{64}\.$/,
    ],
    [
      'the last line cut',
      (whole) => withText(whole, 'ledger.jsonl', /\n$/, ''),
      /^ledger\.jsonl: line 4: it has no end, expected a line feed as the last byte\.$/,
    ],
    [
      'a figure',
      (whole) => withText(whole, 'ledger.jsonl', /"correct":28/, '"correct":29'),
      /^ledger\.jsonl: line 2, round 2: The coordinator's signature is wrong\.$/,
    ],
    [
      'a confirmation',
      (whole) => withText(whole, 'ledger.jsonl', /("confirmations":\[\["[0-9a-f]{32}",")../, '$1ff'),
      /^ledger\.jsonl: line 2, round 2: "sheets\.0\.confirmations\.0" is \[[0-9a-f]{32}, ff[0-9a-f]{14}…\], expected/,
    ],
    [
      'somebody who was not there',
      (whole) => withText(whole, 'ledger.jsonl', /("participants":\[\[")../, '$1ff'),
      /^ledger\.jsonl: line 1, round 1: A sheet is not the one of this record\.$/,
    ],
    [
      'an empty ledger',
      (whole) => ({ ...whole, 'ledger.jsonl': new Uint8Array() }),
      /^ledger\.jsonl: 0 records, expected at least 1\.$/,
    ],
    [
      'a parameter',
      (whole) => withByte(whole, 'weights.bin', 5, (whole['weights.bin'][5] ?? 0) ^ 8),
      /^weights\.bin: SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64} after the last record\.$/,
    ],
    [
      'a parameter too many',
      (whole) => ({ ...whole, 'weights.bin': new Uint8Array(whole['weights.bin'].length + 4) }),
      /^weights\.bin: 160 bytes, expected 156 for the plan's model\.$/,
    ],
    [
      'the name of the model',
      (whole) => withText(whole, 'model.json', 'Three classes', 'Four classes'),
      /^model\.json: not in canonical form at character \d+: ".*Four classes.*", expected ".*Three classes/,
    ],
    [
      'the accuracy in the metrics',
      (whole) => withText(whole, 'metrics.jsonl', /"testAccuracy":0\.\d+/, '"testAccuracy":0.99'),
      /^metrics\.jsonl: line 1: "point" is \{.*0\.99.*\}, expected \{.*\} by the ledger\.$/,
    ],
    [
      'a line of the metrics',
      (whole) => withText(whole, 'metrics.jsonl', /^.*\n/, ''),
      /^metrics\.jsonl: 2 lines, expected one for each of 3 rounds\.$/,
    ],
    [
      'the plan',
      (whole) => withText(whole, 'plan.json', '"seed":7', '"seed":8'),
      /^ledger\.jsonl: line 1: "body\.planHash" is [0-9a-f]{64}, expected [0-9a-f]{64}\.$/,
    ],
    [
      'a plan that is none',
      (whole) => withText(whole, 'plan.json', '"schema":1', '"schema":2'),
      /^plan\.json: Plan: "schema" is 2, expected 1\.$/,
    ],
  ];

  test.each(refusals)('%s', async (_, change, expected) => {
    const { ok, problems } = await verify(change(files));
    expect(ok).toBe(false);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  test('a run that ends early is told to be unfinished', async () => {
    const lines = text('ledger.jsonl').trimEnd().split('\n');
    const cut = withText(files, 'ledger.jsonl', `${lines.at(-1)}\n`, '');
    const { ok, checks, problems } = await verify(cut);
    expect(ok).toBe(false);
    expect(checks.find(({ name }) => name === 'rounds')?.text).toMatch(/^2 of 2: the run is not finished/);
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'model.json',
      'model.safetensors',
      'model-card.md',
      'metrics.jsonl',
    ]);
  });
});
